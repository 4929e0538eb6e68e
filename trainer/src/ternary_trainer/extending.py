"""
A run that may go on longer than its recipe said, where that means something.

A setting may grow if no epoch that was trained depends on it: the run is then the one that it would have
been, had the setting been so from its start. That is the plateau's patience, and under `coupled`, whose
schedules follow from an epoch's number, how many epochs there are. Under `separate` every epoch's rate,
weight and memory follow from how many there are in all, and the rate falls to nothing towards the last:
after it nothing is learned, and with another number all epochs would have been others.

The facts are written before the recipe. A process killed in between leaves a run that is as it was.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ternary_sdk._internal import whole_file
from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.disrupt import running
from ternary_trainer.run import FACTS, RECIPE, Run
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
        _record(earlier, settings)
        whole_file.write(path / RECIPE, recipes.dump(recipe).encode())
    return runs.open(path)


def identity(seed: int, recipe: str) -> str:
    """What decides a training's weights, as its state names it: of a seed and a recipe's text."""
    return hashlib.sha256(f"{seed}\n{recipe}".encode()).hexdigest()


def earlier_identities(run: Run) -> list[str]:
    """Those of the states that an extended run may go on from besides its own.

    Raises:
        FormatError: If the facts are damaged.
    """
    return [str(of) for entry in _entries(run) for of in entry["of"]]


def _entries(run: Run) -> list[dict[str, Any]]:
    entries = run.facts.get("extended", [])
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise FormatError(
            f"{run.path / FACTS}: extended is no list of extensions, expected what 'train' wrote"
        )
    return entries


def _is_entry(entry: object) -> bool:
    expected = {"after", "set", "of"}
    return isinstance(entry, dict) and entry.keys() == expected and isinstance(entry["of"], list)


def _record(run: Run, settings: Mapping[str, str]) -> None:
    texts = {recipes.dump(run.recipe), (run.path / RECIPE).read_text("utf-8")}
    entry = {
        "after": len(run.history),
        "set": dict(settings),
        "of": sorted(identity(run.seed, text) for text in texts),
    }
    runs.add_facts(run.path, {"extended": [*_entries(run), entry]})


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
