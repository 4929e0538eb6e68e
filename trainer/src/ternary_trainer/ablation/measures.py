"""
What trainings are compared by: figures of the snapshot that is shipped, measured once at a run's end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import score, split
from ternary_trainer.comparing import RULE
from ternary_trainer.families import members
from ternary_trainer.model import restored
from ternary_trainer.run import Choice, Run
from ternary_trainer.settings import Recipe


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a finished run."""

    name: str
    meaning: str
    """One sentence."""
    unit: str
    """Of a difference; empty for a plain number."""
    factor: float
    """By which a figure is multiplied to be shown."""
    decimals: int
    """Shown."""
    judged: bool = False
    """Whether verdicts may be about it: more of it is better."""

    def shown(self, value: float, *, signed: bool = False) -> str:
        """A figure or a difference as it is printed, without its unit."""
        return f"{self.factor * value:{'+' if signed else ''}.{self.decimals}f}"

    @property
    def of(self) -> str:
        """Its name and the unit of its figures, as a table's head says them."""
        unit = "%" if self.unit == "points" else self.unit
        return f"{self.name}, {unit}" if unit else self.name


def _share(name: str, meaning: str) -> Measure:
    return Measure(name=name, meaning=meaning, unit="points", factor=100, decimals=3, judged=True)


MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "coverage": _share(
            "coverage", "Expected coverage at the headline draws of the path that covers least."
        ),
        "evenness": _share(
            "evenness", "Evenness of cells, pairs and triples of the least even path, in a vast space."
        ),
        "exact": _share(
            "exact", "Share of the true holdout that the path that reconstructs least gives back exactly."
        ),
        "family": _share(
            "family",
            "Share of the family held out that the path that reconstructs least gives back exactly.",
        ),
        "active": Measure(
            name="active",
            meaning="Active dimensions of the path that has fewest.",
            unit="",
            factor=1,
            decimals=2,
        ),
        "core_seconds": Measure(
            name="core_seconds",
            meaning="Processor time of all epochs.",
            unit="s",
            factor=1,
            decimals=1,
        ),
    }
)
"""By name."""


def primary(space: Space) -> str:
    """The measure that verdicts are about: coverage, in a vast space evenness."""
    return "coverage" if space.listed else "evenness"


def known(recipe: Recipe) -> tuple[str, ...]:
    """The measures that runs of a recipe have, the usual primary one first."""
    family = ("family",) if recipe.holdout_family and recipe.space.listed else ()
    return (primary(recipe.space), "exact", *family, "active", "core_seconds")


def read(run: Run, name: str) -> float:
    """A figure of a finished run.

    Raises:
        InputError: If the run has not ended, or an older release trained it and recorded no core-seconds.
    """
    choice = run.summary().choices.get(RULE)
    if choice is None:
        raise InputError(f"{run.path}: has not ended, expected a finished run")
    if name == "core_seconds":
        return _core_seconds(run)
    if name == "family":
        return _family_exact(run)
    return _OF_A_CHOICE[name](choice)


def _family_exact(run: Run) -> float:
    """Measured here: a run's summary knows the true holdout alone."""
    model, recipe = restored(run.best(RULE).state), run.recipe
    space, family = recipe.space, recipe.holdout_family
    if family is None or not space.listed:
        raise InputError(f"{run.path}: holds out no family, expected a recipe with 'holdout_family'")
    held = split.all_operations(space).take(torch.from_numpy(members(family, space).mask.nonzero()[0]))
    still = torch.zeros(len(held), recipe.latent_size)
    return min(
        score.reconstruct(model.encoder(path), model.decoder(path), held, still).exact
        for path in recipe.networks
    )


def _core_seconds(run: Run) -> float:
    times = [record.core_seconds for record in run.history]
    known_times = [time for time in times if time is not None]
    if len(known_times) != len(times):
        raise InputError(f"{run.path}: has no core-seconds; leave 'core_seconds' out of the plan's measures")
    return sum(known_times)


_OF_A_CHOICE: Final[Mapping[str, Callable[[Choice], float]]] = MappingProxyType(
    {
        "coverage": lambda choice: min(path.coverage for path in choice.counted.values()),
        "evenness": lambda choice: min(path.evenness for path in choice.sampled.values()),
        "exact": lambda choice: min(path.holdout_exact for path in choice.paths.values()),
        "active": lambda choice: float(min(path.active for path in choice.paths.values())),
    }
)
