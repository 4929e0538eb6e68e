"""
Sets of operations that are counted exactly, and whose members are found by their rank.

``counted`` is the one place that chooses how: a listed space is tried operation by operation.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices, Space

__all__ = ["Counted", "counted"]

Ranks = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Counted(ABC):
    """A set of operations whose members are numbered from 0."""

    space: Space
    """What they are operations of."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many there are, exactly."""

    def unrank(self, ranks: npt.ArrayLike) -> Indices:
        """The members with some ranks; each member has one rank.

        Args:
            ranks: Integers in [0, size), shape (n,).
        Returns:
            Canonical indices, shape (n,). In a listed space they ascend with the rank.
        Raises:
            InputError: If the shape is wrong or a rank is out of range.
        """
        array = np.asarray(ranks)
        if array.ndim != 1:
            raise InputError(f"ranks: shape is {array.shape}, expected (n,)")
        if array.size and array.dtype.kind not in "iu":
            raise InputError(f"ranks: dtype is {array.dtype}, expected integers")
        wrong = (array < 0) | (array >= self.size)
        if wrong.any():
            first = int(np.argmax(wrong))
            expected = f"0 to {self.size - 1}" if self.size else "none: the set is empty"
            raise InputError(f"ranks: entry {first} is {array[first]}, expected {expected}")
        return self._unranked(array.astype(np.int64)).astype(self.space.index_type, copy=False)

    @abstractmethod
    def _unranked(self, ranks: npt.NDArray[np.int64]) -> Indices:
        """The members with ranks that were checked."""


@dataclass(frozen=True, eq=False)
class _Members(Counted):
    """A set whose members are kept, ascending."""

    members: Indices

    @property
    def size(self) -> int:
        return len(self.members)

    def _unranked(self, ranks: npt.NDArray[np.int64]) -> Indices:
        return self.members[ranks]


@dataclass(frozen=True, eq=False)
class _Whole(Counted):
    """All operations of a space: the rank is the index."""

    @property
    def size(self) -> int:
        return self.space.size

    def _unranked(self, ranks: npt.NDArray[np.int64]) -> Indices:
        return ranks


def counted(space: Space, condition: Condition | None = None) -> Counted:
    """Count the operations of a space that meet a condition.

    Args:
        space: Which.
        condition: What they must be; None is nothing, so that all are counted.
    Raises:
        InputError: If the condition means nothing in the space, or the space is vast and the operations that
            meet it cannot be counted.
    """
    if condition is None:
        return _Whole(space)
    condition.check(space)
    if space.listed:
        return _Members(space, np.flatnonzero(condition.holds(space.tables, space)))
    return _of_vast(space, condition)


def _of_vast(space: Space, condition: Condition) -> Counted:
    raise InputError(
        f"{condition}: the space {space} is vast, and operations with this condition cannot be counted there"
    )
