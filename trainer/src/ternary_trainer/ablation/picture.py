"""
``ablation.svg``: differences to the base, one row for each option. Needs matplotlib, of the extra `plot`.
"""

from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING

from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_trainer.ablation.measures import MEASURES
from ternary_trainer.ablation.pairing import LEVEL
from ternary_trainer.ablation.result import Ablation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def check_installed() -> None:
    """Refuse before anything is trained, where the picture could not be drawn.

    Raises:
        InputError: If matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise InputError(f"matplotlib is not installed; run: {pip_install('ternary-trainer', 'plot')}")


def svg(found: Ablation) -> bytes:
    """The picture: a panel for each measure, a mark for each seed, and the mean with its 95 % interval."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Sheet

    names = found.plan.measures
    height = 1.6 + 0.4 * (len(found.rows) - 1)
    sheet = Sheet(figsize=(2 + 3.4 * len(names), height), layout="constrained")
    FigureCanvasSVG(sheet)
    panels = sheet.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, name in zip(panels, names, strict=True):
        _panel(panel, found, name)
    picture = BytesIO()
    sheet.savefig(picture, format="svg")
    return picture.getvalue()


def _panel(panel: "Axes", found: Ablation, name: str) -> None:
    measure, (base, *options) = MEASURES[name], found.rows
    panel.axvline(0, color="black", linewidth=1, linestyle="--")
    for place, row in enumerate(options):
        seeds = [
            measure.factor * (one - other)
            for one, other in zip(row.values[name], base.values[name], strict=True)
        ]
        paired = row.differences[name]
        shown = name == found.primary.name and row.p is not None and row.p < LEVEL
        colour = "tab:gray" if not shown else "tab:green" if paired.mean > 0 else "tab:red"
        low, high = measure.factor * paired.low, measure.factor * paired.high
        panel.plot([low, high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
        panel.plot(seeds, [place] * len(seeds), "|", color="black", markersize=8)
        panel.plot([measure.factor * paired.mean], [place], "o", color=colour, markersize=6)
    panel.set_yticks(range(len(options)), [row.option.name for row in options])
    panel.set_ylim(len(options) - 0.5, -0.5)
    panel.set_title(f"{name}, difference{f' in {measure.unit}' if measure.unit else ''}", fontsize="medium")
