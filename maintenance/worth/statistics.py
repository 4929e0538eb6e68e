"""Paired differences with intervals, by Student's t, and the area under a ROC curve."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_trainer.ablation import students_t


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
    return Difference(
        mean, students_t.quantile(0.05, n - 1) * spread, students_t.tails(abs(mean) / spread, n - 1), n
    )


def auc(scores: npt.ArrayLike, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative; ties count half."""
    _, place, counts = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    ones = int(positive.sum())
    zeros = len(positive) - ones
    return float((rank[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
