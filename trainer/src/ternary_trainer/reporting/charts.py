"""
The report's charts: drawn once each, with a palette for paper or with colours that a page's style decides.

Each is small enough to be read on a phone as it is; a page sets them side by side where there is room.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ternary_sdk.coverage import iid_limit, quoted_draws
from ternary_trainer.disrupt import effects
from ternary_trainer.history import EpochRecord
from ternary_trainer.orders import uniform_entropy_shown
from ternary_trainer.reporting.content import Content
from ternary_trainer.validation.traces import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Sheet

_SIZE: Final = (4.4, 3.1)
SPECTRUM: Final = "Latent spectrum"
"""Title of the chart that only paths with an encoder fill."""
_THRESHOLD: Final = 0.1
"""Variance below which a dimension is not used."""


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

Chart = Callable[["Axes", Content, Palette], None]


def charts(content: Content) -> Mapping[str, tuple[str, Chart]]:
    """Every chart that this content can fill, by title, with a sentence that says what to see in it."""
    available: dict[str, tuple[str, Chart]] = {
        "Coverage over draws": (
            "Share of all operations reached after so many independent draws; the dashed line is what a "
            "perfect sampler reaches.",
            _coverage,
        ),
        "Distance to perfect draws": (
            "The same, as percentage points below the perfect sampler; lower is better.",
            _distance,
        ),
    }
    if content.spectra:
        available[SPECTRUM] = (
            f"How much each of the {content.signature.latent_size} inner dimensions varies; below the line "
            "it is not used.",
            _spectrum,
        )
    if content.run is None and content.traced:
        available |= {
            "Training: coverage": (
                "After each epoch, as the file counts it: expectations rounded to trits, at 195,000 draws.",
                _traced_coverage,
            ),
            "Training: entropy": (
                "Of the latents after each epoch, as the file records it; a surge is the steepest rise.",
                _traced_entropy,
            ),
        }
    if content.run is not None and content.traced:
        available |= {
            "Training: coverage": (
                "After each epoch; phases are named, surges are shaded.",
                _training_coverage,
            ),
            "Training: negative ELBO": (
                f"A loss that means the same in every epoch; no model is below {_floor(content)} nats.",
                _training_elbo,
            ),
            "Training: weight of the KL": ("Beta at each epoch's end.", _training_beta),
        }
    return available


def to_svg(title: str, chart: Chart, content: Content) -> str:
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


def to_png(chart: Chart, content: Content) -> bytes:
    """A chart for paper, at 200 dots an inch."""
    buffer = io.BytesIO()
    _sheet(chart, content, PAPER).savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def _sheet(chart: Chart, content: Content, palette: Palette) -> "Sheet":
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
    sheet.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9, labelcolor=palette.ink)
    return sheet


def _label(axes: "Axes", palette: Palette, *, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=9, color=palette.ink)
    axes.set_ylabel(y, fontsize=9, color=palette.ink)


def _coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    axes.plot(
        content.draws, 100 * content.perfect, "--", color=palette.ink, linewidth=1.2, label="perfect draws"
    )
    for path, measured in content.paths.items():
        axes.plot(content.draws, 100 * measured.curve, color=palette.path(path), label=f"path {path}")
    axes.axvline(content.headline, color=palette.muted, linewidth=0.8)
    _draws_axis(axes, content)
    axes.set_ylim(0, 102)
    _label(axes, palette, x="draws", y="coverage, %")


def _distance(axes: "Axes", content: Content, palette: Palette) -> None:
    for path, measured in content.paths.items():
        gap = 100 * (content.perfect - measured.curve)
        axes.plot(content.draws, gap, color=palette.path(path), label=f"path {path}")
    axes.axvline(content.headline, color=palette.muted, linewidth=0.8)
    axes.axhline(0, color=palette.ink, linewidth=1.2, linestyle="--")
    _draws_axis(axes, content)
    _label(axes, palette, x="draws", y="points below perfect draws")


def _draws_axis(axes: "Axes", content: Content) -> None:
    axes.set_xscale("log")
    draws = [content.headline // 50, *quoted_draws(content.signature.space)]
    axes.set_xticks(draws, [f"{number:,}" for number in draws])
    axes.minorticks_off()


def _spectrum(axes: "Axes", content: Content, palette: Palette) -> None:
    width = 0.8 / len(content.spectra)
    for number, (path, spectrum) in enumerate(content.spectra.items()):
        places = np.arange(len(spectrum)) + (number - (len(content.spectra) - 1) / 2) * width
        axes.bar(places, spectrum, width, color=palette.path(path), label=f"path {path}")
    axes.axhline(_THRESHOLD, color=palette.mark, linewidth=1)
    axes.set_xticks(range(0, content.signature.latent_size, max(3, content.signature.latent_size // 8)))
    axes.set_ylim(0, 1.25 * max(float(spectrum.max()) for spectrum in content.spectra.values()))
    _label(axes, palette, x="latent dimension", y="variance of the mean")


def _training_coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    history = _history(content)
    limit = 100 * iid_limit(content.headline, content.signature.space)
    axes.axhline(limit, color=palette.ink, linestyle="--", linewidth=1.2, label="perfect draws, on average")
    _lines(axes, history, palette, lambda path: 100 * path.headline)
    _mark(axes, history, palette)
    _label(axes, palette, x="epoch", y=f"coverage at {content.headline:,}, %")


def _training_elbo(axes: "Axes", content: Content, palette: Palette) -> None:
    history = _history(content)
    axes.axhline(float(_floor(content)), color=palette.ink, linestyle="--", linewidth=1.2, label="floor")
    _lines(axes, history, palette, lambda path: path.elbo)
    _mark(axes, history, palette)
    _label(axes, palette, x="epoch", y="negative ELBO, nats")


def _training_beta(axes: "Axes", content: Content, palette: Palette) -> None:
    history = _history(content)
    _lines(axes, history, palette, lambda path: path.beta)
    _mark(axes, history, palette)
    axes.set_ylim(bottom=0)
    _label(axes, palette, x="epoch", y="beta")


def _traced_coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    if content.traces:
        _series(axes, palette, {path: 100 * values for path, values in content.traces.coverage.items()})
    _label(axes, palette, x="epoch", y="coverage at 195,000, %")


def _traced_entropy(axes: "Axes", content: Content, palette: Palette) -> None:
    if content.traces:
        _series(axes, palette, content.traces.entropy)
    _label(axes, palette, x="epoch", y="entropy, nats")


def _series(axes: "Axes", palette: Palette, lines: Mapping[str, Series]) -> None:
    for path, values in lines.items():
        axes.plot(range(len(values)), values, color=palette.path(path), label=f"path {path}")


def _floor(content: Content) -> str:
    return uniform_entropy_shown(content.signature.space)


def _history(content: Content) -> list[EpochRecord]:
    return list(content.run.history) if content.run else []


def _lines(axes: "Axes", history: list[EpochRecord], palette: Palette, figure: Callable[..., float]) -> None:
    epochs = [record.epoch for record in history]
    for path in history[0].paths:
        values = [figure(record.paths[path]) for record in history]
        axes.plot(epochs, values, color=palette.path(path), label=f"path {path}")


def _mark(axes: "Axes", history: list[EpochRecord], palette: Palette) -> None:
    for surge in effects(history):
        axes.axvspan(surge.epoch - 0.5, surge.epoch + surge.epochs - 0.5, color=palette.mark, alpha=0.18)
    top, height = axes.get_xaxis_transform(), 0
    for before, record in zip([None, *history], history, strict=False):
        if before is None or before.phase != record.phase:
            height = 1 - height  # neighbouring names would run into each other on one line
            axes.axvline(record.epoch, color=palette.muted, linewidth=0.8, linestyle=":")
            axes.text(
                record.epoch,
                1.07 - 0.07 * height,
                f" {record.phase}",
                transform=top,
                color=palette.muted,
                fontsize=8,
                va="bottom",
            )
