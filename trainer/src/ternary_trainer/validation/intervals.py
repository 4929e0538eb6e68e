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

from ternary_sdk.errors import InputError

Interval = tuple[float, float]

_Z: Final = 1.959964
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
    whole, groups = parts.sum(axis=0), len(parts)
    left_out = np.array([estimate(whole - part) for part in parts])
    half = _Z * math.sqrt((groups - 1) / groups * float(np.square(left_out - left_out.mean()).sum()))
    middle = estimate(whole)
    return max(0.0, middle - half), min(1.0, middle + half)


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
