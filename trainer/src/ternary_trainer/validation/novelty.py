"""
Checks `novel-operations` and `cold-shift`: held-out operations family by family, and corrupted inputs.

The space is finite and every point of the trit grid is an operation, so nothing on the grid is out of
distribution; what can be novel is an operation that was never trained on, and what can be out of
distribution is an input off the grid.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.operations import OperationSet
from ternary_trainer.families import FAMILIES, Family, members
from ternary_trainer.split import Split
from ternary_trainer.validation import intervals
from ternary_trainer.validation.outcome import Outcome, at_least, judged, shown
from ternary_trainer.validation.subject import Floats, Network, Subject, reconstruct, tables
from ternary_trainer.validation.thresholds import Thresholds

LEAST_MEMBERS: Final = 30
"""Held-out members that a family needs for its share to decide anything."""
NOISE: Final = 0.1
MORE_NOISE: Final = 0.2
_NOISE_ROUNDS: Final = 5


def novel_operations(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of each family's members that neither training nor selection saw."""
    figures = [
        _family(family, path, network, subject.split, thresholds.family)
        for path, network in subject.paths.items()
        for family in FAMILIES
    ]
    good = "Held-out members of every family with enough of them decode to themselves."
    return judged(figures, good + subject.caveat)


def _family(family: Family, path: str, network: Network, split: Split, bound: float) -> Figure:
    unseen = _unseen(family, split)
    whole = " as a whole" if split.family == members(family) else ""
    name, inputs = f"{family}, {len(unseen)} held out{whole}", tables(unseen)
    right = int((reconstruct(network, inputs) == inputs).all(axis=1).sum())
    share, interval = right / len(unseen), intervals.share(right, len(unseen))
    if len(unseen) < LEAST_MEMBERS:
        return shown(name, path, share, interval=interval)
    return at_least(name, path, share, bound, interval=interval)


def _unseen(family: Family, split: Split) -> OperationSet:
    if split.family is None:
        return OperationSet(members(family).mask & split.holdout.mask)
    if split.family == members(family):
        return split.family
    # Else a gap in the family that was held out would show in every family that shares members with it.
    return OperationSet(members(family).mask & split.holdout.mask & ~split.family.mask)


def cold_shift(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Held-out operations with 1, 2 or 3 trits replaced, and with noise on every trit."""
    inputs = tables(subject.split.holdout)
    figures: list[Figure] = []
    for path, network in subject.paths.items():
        for replaced in (1, 2, 3):
            corrupted = replace(inputs, replaced)
            name = f"exact with {replaced} of 9 trits replaced"
            figures.append(_exact(name, path, network, corrupted, corrupted, thresholds.corrupted))
        target = np.tile(inputs, (_NOISE_ROUNDS, 1))
        noise = np.random.default_rng(0).normal(size=target.shape).astype(np.float32)
        name = f"exact under noise of {NOISE:g}"
        figures.append(_exact(name, path, network, target + NOISE * noise, target, thresholds.off_grid))
        right = int((reconstruct(network, target + MORE_NOISE * noise) == target).all(axis=1).sum())
        interval = intervals.share(right, len(target))
        name = f"exact under noise of {MORE_NOISE:g}"
        figures.append(shown(name, path, right / len(target), interval=interval))
    return judged(
        figures, "A corrupted operation is read as what it now is, and slight noise is rounded away."
    )


def replace(inputs: Floats, trits: int) -> Floats:
    """Inputs, shape (n, 9), with that many trits of each turned into one of the two other values."""
    random = np.random.default_rng(trits)
    where = random.permuted(np.tile(np.arange(9), (len(inputs), 1)), axis=1)[:, :trits]
    result = inputs.copy()
    rows = np.arange(len(inputs))[:, None]
    turn: npt.NDArray[np.int64] = random.integers(1, 3, size=where.shape)
    result[rows, where] = (result[rows, where] + 1 + turn) % 3 - 1
    return result


def _exact(name: str, path: str, network: Network, inputs: Floats, targets: Floats, bound: float) -> Figure:
    right = int((reconstruct(network, inputs) == targets).all(axis=1).sum())
    return at_least(name, path, right / len(targets), bound, interval=intervals.share(right, len(targets)))
