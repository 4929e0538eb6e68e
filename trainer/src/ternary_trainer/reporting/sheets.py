"""
A chart as a picture: with a palette for paper, or with colours that a page's style decides.

Each is small enough to be read on a phone as it is; a page sets them side by side where there is room.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ternary_trainer.reporting.reported import Reported

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Sheet

_SIZE: Final = (4.4, 3.1)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours by what they mean."""

    ink: str
    muted: str
    mark: str
    paths: tuple[str, ...]
    """Of A, B and so on, again from the first where there are no more."""

    def path(self, letter: str) -> str:
        """The colour of a path."""
        return self.paths[(ord(letter) - ord("A")) % len(self.paths)]

    def named(self) -> Iterator[tuple[str, str]]:
        """Every colour with the name of a page's variable."""
        yield from (("ink", self.ink), ("muted", self.muted), ("mark", self.mark))
        yield from zip("abcdefgh", self.paths, strict=True)


_PATHS: Final = ("#1667a8", "#c86400", "#14703c", "#7a3fa0", "#8a5a2b", "#b04a6f", "#6b7000", "#00788a")
PAPER: Final = Palette(ink="#1a1a1a", muted="#8a8a8a", mark="#b0005f", paths=_PATHS)
_STYLED: Final = Palette(
    ink="#010101", muted="#020202", mark="#030303", paths=tuple(f"#0{n}0{n}0{n}" for n in "456789ab")
)
"""Stand-ins that become the page's own variables."""

Chart = Callable[["Axes", Any, Palette], None]
"""Draws what some content says; each chart knows of which kind."""


def to_svg(title: str, chart: Chart, content: Reported) -> str:
    """A chart for a page that defines --ink, --muted, --mark, and --a to --h for paths."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        buffer = io.StringIO()
        _sheet(chart, content, _STYLED).savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
        )
    text = buffer.getvalue()
    svg = text[text.index("<svg") :]
    for name, colour in _STYLED.named():
        svg = svg.replace(colour, f"var(--{name})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def to_png(chart: Chart, content: Reported) -> bytes:
    """A chart for paper, at 200 dots an inch."""
    buffer = io.BytesIO()
    _sheet(chart, content, PAPER).savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def _sheet(chart: Chart, content: Reported, palette: Palette) -> "Sheet":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    sheet = Sheet(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(sheet)
    axes = sheet.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(palette.muted)
    axes.tick_params(colors=palette.ink, labelsize=9)
    axes.grid(color=palette.muted, alpha=0.25, linewidth=0.6)
    chart(axes, content, palette)
    # Below, not where it fits best: looking for that place takes time, and Matplotlib warns if it is long.
    if axes.get_legend_handles_labels()[0]:
        sheet.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9, labelcolor=palette.ink)
    return sheet


def label(axes: "Axes", palette: Palette, *, x: str, y: str) -> None:
    """Name both axes."""
    axes.set_xlabel(x, fontsize=9, color=palette.ink)
    axes.set_ylabel(y, fontsize=9, color=palette.ink)
