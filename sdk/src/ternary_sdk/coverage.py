"""
What share of the space a number of draws covers, and what perfect draws cover on average.

A coverage figure means nothing without its number of draws; quote "x % at n draws; perfect draws, on average
y ± d %".
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.documents.canonical import decimal
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OPERATIONS

QUOTED_DRAWS: Final = (10_000, 50_000, 195_000)
"""The numbers of draws at which certificates state coverage."""


def iid_limit(draws: int) -> float:
    """Expected share of the space that ``draws`` uniform independent draws cover, in [0, 1).

    No i.i.d. sampler does better in expectation: 1 - (1 - 1/N)^n is concave in each operation's
    probability, so the uniform distribution maximizes the sum.

    Raises:
        InputError: If ``draws`` is negative.
    """
    if draws < 0:
        raise InputError(f"draws: {draws}, expected 0 or more")
    return float(-np.expm1(draws * np.log1p(-1 / OPERATIONS)))


def iid_deviation(draws: int) -> float:
    """Standard deviation of the share of the space that ``draws`` uniform independent draws cover.

    A single count of a perfect sampler may lie this far above or below ``iid_limit``. With q = (1 - 1/N)^n,
    the variance of the number of operations is N·q(1 - q) + N(N - 1)·((1 - 2/N)^n - q²) (Feller, *An
    Introduction to Probability Theory and Its Applications*, volume 1, occupancy).

    Raises:
        InputError: If ``draws`` is negative.
    """
    missed = 1 - iid_limit(draws)
    together = float(np.expm1(draws * (np.log1p(-2 / OPERATIONS) - 2 * np.log1p(-1 / OPERATIONS))))
    variance = OPERATIONS * missed * (1 - missed) + OPERATIONS * (OPERATIONS - 1) * missed**2 * together
    return float(np.sqrt(max(variance, 0.0)) / OPERATIONS)


def percent(share: float) -> str:
    """A model's share as it is printed everywhere: percent, two decimals, rounded down, as in ``91.94``.

    Shares are also read from decimal strings, so what a float lacks of its own decimal form is added first.
    """
    return decimal(100 * share + 1e-9, 2)


def perfect_percent(draws: int) -> str:
    """What perfect draws cover on average, with the deviation of one count: ``92.116 ± 0.166``."""
    return f"{100 * iid_limit(draws):.3f} ± {100 * iid_deviation(draws):.3f}"


def expected_coverage(counts: npt.NDArray[np.int64], draws: int) -> float:
    """Unbiased estimate of the share of the space that ``draws`` draws cover, by rarefaction.

    The mean over operations of 1 - C(m-c, n)/C(m, n), where c counts an operation in m draws
    (Hurlbert, "The Nonconcept of Species Diversity", 1971).

    Args:
        counts: How often each operation was drawn, shape (19683,), m in all.
        draws: n, at most m.
    Raises:
        InputError: If the shape is wrong or n exceeds m.
    """
    if counts.shape != (OPERATIONS,):
        raise InputError(f"counts: shape is {counts.shape}, expected ({OPERATIONS},)")
    total = int(counts.sum())
    if not 0 <= draws <= total:
        raise InputError(f"draws: {draws}, expected 0 to the {total} that were counted")
    # C(m-c, n)/C(m, n) as a running product over c, in logarithms: the factor at step j is (m-n-j)/(m-j).
    steps = np.arange(int(counts.max(initial=0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.log(np.maximum(total - draws - steps, 0)) - np.log(total - steps)
    log_missed = np.concatenate([[0.0], np.cumsum(factors)])
    return float(np.mean(-np.expm1(log_missed[counts])))
