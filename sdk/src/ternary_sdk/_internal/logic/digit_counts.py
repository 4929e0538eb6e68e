"""
Balanced operations, also with ties: every value occurs in the same number of cells.

The classes of cells are decided one by one. What matters of those decided is how often each digit is still
missing, so the number of ways to go on is counted for each such state. The (3, 3) space has at most 1,000 of them.
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.steps import Step, Steps
from ternary_sdk._internal.logic.ties import Ties

__all__ = ["balanced"]

_Counts = npt.NDArray[np.intp]


def balanced(ties: Ties) -> Steps:
    """The balanced operations that meet some ties, in ascending order."""
    space, steps = ties.space, []
    share = space.cells // space.radix
    missing = np.full((1, space.radix), share)
    for each in ties.classes:
        after, missing = _decided(missing, each.counts(space.radix), share)
        steps.append(Step(after, each.weights(space)))
    return Steps(space, steps)


def _decided(missing: _Counts, used: _Counts, share: int) -> tuple[_Counts, _Counts]:
    """One class decided in every way.

    Args:
        missing: How often each digit is missing in each state, shape (states, radix).
        used: How often a choice uses each digit, shape (choices, radix).
        share: How often each digit is missing at first.
    Returns:
        The state that each choice leads to, -1 where it uses too much, shape (states, choices); and how often
        each digit is missing in those states.
    """
    left = missing[:, None] - used
    good = (left >= 0).all(axis=2)
    places = (share + 1) ** np.arange(missing.shape[1])
    states, numbers = np.unique(left[good] @ places, return_inverse=True)
    after = np.full(good.shape, -1)
    after[good] = numbers
    return after, states[:, None] // places % (share + 1)
