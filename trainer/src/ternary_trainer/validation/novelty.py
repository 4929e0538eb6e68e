"""
Checks `novel-operations` and `cold-shift`: held-out operations family by family, and corrupted inputs.

The space is finite and every point of the grid is an operation, so nothing on the grid is out of
distribution; what can be novel is an operation that was never trained on, and what can be out of
distribution is an input off the grid.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure, Relation
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space
from ternary_trainer.families import Family, defined, members
from ternary_trainer.split import Split
from ternary_trainer.validation import intervals
from ternary_trainer.validation.outcome import Method, Outcome, decided, share, shown, too_few
from ternary_trainer.validation.subject import Floats, Network, Subject, cells_name, reconstruct, tables
from ternary_trainer.validation.thresholds import Thresholds

LEAST_MEMBERS: Final = 30
"""Held-out members that a family needs for its share to decide anything."""
NOISE: Final = 0.1
MORE_NOISE: Final = 0.2
READ: Final = "A corrupted operation is read as what it now is, and slight noise is rounded away."
_NOISE_ROUNDS: Final = 5
_MOST_REPLACED: Final = 3


def novel_operations(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of each family's members that neither training nor selection saw."""
    held_out = {family: _unseen(family, subject.split) for family in defined(subject.space)}
    figures = [
        _family(family, path, network, subject.split, thresholds.family)
        for path, network in subject.networks.items()
        for family, unseen in held_out.items()
        if len(unseen)
    ]
    decides = any(figure.relation is not Relation.SHOWN for figure in figures)
    few = "" if decides else f"No family has enough held-out members to decide at {thresholds.family:g}."
    good = "Held-out members of every family with enough of them decode to themselves."
    return decided(figures, good + subject.caveat, few=few, shares=figures)


def _family(family: Family, path: str, network: Network, split: Split, bound: float) -> Figure:
    unseen = _unseen(family, split)
    whole = " as a whole" if split.family == members(family, unseen.space) else ""
    name, total = f"{family}, {len(unseen)} held out{whole}", len(unseen)
    right = int((reconstruct(network, tables(unseen)) == unseen.indices).sum())
    if total < LEAST_MEMBERS:
        return shown(name, path, right / total, interval=intervals.share(right, total))
    return share(name, path, right, total, bound)


def _unseen(family: Family, split: Split) -> OperationSet:
    whole = members(family, split.holdout.space)
    if split.family is None:
        return whole & split.holdout
    if split.family == whole:
        return split.family
    # Else a gap in the family that was held out would show in every family that shares members with it.
    return (whole & split.holdout) - split.family


def cold_shift(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Held-out operations with 1, 2 or 3 cells replaced, and with noise on every cell."""
    few = too_few(len(subject.split.holdout), "held-out operations", thresholds.corrupted)
    inputs, space = tables(subject.split.holdout), subject.space
    figures: list[Figure] = []
    corrupted: list[Figure] = []
    for path, network in subject.networks.items():
        shares = list(replaced(path, network, inputs, space, thresholds.corrupted))
        corrupted += shares
        figures += [*shares, *noisy(path, network, inputs, space, thresholds.off_grid)]
    return decided(figures, READ, few=few, shares=corrupted)


def replaced(
    path: str,
    network: Network,
    inputs: Floats,
    space: Space,
    bound: float,
    *,
    of: Method = intervals.share,
) -> Iterator[Figure]:
    """Operations, tables of shape (n, cells), with one to three cells replaced: what is read as it now is."""
    for cells in range(1, min(_MOST_REPLACED, space.cells) + 1):
        corrupted = replace(inputs, cells, space)
        name = f"exact with {cells} of {space.cells} {cells_name(space)} replaced"
        yield share(name, path, _right(network, corrupted, corrupted, space), len(inputs), bound, of=of)


def noisy(
    path: str,
    network: Network,
    inputs: Floats,
    space: Space,
    bound: float,
    *,
    of: Method = intervals.share,
) -> Iterator[Figure]:
    """Operations, tables of shape (n, cells), with noise on every cell: what is rounded to what it was."""
    target = np.tile(inputs, (_NOISE_ROUNDS, 1))
    noise = np.random.default_rng(0).normal(size=target.shape).astype(np.float32)
    right = _right(network, target + NOISE * noise, target, space)
    yield share(f"exact under noise of {NOISE:g}", path, right, len(target), bound, of=of)
    right = _right(network, target + MORE_NOISE * noise, target, space)
    interval = of(right, len(target))
    yield shown(f"exact under noise of {MORE_NOISE:g}", path, right / len(target), interval=interval)


def replace(inputs: Floats, cells: int, space: Space) -> Floats:
    """Inputs, shape (n, cells), with that many cells of each turned into one of the other values."""
    random = np.random.default_rng(cells)
    where = random.permuted(np.tile(np.arange(space.cells), (len(inputs), 1)), axis=1)[:, :cells]
    result = inputs.copy()
    rows = np.arange(len(inputs))[:, None]
    turn: npt.NDArray[np.int64] = random.integers(1, space.radix, size=where.shape)
    result[rows, where] = (result[rows, where] - space.lowest + turn) % space.radix + space.lowest
    return result


def _right(network: Network, inputs: Floats, targets: Floats, space: Space) -> int:
    return int((reconstruct(network, inputs) == space.to_index(targets)).sum())
