"""
The report's charts of a model of a listed space.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ternary_sdk.coverage import iid_limit, quoted_draws
from ternary_trainer.reporting.content import Content
from ternary_trainer.reporting.shared_charts import (
    AFTER_EACH_EPOCH,
    history,
    latent_charts,
    lines,
    mark,
    training_charts,
)
from ternary_trainer.reporting.sheets import Chart, Palette, label
from ternary_trainer.validation.traces import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def listed_charts(content: Content) -> Mapping[str, tuple[str, Chart]]:
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
    available |= latent_charts(content)
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
            "Training: coverage": (AFTER_EACH_EPOCH, _training_coverage),
            **training_charts(content),
        }
    return available


def _coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    axes.plot(
        content.draws, 100 * content.perfect, "--", color=palette.ink, linewidth=1.2, label="perfect draws"
    )
    for path, measured in content.paths.items():
        axes.plot(content.draws, 100 * measured.curve, color=palette.path(path), label=f"path {path}")
    axes.axvline(content.headline, color=palette.muted, linewidth=0.8)
    _draws_axis(axes, content)
    axes.set_ylim(0, 102)
    label(axes, palette, x="draws", y="coverage, %")


def _distance(axes: "Axes", content: Content, palette: Palette) -> None:
    for path, measured in content.paths.items():
        gap = 100 * (content.perfect - measured.curve)
        axes.plot(content.draws, gap, color=palette.path(path), label=f"path {path}")
    axes.axvline(content.headline, color=palette.muted, linewidth=0.8)
    axes.axhline(0, color=palette.ink, linewidth=1.2, linestyle="--")
    _draws_axis(axes, content)
    label(axes, palette, x="draws", y="points below perfect draws")


def _draws_axis(axes: "Axes", content: Content) -> None:
    axes.set_xscale("log")
    draws = [content.headline // 50, *quoted_draws(content.signature.space)]
    axes.set_xticks(draws, [f"{number:,}" for number in draws])
    axes.minorticks_off()


def _training_coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    records = history(content)
    limit = 100 * iid_limit(content.headline, content.signature.space)
    axes.axhline(limit, color=palette.ink, linestyle="--", linewidth=1.2, label="perfect draws, on average")
    lines(axes, records, palette, lambda path: 100 * path.headline)
    mark(axes, records, palette)
    label(axes, palette, x="epoch", y=f"coverage at {content.headline:,}, %")


def _traced_coverage(axes: "Axes", content: Content, palette: Palette) -> None:
    if content.traces:
        _series(axes, palette, {path: 100 * values for path, values in content.traces.coverage.items()})
    label(axes, palette, x="epoch", y="coverage at 195,000, %")


def _traced_entropy(axes: "Axes", content: Content, palette: Palette) -> None:
    if content.traces:
        _series(axes, palette, content.traces.entropy)
    label(axes, palette, x="epoch", y="entropy, nats")


def _series(axes: "Axes", palette: Palette, lines: Mapping[str, Series]) -> None:
    for path, values in lines.items():
        axes.plot(range(len(values)), values, color=palette.path(path), label=f"path {path}")
