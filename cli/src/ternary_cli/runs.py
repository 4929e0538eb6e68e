"""
``ternary recipes``, ``disrupt``, ``plot``, ``tensorboard``: what can be trained, and trainings.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from ternary_cli.options import ForceOption, JsonOption, argument, number, option, whole
from ternary_cli.vendor_extra import vendor_extra

RunFolder = Annotated[Path, argument("RUN", "A run directory of 'ternary train'.")]
Show = Annotated[
    str | None,
    option("--show", metavar="NAME|FILE.toml", text="Print this recipe as resolved, each setting explained."),
]
Strength = Annotated[float, number("--strength", metavar="X", text="How strong, 0 to 10; default: 1.")]
Epochs = Annotated[int, whole("--epochs", metavar="N", text="For how many epochs; default: 1.")]
Cancel = Annotated[bool, option("--cancel", text="End the surge that is on instead.")]
Picture = Annotated[
    Path, option("--out", "-o", metavar="F", text="A .png or .svg file; one with other content is kept.")
]


def recipes(shown: Show = None, as_json: JsonOption = False) -> None:
    """Vendor: list the recipes that can be trained by name, or show one."""
    from ternary_cli.terminal import pairs, show, show_json

    with vendor_extra("ternary recipes"):
        from ternary_trainer import recipe
    if shown is not None:
        found = recipe.load(shown)
        if as_json:
            show_json(tomllib.loads(recipe.dump(found)))
        else:
            show(recipe.explained(found).splitlines())
        return
    about = {name: recipe.load(name).about for name in recipe.names()}
    show_json(about) if as_json else show(pairs(about))


def disrupt(
    run: RunFolder,
    strength: Strength = 1.0,
    epochs: Epochs = 1,
    cancel: Cancel = False,
    as_json: JsonOption = False,
) -> None:
    """Vendor: make a running training surge at its next epoch."""
    from ternary_cli.terminal import note, show_json

    with vendor_extra("ternary disrupt"):
        from ternary_trainer import disrupt as surges
    if cancel:
        surges.cancel(run)
        note(f"{run}: the surge ends before the next epoch")
    else:
        surges.request(run, strength, epochs)
        note(f"{run}: a surge of strength {strength:g} begins with the next epoch")
    if as_json:
        asked = None if cancel else {"strength": strength, "epochs": epochs}
        show_json({"run": str(run), "surge": asked})


def plot(run: RunFolder, out: Picture, force: ForceOption = False, as_json: JsonOption = False) -> None:
    """Vendor: draw a run's coverage, losses and surges."""
    from ternary_cli.files import write_unless_kept
    from ternary_cli.terminal import note, show_json

    with vendor_extra("ternary plot"):
        from ternary_trainer import plot as plots
        from ternary_trainer import run as runs
    write_unless_kept(plots.picture(runs.open(run), out), out, force=force)
    note(f"{out}: drawn")
    if as_json:
        show_json({"file": str(out), "run": str(run)})


def tensorboard(run: RunFolder, as_json: JsonOption = False) -> None:
    """Vendor: write a run's figures for TensorBoard, afterwards."""
    from ternary_cli.terminal import note, show_json

    with vendor_extra("ternary tensorboard"):
        from ternary_trainer import run as runs
        from ternary_trainer import tensorboard as events
    opened = runs.open(run)
    folder = events.convert(opened)
    note(f"{folder}: written, {len(opened.history)} epochs")
    if as_json:
        show_json({"folder": str(folder), "run": str(run), "epochs": len(opened.history)})
