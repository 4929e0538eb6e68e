"""
The report's charts that models of either kind of space have: latents, and how a training went.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from ternary_trainer.disrupt import effects
from ternary_trainer.history import EpochRecord
from ternary_trainer.orders import uniform_entropy_shown
from ternary_trainer.reporting.reported import Reported
from ternary_trainer.reporting.sheets import Chart, Palette, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPECTRUM: Final = "Latent spectrum"
"""Title of the chart that only paths with an encoder fill."""
AFTER_EACH_EPOCH: Final = "After each epoch; phases are named, surges are shaded."
_THRESHOLD: Final = 0.1
"""Variance below which a dimension is not used."""


def latent_charts(content: Reported) -> dict[str, tuple[str, Chart]]:
    """The spectrum, if a path has an encoder."""
    if not content.spectra:
        return {}
    size, cells = content.signature.latent_size, content.signature.space.cells
    needed = (
        f" {cells} are needed, one for each cell."
        if not content.signature.space.listed and cells < size
        else ""
    )
    caption = f"How much each of the {size} inner dimensions varies; below the line it is not used.{needed}"
    return {SPECTRUM: (caption, _spectrum)}


def training_charts(content: Reported) -> dict[str, tuple[str, Chart]]:
    """How the training of a run went, but for what its draws were worth."""
    return {
        "Training: negative ELBO": (
            f"A loss that means the same in every epoch; no model is below {_floor(content)} nats.",
            _training_elbo,
        ),
        "Training: weight of the KL": ("Beta at each epoch's end.", _training_beta),
    }


def _spectrum(axes: "Axes", content: Reported, palette: Palette) -> None:
    width = 0.8 / len(content.spectra)
    for number, (path, spectrum) in enumerate(content.spectra.items()):
        places = np.arange(len(spectrum)) + (number - (len(content.spectra) - 1) / 2) * width
        axes.bar(places, spectrum, width, color=palette.path(path), label=f"path {path}")
    axes.axhline(_THRESHOLD, color=palette.mark, linewidth=1)
    axes.set_xticks(range(0, content.signature.latent_size, max(3, content.signature.latent_size // 8)))
    axes.set_ylim(0, 1.25 * max(float(spectrum.max()) for spectrum in content.spectra.values()))
    label(axes, palette, x="latent dimension", y="variance of the mean")


def _training_elbo(axes: "Axes", content: Reported, palette: Palette) -> None:
    records = history(content)
    axes.axhline(float(_floor(content)), color=palette.ink, linestyle="--", linewidth=1.2, label="floor")
    lines(axes, records, palette, lambda path: path.elbo)
    mark(axes, records, palette)
    label(axes, palette, x="epoch", y="negative ELBO, nats")


def _training_beta(axes: "Axes", content: Reported, palette: Palette) -> None:
    records = history(content)
    lines(axes, records, palette, lambda path: path.beta)
    mark(axes, records, palette)
    axes.set_ylim(bottom=0)
    label(axes, palette, x="epoch", y="beta")


def _floor(content: Reported) -> str:
    return uniform_entropy_shown(content.signature.space)


def history(content: Reported) -> list[EpochRecord]:
    """The epochs of its run, where it is of one."""
    return list(content.run.history) if content.run else []


def lines(axes: "Axes", history: list[EpochRecord], palette: Palette, figure: Callable[..., float]) -> None:
    """A line for each path: a figure of its record after each epoch."""
    epochs = [record.epoch for record in history]
    for path in history[0].paths:
        values = [figure(record.paths[path]) for record in history]
        axes.plot(epochs, values, color=palette.path(path), label=f"path {path}")


def mark(axes: "Axes", history: list[EpochRecord], palette: Palette) -> None:
    """Shade surges and name phases."""
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
