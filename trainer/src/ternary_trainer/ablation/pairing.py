"""
Differences paired by seed, and what may be concluded from a few of them.

The interval and the test are Student's for paired differences: with n seeds, n - 1 degrees of freedom. They
assume that the differences of separate seeds are independent and about normal, which three seeds cannot
show. A test of signs assumes less, but with n seeds its p value is at least 2/2^n: it shows nothing at 5 %
below six seeds. A bootstrap of three values gives intervals that are too short.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_sdk.errors import InputError
from ternary_trainer.ablation import students_t

LEVEL: Final = 0.05
"""Of the test, over all options together; intervals are of 95 % each."""
POWER: Final = 0.8
"""Chance with which the least difference is shown."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The mean of differences, one for each seed."""

    mean: float
    low: float
    """Lower end of the mean's 95 % interval."""
    high: float
    """Upper end."""
    p: float
    """Two-sided, before any correction; 1 where the differences do not differ: then nothing is tested."""
    least: float | None
    """The least difference that so many seeds, as far apart as these, show four times of five; at the level
    divided by the number of options, which is Holm's first and strictest step. None where they do not differ:
    a spread of 0 in a few seeds is not known to be one."""


def paired(differences: Sequence[float], *, options: int = 1) -> Paired:
    """Compare two settings by their difference in each seed.

    Args:
        differences: At least two.
        options: How many settings are compared with the same base.
    Raises:
        InputError: If there are fewer than two differences, or no options.
    """
    count = len(differences)
    if count < 2 or options < 1:
        raise InputError(f"paired: {count} differences and {options} options, expected at least 2 and 1")
    values = np.asarray(differences, np.float64)
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(count)
    freedom = count - 1
    half = students_t.quantile(LEVEL, freedom) * error
    return Paired(
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=students_t.tails(abs(mean) / error, freedom) if error else 1.0,
        least=students_t.shown_effect(LEVEL / options, POWER, freedom) * error if error else None,
    )


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """P values by name, corrected for how many there are (Holm, 1979)."""
    corrected, least = dict[str, float](), 0.0
    for rank, (name, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        least = max(least, min(1.0, (len(p) - rank) * value))
        corrected[name] = least
    return corrected
