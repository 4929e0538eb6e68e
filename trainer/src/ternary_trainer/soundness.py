"""
How a recipe's settings depend on each other; the type and range of each alone stand in `settings`.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Final

from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_trainer.architecture import V55
from ternary_trainer.ranges import Within
from ternary_trainer.settings import Effort, Learn, Recipe, Separate
from ternary_trainer.split import LEAST, rows
from ternary_trainer.vast_split import VastSplit

_LEAST_SIZE: Final = 16
"""Operations of the smallest space that can be split for training, validation and holdout."""


_VAST_DRAWS: Final = (1_000, 200_000_000)
"""Prior draws of a vast space that can be scored; the indices of all of them are held and sorted."""
_MOST_FRESH: Final = 1 << 20
"""Fresh operations in a step, at most."""
_MOST_RADIX_RENAMED: Final = 8
"""All orders of the values are listed: 40,320 of 8 values, 479,001,600 of 12."""


def check(recipe: Recipe) -> str | None:
    """The first thing that is wrong with a recipe, as 'setting … is …, expected …', or None."""
    return next(_problems(recipe), None)


def _problems(recipe: Recipe) -> Iterator[str]:
    if (recipe.separate is None) == (recipe.coupled is None):
        yield "tables 'separate' and 'coupled': expected exactly one of them"
    yield from _kind(recipe)
    yield from _model(recipe)
    yield from _operations(recipe)
    least, most = (headline_draws(recipe.space), 10**9) if recipe.space.listed else _VAST_DRAWS
    yield from _outside("scoring.draws", recipe.scoring.draws, least, most)
    yield from _outside("scoring.report_draws", recipe.scoring.report_draws, least, most)
    if recipe.coupled and recipe.coupled.state_net_rate and not recipe.coupled.state_net:
        yield "setting 'coupled.state_net_rate' needs 'coupled.state_net' to be true"
    yield from _surges(recipe)
    if recipe.separate:
        yield from _separate(recipe.separate, recipe.epochs)
        yield from _mechanisms(recipe, recipe.separate)


def _kind(recipe: Recipe) -> Iterator[str]:
    """Settings that only listed spaces have, or only vast ones."""
    scoring = recipe.scoring
    listed: dict[str, object] = {"scoring.sampling_draws": scoring.sampling_draws}
    vast: dict[str, object] = {
        "scoring.operations": scoring.operations,
        "scoring.report_operations": scoring.report_operations,
    }
    if recipe.separate:
        stretches: dict[str, Learn | Effort] = {"separate.learn": recipe.separate.learn}
        stretches |= {f"separate.paths.{path}": effort for path, effort in recipe.separate.paths.items()}
        listed |= {f"{name}.passes": stretch.passes for name, stretch in stretches.items()}
        vast |= {f"{name}.steps": stretch.steps for name, stretch in stretches.items()}
        vast["separate.spread.low_window"] = recipe.separate.spread.low_window
        efforts = recipe.separate.paths.items()
        listed |= {f"separate.paths.{path}.low_window": effort.low_window for path, effort in efforts}
    wanted, others = (listed, vast) if recipe.space.listed else (vast, listed)
    for name, value in wanted.items():
        if value is None:
            yield f"setting '{name}' is missing"
    optional: dict[str, object] = {"training_operations": recipe.training_operations}
    for name, value in (others if recipe.space.listed else others | optional).items():
        if value is not None:
            kinds = ("vast", "listed") if recipe.space.listed else ("listed", "vast")
            yield f"setting '{name}' is of {kinds[0]} spaces, but {recipe.space} is {kinds[1]}; leave it out"


def _model(recipe: Recipe) -> Iterator[str]:
    space, paths = recipe.space, tuple(recipe.separate.paths) if recipe.separate else V55.signature.paths
    if space.size < _LEAST_SIZE:
        yield f"setting 'space' is {space}, of {space.size:,} operations, expected at least 16 to train on"
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
    if not recipe.space.listed:
        try:
            VastSplit(recipe.space, recipe.holdout_family)
        except InputError as refusal:
            yield f"setting 'holdout_family': {refusal}"
        yield from _outside("batch", recipe.batch, 2, _MOST_FRESH)
        return
    try:
        training, validation, _ = rows(recipe.space, recipe.holdout_family, recipe.training_operations)
    except InputError as refusal:
        yield f"setting 'holdout_family': {refusal}"
        return
    if len(validation) < LEAST:
        left = len(validation)
        yield f"setting 'holdout_family' leaves {left} operations to choose by, expected at least {LEAST}"
    if recipe.training_operations is not None:
        most = len(rows(recipe.space, recipe.holdout_family)[0])
        yield from _outside("training_operations", recipe.training_operations, 2, most)
    yield from _outside("batch", recipe.batch, 2, len(training))


def _surges(recipe: Recipe) -> Iterator[str]:
    ordered = sorted(recipe.surge, key=lambda surge: surge.epoch)
    for first, second in itertools.pairwise(ordered):
        if first.covers(second.epoch):
            yield f"setting 'surge': two surges overlap at epoch {second.epoch}, expected one at a time"


def _separate(settings: Separate, epochs: int) -> Iterator[str]:
    learn = settings.learn
    if not 0 < learn.epochs < epochs:
        yield f"setting 'separate.learn.epochs' is {learn.epochs}, expected 1 to {epochs - 1}"
    for path, effort in settings.paths.items():
        yield from _outside(f"separate.paths.{path}.pushed", effort.pushed, 1, effort.draws)
        yield from _outside(f"separate.paths.{path}.rate", effort.rate[1], 1e-9, effort.rate[0])


def _mechanisms(recipe: Recipe, settings: Separate) -> Iterator[str]:
    """Mechanisms that would do nothing, or list more maps than there is memory for."""
    space, permutation = recipe.space, settings.permutation
    name = "separate.permutation.changes"
    if permutation and permutation.changes == "inputs" and space.inputs == 1:
        yield f"setting '{name}' is 'inputs', but operations of {space} have one input"
    if permutation and permutation.changes != "inputs" and space.radix > _MOST_RADIX_RENAMED:
        yield (
            f"setting '{name}' is '{permutation.changes}', which lists all {math.factorial(space.radix):,}"
            f" orders of the {space.radix} values of {space}, expected at most {_MOST_RADIX_RENAMED} values"
        )


def _outside(name: str, value: float, least: float, most: float) -> Iterator[str]:
    if problem := Within(least, most).problem(value):
        yield f"setting '{name}' {problem}"
