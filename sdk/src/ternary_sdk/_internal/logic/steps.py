"""
Sets of operations that are written step by step: what may follow depends on a state alone.

Each step chooses the values of some cells, from the highest cells to the lowest, so that the members come in
ascending order. The number of ways to go on is kept for each state, and a rank is turned into choices by it.
Source: H. S. Wilf, *A unified setting for sequencing, ranking, and selection algorithms for combinatorial
objects*, Advances in Mathematics 24 (1977).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.ranked import Counted, Numbers
from ternary_sdk.space import Space

__all__ = ["Step", "Steps"]


@dataclass(frozen=True, eq=False)
class Step:
    """What may be chosen in each state."""

    after: npt.NDArray[np.intp]
    """The state that each choice leads to, -1 where it is not allowed, shape (states, choices)."""

    weights: Numbers
    """What each choice adds to the index, ascending, shape (choices,)."""


class Steps(Counted):
    """The operations that all sequences of allowed choices write.

    Args:
        space: What they are operations of.
        steps: From the highest cells to the lowest. The first step begins in state 0.
        ends: Which states after the last step are those of a member, shape (states,).
    """

    def __init__(self, space: Space, steps: Sequence[Step], ends: npt.NDArray[np.bool_]) -> None:
        self._steps = steps
        self._before: list[Numbers] = []
        ways = ends.astype(np.int64)
        for step in reversed(steps):
            each = np.append(ways, 0)[step.after]  # -1 is the appended 0: a choice that is not allowed
            ways = each.sum(axis=1)
            self._before.insert(0, _searchable(np.cumsum(each, axis=1) - each))
        super().__init__(space, int(ways[0]))

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices, states = np.zeros(len(ranks), np.int64), np.zeros(len(ranks), np.intp)
        for step, before in zip(self._steps, self._before, strict=True):
            rows = states * before.shape[1]
            choices = _last_not_above(before, rows, ranks)
            ranks = ranks - before.reshape(-1)[rows + choices]
            indices += step.weights[choices]
            states = step.after[states, choices]
        return indices


def _searchable(before: Numbers) -> Numbers:
    """Rows of a power of two entries, as a binary search takes them; no rank reaches those that are added."""
    states, choices = before.shape
    width = 1 << max(choices - 1, 0).bit_length()
    rows = np.full((states, width), np.iinfo(np.int64).max)
    rows[:, :choices] = before
    return rows


def _last_not_above(before: Numbers, rows: npt.NDArray[np.intp], ranks: Numbers) -> npt.NDArray[np.intp]:
    """For each rank, the last entry of its row that is not above it.

    Args:
        before: Rows in ascending order, shape (states, width), width a power of two.
        rows: Where the row of each rank begins.
    """
    entries, found, half = before.reshape(-1), np.zeros(len(ranks), np.intp), before.shape[1] // 2
    while half:
        found += half * (entries[rows + found + half] <= ranks)
        half //= 2
    return found
