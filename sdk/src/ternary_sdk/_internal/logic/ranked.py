"""
Sets of operations that are counted exactly, and whose members are found by their rank.

A set of 10^11 operations needs no list: the rank alone gives the member. A draw of uniform ranks is a uniform
draw from the set.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices, Space

__all__ = ["Counted", "InParts", "Listed", "Numbers", "Product"]

Numbers = npt.NDArray[np.int64]

_AT_ONCE: Final = 1 << 15
"""Ranks that are worked on at a time, so that they stay in the cache."""
_MOST_JOINED: Final = 1 << 12
"""The most choices in one table of a product: 32 kB."""


class Counted(ABC):
    """A set of operations whose members are numbered from 0.

    Args:
        space: What they are operations of.
        size: How many they are.
    """

    def __init__(self, space: Space, size: int) -> None:
        self.space: Final = space
        """What they are operations of."""
        self.size: Final = size
        """How many they are, exactly."""

    def unrank(self, ranks: npt.ArrayLike) -> Indices:
        """The members with some ranks; each member has one rank.

        The order is fixed, and indices ascend with the rank. Only in vast spaces, *has-identity*,
        *has-absorbing* and *reversible* have an order of their own.

        Args:
            ranks: Integers in [0, size), shape (n,), in any order, repetitions allowed.
        Returns:
            Canonical indices, shape (n,).
        Raises:
            InputError: If the shape or dtype is wrong or a rank is out of range; the first is named.
        """
        checked = self._as_ranks(np.asarray(ranks))
        indices = np.empty(len(checked), self.space.index_type)
        for start in range(0, len(checked), _AT_ONCE):
            indices[start : start + _AT_ONCE] = self._unrank(checked[start : start + _AT_ONCE])
        return indices

    @abstractmethod
    def _unrank(self, ranks: Numbers) -> npt.NDArray[np.signedinteger[Any]]:
        """The members of some ranks that are in range."""

    def _as_ranks(self, ranks: npt.NDArray[Any]) -> Numbers:
        if ranks.ndim != 1:
            raise InputError(f"ranks: shape is {ranks.shape}, expected (n,)")
        if ranks.size == 0:
            return np.empty(0, np.int64)
        if ranks.dtype.kind not in "iu":
            raise InputError(f"ranks: dtype is {ranks.dtype}, expected integers")
        wrong = (ranks < 0) | (ranks >= self.size)
        if wrong.any():
            first = int(np.argmax(wrong))
            expected = f"0 to {self.size - 1}" if self.size else "none: the set is empty"
            raise InputError(f"ranks: entry {first} is {ranks[first]}, expected {expected}")
        return ranks.astype(np.int64, copy=False)


class Listed(Counted):
    """A set whose members are kept in a list.

    Args:
        space: What they are operations of.
        indices: The members, ascending, shape (n,).
    """

    def __init__(self, space: Space, indices: Indices) -> None:
        super().__init__(space, len(indices))
        self._indices = indices

    def _unrank(self, ranks: Numbers) -> Indices:
        return self._indices[ranks]


class Product(Counted):
    """A set whose members are made of choices that do not depend on each other.

    Args:
        space: What they are operations of.
        weights: What each choice adds to the index, an array for each decision; the highest cell comes first.
    """

    def __init__(self, space: Space, weights: Sequence[Numbers]) -> None:
        super().__init__(space, prod(map(len, weights)))
        self._tables = _joined(weights[::-1])

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices = np.zeros(len(ranks), np.int64)
        for table in self._tables:
            above = ranks // len(table)
            indices += table[ranks - above * len(table)]
            ranks = above
        return indices


def _joined(weights: Sequence[Numbers]) -> list[Numbers]:
    """Tables of several decisions each, from the lowest on: one look-up then does for all of them."""
    tables = [np.zeros(1, np.int64)]
    for each in weights:
        if len(tables[-1]) * len(each) > _MOST_JOINED:
            tables.append(np.zeros(1, np.int64))
        tables[-1] = (each[:, None] + tables[-1]).reshape(-1)
    return tables


class InParts(Counted):
    """Sets of one space that have no member in common, one after the other.

    Args:
        space: What they are operations of.
        parts: The sets.
    """

    def __init__(self, space: Space, parts: Sequence[Counted]) -> None:
        super().__init__(space, sum(part.size for part in parts))
        self._parts = [part for part in parts if part.size]
        self._ends = np.cumsum([part.size for part in self._parts], dtype=np.int64)

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices, place = np.empty(len(ranks), np.int64), np.searchsorted(self._ends, ranks, side="right")
        for number in np.unique(place):
            part, here = self._parts[number], place == number
            indices[here] = part.unrank(ranks[here] - (self._ends[number] - part.size))
        return indices
