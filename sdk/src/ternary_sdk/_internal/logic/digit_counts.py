"""
Operations whose values occur equally often, or at least once, also with ties.

The classes of cells are decided one by one. Of those decided, only how often each digit is still missing
matters, so the number of ways to go on is counted for each such state. (3, 3) has at most 1,000 of them.
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.steps import Step, Steps
from ternary_sdk._internal.logic.ties import Ties

__all__ = ["balanced", "surjective"]

_Counts = npt.NDArray[np.intp]


def balanced(ties: Ties) -> Steps:
    """The operations that meet some ties and have every value equally often, in ascending order."""
    return _steps(ties, ties.space.cells // ties.space.radix, exactly=True)


def surjective(ties: Ties) -> Steps:
    """The operations that meet some ties and have every value at least once, in ascending order."""
    return _steps(ties, 1, exactly=False)


def _steps(ties: Ties, share: int, exactly: bool) -> Steps:
    """One step for each class of cells; each digit is missing ``share`` times at first."""
    steps, missing = [], np.full((1, ties.space.radix), share)
    for each in ties.classes:
        left = missing[:, None] - each.counts(ties.space.radix)
        if not exactly:
            left = left.clip(0)
        good: npt.NDArray[np.bool_] = np.all(left >= 0, axis=2)
        after, missing = _states(left, good, share)
        steps.append(Step(after, each.weights(ties.space)))
    return Steps(ties.space, steps, (missing == 0).all(axis=1))


def _states(left: _Counts, good: npt.NDArray[np.bool_], share: int) -> tuple[_Counts, _Counts]:
    """Number the different states that the good choices lead to.

    Args:
        left: How often each digit is missing after each choice, shape (states before, choices, radix).
        good: Which choices are allowed, shape (states before, choices).
        share: The most that is missing of a digit.
    Returns:
        The number of the state after each choice, -1 where it is not allowed, shape (states before, choices);
        and how often each digit is missing in each state, shape (states, radix).
    """
    places = (share + 1) ** np.arange(left.shape[2])
    states, numbers = np.unique(left[good] @ places, return_inverse=True)
    after = np.full(good.shape, -1)
    after[good] = numbers
    return after, states[:, None] // places % (share + 1)
