"""
What is measured of pairs of an operation and parameters: errors with confidence, and how draws differ from a
law.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maintenance.hybrid import laws
from maintenance.hybrid.laws import Law

SHARES: Final = (0.5, 0.9, 0.99)
"""Quantiles of the error that are reported."""

_EACH_SIDE: Final = 0.025
_LEAST: Final = 100
"""Draws in a group, at least, so that its distance means something."""


@dataclass(frozen=True)
class Quantile:
    """A quantile and a 95 % interval that holds whatever the distribution is."""

    value: float
    low: float
    high: float


def quantile(values: npt.ArrayLike, share: float) -> Quantile:
    """A quantile of independent values, between two of them in order (David and Nagaraja, 2003, section 7.1).

    The number of values below the true quantile is binomial, so two ranks enclose it with the chance that
    the binomial distribution gives their range: at least 95 %, whatever the values' distribution is.

    Args:
        values: Shape (n,).
        share: Of the quantile, in (0, 1).
    Raises:
        ValueError: If there are too few values to enclose it.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    below = _binomial_cumulative(len(ordered), share)
    low = int(np.searchsorted(below, _EACH_SIDE, side="right")) - 1
    high = int(np.searchsorted(below, 1 - _EACH_SIDE, side="left"))
    if low < 0 or high >= len(ordered):
        raise ValueError(f"{len(ordered)} values cannot enclose the quantile of {share} with 95 % confidence")
    return Quantile(float(np.quantile(ordered, share)), float(ordered[low]), float(ordered[high]))


def _binomial_cumulative(trials: int, share: float) -> npt.NDArray[np.float64]:
    # The chance of k successes or fewer, for k = 0, 1, …
    k = range(trials + 1)
    whole = math.lgamma(trials + 1)
    logs = [
        whole
        - math.lgamma(hits + 1)
        - math.lgamma(trials - hits + 1)
        + hits * math.log(share)
        + (trials - hits) * math.log1p(-share)
        for hits in k
    ]
    return np.cumsum(np.exp(logs))


def distance(values: Tensor) -> float:
    """Kolmogorov's and Smirnov's distance of values, shape (n,), from the uniform distribution on [0, 1]."""
    ordered = values.double().sort().values.clamp(0, 1)
    steps = torch.arange(len(ordered) + 1, dtype=torch.float64) / len(ordered)
    return float(torch.maximum(steps[1:] - ordered, ordered - steps[:-1]).max())


def drawn(law: Law, digits: Tensor, values: Tensor) -> dict[str, float]:
    """How drawn pairs differ from a law; of several parameters, the worst.

    Args:
        law: That the pairs should follow.
        digits: Of the drawn operations, shape (n, 9).
        values: Of their parameters, shape (n, c).
    Returns:
        The distances are Kolmogorov's and Smirnov's, of where the values stand in the law given their
        operation. ``given a cell`` is the largest over all digits of all cells, ``given the neighbours`` the
        mean over the numbers of neighbours that differ. ``impossible`` is the share of pairs that the law
        never gives, ``between parameters`` the largest rank correlation of two.
    """
    each = [_of_one(column, digits) for column in law.shares(digits, values).t()]
    worst = {name: max(figures[name] for figures in each) for name in each[0]}
    return {**worst, "between parameters": _largest_correlation(values)}


def _of_one(shares: Tensor, digits: Tensor) -> Mapping[str, float]:
    cells = [shares[digits[:, cell] == digit] for cell in range(digits.shape[1]) for digit in range(3)]
    groups = list(_groups(shares, laws.differing(digits)))
    rows = sum(len(group) for group in groups)
    return {
        "of all": distance(shares),
        "given a cell": max(distance(group) for group in cells if len(group) >= _LEAST),
        "given the neighbours": sum(len(group) * distance(group) for group in groups) / rows,
        "impossible": float(((shares < -1e-3) | (shares > 1 + 1e-3)).double().mean()),
    }


def _groups(shares: Tensor, numbers: Tensor) -> Iterator[Tensor]:
    for number in range(13):
        group = shares[numbers == number]
        if len(group) >= _LEAST:
            yield group


def _largest_correlation(values: Tensor) -> float:
    if values.shape[1] < 2:
        return 0.0
    ranks = values.argsort(0).argsort(0).double()
    return float((torch.corrcoef(ranks.t()) - torch.eye(values.shape[1])).abs().max())
