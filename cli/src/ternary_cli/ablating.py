"""
``ternary ablate``: what each setting of a recipe is worth, shown by trainings with and without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.hooks import name_hooks
from ternary_cli.options import Device, DeviceOption, JsonOption, argument, option, whole
from ternary_cli.progress_line import duration
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_trainer.ablation.result import Ablation
    from ternary_trainer.ablation.timing import Estimate

PlanFile = Annotated[Path, argument("PLAN.toml", "A base recipe, options and seeds; docs/ablations.md.")]
Folder = Annotated[
    Path, option("--out", "-o", metavar="DIR", text="Where runs and report go; what is finished is reused.")
]
Jobs = Annotated[
    int | None,
    whole("--jobs", metavar="N", text="Trainings side by side; default: one for every two cores."),
]


def ablate(
    plan: PlanFile,
    out: Folder,
    jobs: Jobs = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: train the options of a plan and compare them with its base."""
    from ternary_cli.terminal import note, show, show_json

    with vendor_extra("ternary ablate"):
        from ternary_trainer.ablation import conducting, document
        from ternary_trainer.ablation import plan as plans
        from ternary_trainer.device import choose
    wanted = plans.read(plan)
    name_hooks(option.recipe for option in wanted.options)
    found = conducting.ablate(
        wanted,
        out,
        at_once=jobs,
        before=lambda measured: note(_announced(measured)),
        tell=note,
        place=choose(device or Device.AUTO, tell=note),
    )
    show_json(facts(document.facts(found), out)) if as_json else show(lines(found, out))


def _announced(measured: "Estimate") -> str:
    """What is left, and how long it will take."""
    if not measured.trainings:
        return "all trainings are finished"
    hours = f"{measured.seconds / 3600:.2f} hours" if measured.seconds >= 36 else "less than 0.01 hours"
    return (
        f"{measured.trainings} trainings, {measured.at_once} at a time: about {hours}"
        f" ({duration(measured.seconds)}; measured: {measured.measured})"
    )


def facts(found: dict[str, Any], out: Path) -> dict[str, Any]:
    """The result for programs, and where the report lies."""
    return {"folder": str(out), **found}


def lines(found: "Ablation", out: Path) -> list[str]:
    """One row for each option, and the report's files."""
    from ternary_trainer.ablation.markdown import cells

    rows = cells(found)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [*told, "", f"report: {out / 'ablation.md'}"]
