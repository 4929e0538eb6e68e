"""
The report's charts of a model of a vast space: what draws prove, and how even cells and pairs of cells are.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from ternary_sdk._internal.certificates.statistics import ALPHA
from ternary_trainer.reporting.shared_charts import (
    AFTER_EACH_EPOCH,
    history,
    latent_charts,
    lines,
    mark,
    training_charts,
)
from ternary_trainer.reporting.sheets import Chart, Palette, label
from ternary_trainer.reporting.vast_content import VastContent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFECTIVE: Final = "Effective number over draws"
_NANO: Final = 1e6
"""Micronats in a nat."""
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of the values of a cell."""


def vast_charts(content: VastContent) -> Mapping[str, tuple[str, Chart]]:
    """Every chart that this content can fill, by title, with a sentence that says what to see in it."""
    certified = any(measured.claim for measured in content.paths.values())
    stars = " A star is what the signed certificate states." if certified else ""
    available: dict[str, tuple[str, Chart]] = {
        EFFECTIVE: (
            "Share of the space that so many draws show; dashed, what as many perfect draws show. More "
            f"draws prove more. Each figure is wrong with a probability of at most {ALPHA}.{stars}",
            _effective,
        ),
        **{cells_title(path): (_CELLS, partial(_cells, path=path)) for path in content.paths},
        **{pairs_title(path): (_PAIRS, partial(_pairs, path=path)) for path in content.paths},
        **latent_charts(content),
    }
    if content.run is not None and content.traced:
        available |= {
            "Training: evenness": (
                f"Of cells, pairs and triples; perfect draws have 1. {AFTER_EACH_EPOCH}",
                _evenness,
            ),
            "Training: held-back operations exact": (
                "Share of the operations that epochs are chosen by that decode from their posterior mean to "
                "themselves.",
                _exact,
            ),
            **training_charts(content),
        }
    return available


_CELLS: Final = (
    "How often each cell of the table has each value, as a multiple of what perfect draws give. Between the "
    "dotted lines lie 95 of 100 figures of as many perfect draws."
)
_PAIRS: Final = (
    "How much each pair of cells has in common: mutual information, in millionths of a nat, less what chance "
    "gives. Perfect draws have 0; the scale says how far chance strays from it."
)


def cells_title(path: str) -> str:
    """The title of the chart of a path's cells."""
    return f"Cells, path {path}"


def pairs_title(path: str) -> str:
    """The title of the chart of a path's pairs of cells."""
    return f"Pairs of cells, path {path}"


def _effective(axes: "Axes", content: VastContent, palette: Palette) -> None:
    size = content.signature.space.size
    for number, (path, measured) in enumerate(content.paths.items()):
        draws = [counts.clear for counts in measured.curve]
        if number == 0:
            perfect = [100 * counts.perfect_effective_number / size for counts in measured.curve]
            axes.plot(draws, perfect, "--", color=palette.ink, linewidth=1.2, label="perfect draws")
        found = [100 * counts.effective_number / size for counts in measured.curve]
        axes.plot(draws, found, color=palette.path(path), label=f"path {path}")
        if measured.claim is not None:
            stated = measured.claim.evenness
            axes.plot(
                stated.clear,
                100 * stated.effective_number / size,
                "*",
                markersize=10,
                color=palette.path(path),
            )
            axes.plot(stated.clear, 100 * stated.perfect_effective_number / size, "_", color=palette.ink)
    axes.set_xscale("log")
    axes.set_ylim(0, 102)
    label(axes, palette, x="draws", y="effective number, % of the space")


def _cells(axes: "Axes", content: VastContent, palette: Palette, *, path: str) -> None:
    space, tally = content.signature.space, content.paths[path].drawn.tally
    shares = tally.cells.numpy() * space.radix
    spread = 1.96 * math.sqrt((space.radix - 1) / content.paths[path].counts.clear)
    for edge in (1 - spread, 1 + spread):
        axes.axhline(edge, color=palette.ink, linewidth=0.8, linestyle=":")
    for digit, value in enumerate(space.values):
        colour, sign = palette.paths[digit % len(palette.paths)], _MARKERS[digit % len(_MARKERS)]
        axes.plot(
            range(space.cells), shares[:, digit], sign, markersize=4, color=colour, label=f"value {value}"
        )
    axes.set_xticks(range(0, space.cells, max(1, space.cells // 9)))
    label(axes, palette, x="cell of the table", y="times perfect draws")


def _pairs(axes: "Axes", content: VastContent, palette: Palette, *, path: str) -> None:
    space, dependence = content.signature.space, content.dependence
    deviation = _NANO * spread_of_pairs(space.radix, content.paths[path].counts.clear)
    highest = max(4 * deviation, *(_NANO * float(pairs.max()) for pairs in dependence.values()))
    shown = np.ma.masked_array(_NANO * dependence[path], mask=np.eye(space.cells, dtype=bool))
    mesh = axes.pcolormesh(shown, cmap="PuBu", vmin=0, vmax=highest)
    axes.grid(False)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    ticks = range(0, space.cells, max(1, space.cells // 8))
    axes.set_xticks([tick + 0.5 for tick in ticks], [str(tick) for tick in ticks])
    axes.set_yticks([tick + 0.5 for tick in ticks], [str(tick) for tick in ticks])
    bar = axes.figure.colorbar(mesh, ax=axes)
    bar.ax.tick_params(colors=palette.ink, labelsize=8)
    bar.outline.set_edgecolor(palette.muted)
    bar.set_label(f"micronats; chance ± {deviation:.3g}", fontsize=8, color=palette.ink)
    label(axes, palette, x="cell", y="cell")


def spread_of_pairs(radix: int, draws: int) -> float:
    """The standard deviation of the mutual information of two independent cells, nats, as draws show it."""
    return math.sqrt(2) * (radix - 1) / (2 * draws)


def _evenness(axes: "Axes", content: VastContent, palette: Palette) -> None:
    records = history(content)
    axes.axhline(1.0, color=palette.ink, linestyle="--", linewidth=1.2, label="perfect draws")
    lines(axes, records, palette, lambda path: path.headline)
    mark(axes, records, palette)
    axes.set_ylim(bottom=0)
    label(axes, palette, x="epoch", y="evenness")


def _exact(axes: "Axes", content: VastContent, palette: Palette) -> None:
    records = history(content)
    lines(axes, records, palette, lambda path: 100 * path.exact)
    mark(axes, records, palette)
    axes.set_ylim(0, 102)
    label(axes, palette, x="epoch", y="exact, %")
