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
from ternary_sdk.space import TERNARY_2, Space

__all__ = [
    "expected_coverage",
    "headline_draws",
    "iid_deviation",
    "iid_limit",
    "percent",
    "perfect_percent",
    "quoted_draws",
]

_QUOTED_OF_TERNARY_2: Final = (10_000, 50_000, 195_000)
_PARTS_IN_100: Final = (50, 254, 991)


def quoted_draws(space: Space = TERNARY_2) -> tuple[int, int, int]:
    """The numbers of draws at which certificates state coverage, ascending.

    For two-input ternary operations 10,000, 50,000 and 195,000. For other spaces of N operations the nearest
    integers to N/2, 2.54·N and 9.91·N, a half rounded up; these are about the same multiples of N.
    """
    if space == TERNARY_2:
        return _QUOTED_OF_TERNARY_2
    few, some, many = ((parts * space.size + 50) // 100 for parts in _PARTS_IN_100)
    return few, some, many


def headline_draws(space: Space = TERNARY_2) -> int:
    """The number of draws at which coverage is quoted where one figure is: the second of ``quoted_draws``."""
    return quoted_draws(space)[1]


def iid_limit(draws: int, space: Space = TERNARY_2) -> float:
    """Expected share of the space that ``draws`` uniform independent draws cover, in [0, 1).

    No i.i.d. sampler does better in expectation: 1 - (1 - 1/N)^n is concave in each operation's
    probability, so the uniform distribution maximizes the sum.

    Raises:
        InputError: If ``draws`` is negative.
    """
    if draws < 0:
        raise InputError(f"draws: {draws}, expected 0 or more")
    return float(-np.expm1(draws * np.log1p(-1 / space.size)))


def iid_deviation(draws: int, space: Space = TERNARY_2) -> float:
    """Standard deviation of the share of the space that ``draws`` uniform independent draws cover.

    A single count of a perfect sampler may lie this far above or below ``iid_limit``. With q = (1 - 1/N)^n,
    the variance of the number of operations is N·q(1 - q) + N(N - 1)·((1 - 2/N)^n - q²) (Feller, *An
    Introduction to Probability Theory and Its Applications*, volume 1, occupancy).

    Raises:
        InputError: If ``draws`` is negative.
    """
    size, missed = space.size, 1 - iid_limit(draws, space)
    together = float(np.expm1(draws * (np.log1p(-2 / space.size) - 2 * np.log1p(-1 / space.size))))
    variance = size * missed * (1 - missed) + size * (size - 1) * missed**2 * together
    return float(np.sqrt(max(variance, 0.0)) / size)


def percent(share: float) -> str:
    """A model's share as it is printed everywhere: percent, two decimals, rounded down, as in ``91.94``.

    Shares are also read from decimal strings, so what a float lacks of its own decimal form is added first.
    """
    return decimal(100 * share + 1e-9, 2)


def perfect_percent(draws: int, space: Space = TERNARY_2) -> str:
    """What perfect draws cover on average, with the deviation of one count: ``92.116 ± 0.166``."""
    return f"{100 * iid_limit(draws, space):.3f} ± {100 * iid_deviation(draws, space):.3f}"


def expected_coverage(counts: npt.NDArray[np.int64], draws: int) -> float:
    """Unbiased estimate of the share of the space that ``draws`` draws cover, by rarefaction.

    The mean over operations of 1 - C(m-c, n)/C(m, n), where c counts an operation in m draws
    (Hurlbert, "The Nonconcept of Species Diversity", 1971).

    Args:
        counts: How often each operation was drawn, one for each operation of a space, shape (N,), m in all.
        draws: n, at most m.
    Raises:
        InputError: If the shape is wrong or n exceeds m.
    """
    if counts.ndim != 1 or not len(counts):
        raise InputError(f"counts: shape is {counts.shape}, expected one count for each operation")
    total = int(counts.sum())
    if not 0 <= draws <= total:
        raise InputError(f"draws: {draws}, expected 0 to the {total} that were counted")
    # C(m-c, n)/C(m, n) as a running product over c, in logarithms: the factor at step j is (m-n-j)/(m-j).
    steps = np.arange(int(counts.max(initial=0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.log(np.maximum(total - draws - steps, 0)) - np.log(total - steps)
    log_missed = np.concatenate([[0.0], np.cumsum(factors)])
    return float(np.mean(-np.expm1(log_missed[counts])))
