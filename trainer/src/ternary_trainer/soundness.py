"""
What a recipe's settings must satisfy beyond their types: ranges, and settings that contradict each other.
"""

import itertools
from collections.abc import Iterator
from typing import Final

from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_sdk.space import MOST_LISTED
from ternary_trainer.architecture import V55
from ternary_trainer.settings import Coupled, Effort, Recipe, Separate
from ternary_trainer.split import LEAST, rows

_LEAST_SIZE: Final = 16
"""Operations of the smallest space that can be split for training, validation and holdout."""


def check(recipe: Recipe) -> str | None:
    """The first thing that is wrong with a recipe, as 'setting … is …, expected …', or None."""
    return next(_problems(recipe), None)


def _problems(recipe: Recipe) -> Iterator[str]:
    if (recipe.separate is None) == (recipe.coupled is None):
        yield "tables 'separate' and 'coupled': expected exactly one of them"
    yield from _model(recipe)
    yield from _outside("epochs", recipe.epochs, 1, 100_000)
    yield from _operations(recipe)
    quoted = headline_draws(recipe.space)
    yield from _outside("weight_decay", recipe.weight_decay, 0, 1)
    yield from _outside("clip", recipe.clip, 1e-6, 1e6)
    yield from _outside("scoring.draws", recipe.scoring.draws, quoted, 10**9)
    yield from _outside("scoring.report_draws", recipe.scoring.report_draws, quoted, 10**9)
    yield from _outside("scoring.sampling_draws", recipe.scoring.sampling_draws, 1, 10**9)
    yield from _outside("scoring.exact", recipe.scoring.exact, 0, 1)
    yield from _outside("plateau.patience", recipe.plateau.patience, 1, 100_000)
    yield from _outside("plateau.least", recipe.plateau.least, 0, 1e9)
    yield from _surges(recipe)
    yield from _separate(recipe.separate, recipe.epochs) if recipe.separate else ()
    yield from _coupled(recipe.coupled) if recipe.coupled else ()


def _model(recipe: Recipe) -> Iterator[str]:
    space, paths = recipe.space, tuple(recipe.separate.paths) if recipe.separate else V55.signature.paths
    if not _LEAST_SIZE <= space.size <= MOST_LISTED:
        yield f"setting 'space' is {space}, of {space.size:,} operations, expected 16 to 2^20 to train on"
    try:
        architecture = recipe.architecture
    except InputError as refusal:
        yield str(refusal)
        return
    if architecture.signature.paths != paths:
        yield f"setting 'networks' has paths {', '.join(recipe.networks)}, expected {', '.join(paths)}"
    if recipe.coupled and architecture != V55:
        yield f"table 'coupled': trains the networks of v5.5 alone ({V55.signature}), expected 'separate'"


def _operations(recipe: Recipe) -> Iterator[str]:
    try:
        training, validation, _ = rows(recipe.space, recipe.holdout_family)
    except InputError as refusal:
        yield f"setting 'holdout_family': {refusal}"
        return
    if len(validation) < LEAST:
        left = len(validation)
        yield f"setting 'holdout_family' leaves {left} operations to choose by, expected at least {LEAST}"
    yield from _outside("batch", recipe.batch, 2, len(training))


def _surges(recipe: Recipe) -> Iterator[str]:
    for number, surge in enumerate(recipe.surge):
        name = f"surge[{number}]"
        yield from _outside(f"{name}.epoch", surge.epoch, 0, 100_000)
        yield from _outside(f"{name}.epochs", surge.epochs, 1, 100_000)
        yield from _outside(f"{name}.strength", surge.strength, 0, 10)
        for dial in ("noise", "beta", "exploration", "rate"):
            yield from _outside(f"{name}.{dial}", getattr(surge, dial), 1e-3, 1e3)
    ordered = sorted(recipe.surge, key=lambda surge: surge.epoch)
    for first, second in itertools.pairwise(ordered):
        if first.covers(second.epoch):
            yield f"setting 'surge': two surges overlap at epoch {second.epoch}, expected one at a time"


def _separate(settings: Separate, epochs: int) -> Iterator[str]:
    yield from _outside("separate.free_bits", settings.free_bits, 0, 100)
    yield from _outside("separate.active_variance", settings.active_variance, 0, 1)
    yield from _outside("separate.active_weight", settings.active_weight, 0, 1e6)
    learn, spread = settings.learn, settings.spread
    if not 0 < learn.epochs < epochs:
        yield f"setting 'separate.learn.epochs' is {learn.epochs}, expected 1 to {epochs - 1}"
    yield from _outside("separate.learn.passes", learn.passes, 1, 10_000)
    yield from _outside("separate.learn.rate", learn.rate, 1e-9, 1)
    yield from _outside("separate.learn.beta", learn.beta, 0, 100)
    yield from _outside("separate.spread.beta", spread.beta, 0, 100)
    for value in spread.window:
        yield from _outside("separate.spread.window", value, 1, 1e12)
    for path, effort in settings.paths.items():
        yield from _effort(f"separate.paths.{path}", effort)


def _effort(name: str, effort: Effort) -> Iterator[str]:
    yield from _outside(f"{name}.passes", effort.passes, 1, 10_000)
    yield from _outside(f"{name}.draws", effort.draws, 1, 10**7)
    yield from _outside(f"{name}.pushed", effort.pushed, 1, effort.draws)
    yield from _outside(f"{name}.low_window", effort.low_window, 1, 1e12)
    yield from _outside(f"{name}.rate", effort.rate[0], 1e-9, 1)
    yield from _outside(f"{name}.rate", effort.rate[1], 1e-9, effort.rate[0])
    for value in effort.weight:
        yield from _outside(f"{name}.weight", value, 1e-6, 1e6)


def _coupled(settings: Coupled) -> Iterator[str]:
    yield from _outside("coupled.free_bits", settings.free_bits, 0, 100)
    yield from _outside("coupled.entropy", settings.entropy, 0, 100)
    yield from _outside("coupled.repulsion", settings.repulsion, 0, 100)
    yield from _outside("coupled.disruption", settings.disruption, 0, 100_000)


def _outside(name: str, value: float, least: float, most: float) -> Iterator[str]:
    if not least <= value <= most:
        yield f"setting '{name}' is {value}, expected {least:g} to {most:g}"
