"""
A run that may go on longer than its recipe said, where that means something.

A setting may grow if no epoch that was trained depends on it: the run is then the one that it would have been,
had the setting been so from its start. That is the plateau's patience, and under `coupled`, whose schedules
follow from an epoch's number, how many epochs there are. Under `separate` every epoch's rate, weight and memory
follow from how many there are in all, and the rate falls to nothing towards the last: after it nothing is
learned, and with another number all epochs would have been others.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ternary_sdk._internal import whole_file
from ternary_sdk.errors import InputError
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.disrupt import running
from ternary_trainer.run import RECIPE, Run
from ternary_trainer.settings import Recipe

GROWING: Final = ("epochs", "plateau.patience")
"""Settings that may grow."""


def extend(path: Path, settings: Mapping[str, str]) -> Run:
    """Let settings of a run grow, and record in its facts that they did; train with `resume` to go on.

    Args:
        path: The run directory.
        settings: As `recipe.load` takes them.
    Raises:
        InputError: If a setting may not grow, or does not, or a training is running there.
        FormatError: If it is no run, or damaged.
    """
    runs.open(path)  # what is no run is refused before a lock is made in it
    with running(path):
        earlier = runs.open(path)
        for key in settings:
            _check(key, earlier.recipe)
        recipe = recipes.load(str(path / RECIPE), settings)
        for key in settings:
            old, new = _value(earlier.recipe, key), _value(recipe, key)
            if new <= old:
                raise InputError(f"{path}: {key} is {old}, expected more than that, not {new}")
        runs.record_extension(path, dict(settings))
        whole_file.write(path / RECIPE, recipes.dump(recipe).encode())
    return runs.open(path)


def _check(key: str, recipe: Recipe) -> None:
    if key not in GROWING:
        raise InputError(
            f"--set: {key} cannot change in a run that was begun, only {' and '.join(GROWING)} may grow;"
            " train another run"
        )
    if key == "epochs" and recipe.separate:
        raise InputError(
            f"--set: epochs cannot grow under 'separate': its rate falls to nothing towards epoch"
            f" {recipe.epochs - 1}, and every epoch's rate and weights follow from how many there are; train"
            " another run with more epochs"
        )


def _value(recipe: Recipe, key: str) -> int:
    return recipe.epochs if key == "epochs" else recipe.plateau.patience
