"""
Sets of operations that are counted exactly, and whose members are found by their rank.

A set of 10^11 operations needs no list: the rank alone gives the member. A draw of uniform ranks is a uniform
draw from the set.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class Counted(ABC):
    """A set of operations whose members are numbered from 0."""

    space: Space
    """What they are operations of."""

    size: int
    """How many there are, exactly."""

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


@dataclass(frozen=True, eq=False)
class Listed(Counted):
    """A set whose members are kept."""

    members: Indices
    """Their indices, ascending, shape (size,)."""

    @classmethod
    def of(cls, space: Space, members: Indices) -> "Listed":
        """The set of some operations, whose indices ascend."""
        return cls(space, len(members), members)

    def _unrank(self, ranks: Numbers) -> Indices:
        return self.members[ranks]


@dataclass(frozen=True, eq=False)
class Product(Counted):
    """A set whose members are made of choices that do not depend on each other."""

    tables: tuple[Numbers, ...]
    """What each choice adds to the index; one array for some decisions together, the last of them first."""

    @classmethod
    def of(cls, space: Space, weights: Sequence[Numbers]) -> "Product":
        """The set that some decisions make.

        Args:
            space: What they are operations of.
            weights: What each choice adds to the index, an array for each decision. Ranks ascend with the
                first.
        """
        return cls(space, prod(map(len, weights)), tuple(_joined(weights[::-1])))

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices = np.zeros(len(ranks), np.int64)
        for table in self.tables:
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


@dataclass(frozen=True, eq=False)
class InParts(Counted):
    """Sets of one space that have no member in common, one after the other."""

    parts: tuple[Counted, ...]
    """In the order of their ranks."""

    @classmethod
    def of(cls, space: Space, parts: Sequence[Counted]) -> "InParts":
        """The union of some sets that have no member in common."""
        return cls(space, sum(part.size for part in parts), tuple(parts))

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices, begin = np.empty(len(ranks), np.int64), 0
        for part in self.parts:
            here = (ranks >= begin) & (ranks < begin + part.size)
            indices[here] = part.unrank(ranks[here] - begin)
            begin += part.size
        return indices
