"""
How sure a figure is: 95 % intervals, each fit for one kind of figure.

A figure passes only if its whole interval is on the right side of the threshold, so what is computed here
decides verdicts.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.certificates import binomial
from ternary_sdk.errors import InputError

Interval = tuple[float, float]

_Z: Final = 1.959964
_EACH_SIDE: Final = "0.025"
_T: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5 % for 1 to 9 degrees of freedom."""

_WEIGHTS: Final = 1 << 22
"""Weights of a bootstrap that are held at a time; 200 rounds over the operations of (3, 2) are fewer."""

Floats = npt.NDArray[np.float64]


def share(successes: int, total: int) -> Interval:
    """Of a share of independent trials (Wilson, 1927): never narrower than the number of trials allows.

    1,969 of 1,969 give (0.99805, 1): that many trials cannot tell 100 % from 99.8 %.
    """
    if not 0 <= successes <= total or total == 0:
        raise InputError(f"share: {successes} of {total}, expected a part of at least one trial")
    rate, weight = successes / total, _Z**2 / total
    centre = (rate + weight / 2) / (1 + weight)
    half = _Z * math.sqrt(rate * (1 - rate) / total + weight / (4 * total)) / (1 + weight)
    return (max(0.0, centre - half) if successes else 0.0, min(1.0, centre + half) if rate < 1 else 1.0)


def exact(successes: int, total: int) -> Interval:
    """Of a share of independent trials (Clopper and Pearson, 1934): 95 % at least, whatever the share is.

    All of 131,072 trials give (0.999972, 1).
    """
    if not 0 <= successes <= total or total == 0:
        raise InputError(f"share: {successes} of {total}, expected a part of at least one trial")
    failed, found = (
        binomial.upper(number, total, _EACH_SIDE) / binomial.PARTS
        for number in (total - successes, successes)
    )
    return 1 - failed, found


def mean(values: Sequence[float]) -> Interval:
    """Of the mean of 2 to 10 independent values, such as one for each seed, by Student's t."""
    if not 2 <= len(values) <= len(_T) + 1:
        raise InputError(f"mean: {len(values)} values, expected 2 to {len(_T) + 1}")
    array = np.asarray(values, dtype=np.float64)
    half = _T[len(values) - 2] * float(array.std(ddof=1)) / math.sqrt(len(values))
    return float(array.mean()) - half, float(array.mean()) + half


def jackknife(parts: npt.NDArray[np.int64], estimate: Callable[[npt.NDArray[np.int64]], float]) -> Interval:
    """Of a share estimated from counts that add up, by leaving one part out at a time (Tukey, 1958).

    Args:
        parts: Counts of g independent batches, shape (g, k), g at least 2.
        estimate: From counts, shape (k,).
    """
    whole = parts.sum(axis=0)
    low, high = left_out(estimate(whole), [estimate(whole - part) for part in parts])
    return max(0.0, low), min(1.0, high)


def left_out(middle: float, estimates: Sequence[float]) -> Interval:
    """Of an estimate, from what it is without one part at a time, for each of two parts or more."""
    without, groups = np.array(estimates), len(estimates)
    half = _Z * math.sqrt((groups - 1) / groups * float(np.square(without - without.mean()).sum()))
    return middle - half, middle + half


def bootstrap(
    rows: Floats, statistic: Callable[[Floats], Floats], *, rounds: int = 200, seed: int = 0
) -> Interval:
    """Of a function of weighted means over rows, by resampling rows (Efron, 1979).

    Args:
        rows: One row an operation, shape (n, k).
        statistic: From means over resampled rows, shape (rounds, k), to values, shape (rounds,).
        rounds: How many resamples.
        seed: Of the resampling, so that the same figures give the same interval.
    """
    random, count = np.random.default_rng(seed), len(rows)
    chances, means = np.full(count, 1 / count), []
    left, most = rounds, max(1, _WEIGHTS // count)
    while left:
        now = min(left, most)
        means.append(random.multinomial(count, chances, size=now) / count @ rows)
        left -= now
    low, high = np.quantile(statistic(np.concatenate(means)), [0.025, 0.975])
    return float(low), float(high)
