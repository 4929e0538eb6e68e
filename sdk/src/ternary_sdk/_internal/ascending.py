"""
Sets of numbers as ascending arrays, for spaces that are too large for a mask.

Every array here is int64, shape (n,), each number larger than the one before. The work is that of one merge
or of one binary search for each number of the smaller set, so a few numbers beside many millions cost little.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def distinct(values: npt.ArrayLike) -> Numbers:
    """The different numbers among some, in ascending order; always a new array."""
    numbers = np.array(values, np.int64)
    if (numbers[1:] > numbers[:-1]).all():
        return numbers
    return np.unique(numbers)


def union(one: Numbers, other: Numbers) -> Numbers:
    """The numbers that are in either."""
    if not len(one) or not len(other):
        return one if len(one) else other
    # A stable sort finds the two ascending runs and merges them; numbers in both become neighbours.
    merged = np.concatenate([one, other])
    merged.sort(kind="stable")
    kept = np.ones(len(merged), np.bool_)
    np.not_equal(merged[1:], merged[:-1], out=kept[1:])
    return merged if kept.all() else merged[kept]


def common(one: Numbers, other: Numbers) -> Numbers:
    """The numbers that are in both."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return few[contains(many, few)]


def minus(one: Numbers, other: Numbers) -> Numbers:
    """The numbers of the first that the second lacks."""
    if len(one) <= len(other):
        return one[~contains(other, one)]
    kept = np.ones(len(one), np.bool_)
    kept[np.searchsorted(one, common(one, other))] = False
    return one[kept]


def either(one: Numbers, other: Numbers) -> Numbers:
    """The numbers that are in one of them and not in both."""
    return union(minus(one, other), minus(other, one))


def contains(numbers: Numbers, wanted: Numbers) -> npt.NDArray[np.bool_]:
    """Which of the wanted numbers, in any order and with repetitions, are among the ascending ones.

    Returns:
        One answer for each wanted number, shape (len(wanted),).
    """
    if not len(numbers):
        return np.zeros(len(wanted), np.bool_)
    places = np.searchsorted(numbers, wanted)
    found: npt.NDArray[np.bool_] = numbers[np.minimum(places, len(numbers) - 1)] == wanted
    return found


class Runs:
    """A set that grows, in a few ascending arrays: what is added is merged with others of about its size."""

    def __init__(self) -> None:
        self._runs: list[Numbers] = []

    def add(self, numbers: Numbers) -> None:
        """Add ascending numbers that it does not contain."""
        if len(numbers):
            self._runs.append(numbers)
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = union(self._runs[-1], last)

    def contain(self, wanted: Numbers) -> npt.NDArray[np.bool_]:
        """Which of the wanted numbers it contains, shape (len(wanted),)."""
        found = np.zeros(len(wanted), np.bool_)
        for run in self._runs:
            found |= contains(run, wanted)
        return found

    def first_occurrences(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Positions, ascending, at which a number that it does not contain occurs for the first time."""
        numbers, first = np.unique(values.astype(np.int64, copy=False), return_index=True)
        return np.sort(first[~self.contain(numbers)])

    def union(self) -> Numbers:
        """All its numbers."""
        total = np.empty(0, np.int64)
        for run in reversed(self._runs):
            total = union(total, run)
        return total
