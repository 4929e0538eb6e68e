"""Paired differences with intervals, by Student's t, and Holm's correction for many of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Difference:
    """A mean of paired differences."""

    mean: float
    half: float
    """Half of its 95 % interval: a smaller difference than this could not have been shown."""
    p: float
    """Two-sided, before any correction."""
    pairs: int

    def to_json(self) -> dict[str, float | int]:
        """As the result file states it."""
        return {"mean": self.mean, "half": self.half, "p": self.p, "pairs": self.pairs}


def paired(differences: npt.ArrayLike, *, overlap: float = 0.0) -> Difference:
    """The mean of paired differences and how sure it is.

    Args:
        differences: At least two, shape (n,).
        overlap: For folds whose training parts overlap, test size over training size, by which the variance
            grows (Nadeau and Bengio, 2003, section 3.2: 1/n becomes 1/n + overlap). 0 for independent pairs.
    """
    values = np.asarray(differences, np.float64)
    n = len(values)
    spread = float(values.std(ddof=1)) * math.sqrt(1 / n + overlap)
    mean = float(values.mean())
    if spread == 0:
        return Difference(mean, 0.0, 1.0 if mean == 0 else 0.0, n)
    return Difference(mean, t_quantile(n - 1) * spread, t_tails(abs(mean) / spread, n - 1), n)


def t_tails(t: float, freedom: int) -> float:
    """P(|T| > t) for Student's t: with T = √ν·tan(θ) its density is that of cos(θ)^(ν - 1)."""
    theta = np.linspace(0, math.pi / 2, 20_001)
    density = np.cos(theta) ** (freedom - 1)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return 1 - float(np.interp(math.atan(t / math.sqrt(freedom)), theta, below) / below[-1])


def t_quantile(freedom: int, tails: float = 0.05) -> float:
    """The t that P(|T| > t) = tails holds for."""
    low, high = 0.0, 1000.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tails(middle, freedom) > tails else (low, middle)
    return (low + high) / 2


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """P values corrected for how many there are (Holm, 1979), by name."""
    corrected, least = {}, 0.0
    for rank, (name, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        least = max(least, min(1.0, (len(p) - rank) * value))
        corrected[name] = least
    return corrected


def auc(scores: npt.ArrayLike, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative; ties count half."""
    _, place, counts = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    ones = int(positive.sum())
    zeros = len(positive) - ones
    return float((rank[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
