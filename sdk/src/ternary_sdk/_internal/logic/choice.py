"""
What a draw chooses among: the operations with a property, one of each class, or both.

Counting a set may take seconds, so the last few are kept.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import factorial
from operator import and_
from typing import Final, Self

import numpy as np

from ternary_sdk._internal.logic.classes import Group, representatives
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.counted import Counted, counted
from ternary_sdk._internal.logic.partial import Partial
from ternary_sdk._internal.logic.where import parse_condition
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices, Space

MOST_CLASSED: Final = 1 << 22
"""The most operations whose classes are told apart."""
MOST_IMAGES: Final = 1 << 27
"""The most operations times permutations of cells that are tried for it: up to a minute."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What operations a draw chooses among."""

    space: Space
    """What they are operations of."""

    condition: Condition | None
    """What they must be; None is nothing."""

    group: Group | None
    """Up to what its rows are different; None if only equal operations are the same."""

    @classmethod
    def of(
        cls,
        space: Space,
        where: Condition | str | None,
        like: Condition | str | None,
        distinct_up_to: Group | str | None,
    ) -> Self | None:
        """Read what was asked for; None if nothing was.

        Raises:
            InputError: If one of them is not what it must be.
        """
        if where is None and like is None and distinct_up_to is None:
            return None
        parts = [
            _condition(given, name, space)
            for name, given in (("where", where), ("like", like))
            if given is not None
        ]
        condition = reduce(and_, parts) if parts else None
        return cls(space=space, condition=condition, group=_group(distinct_up_to))

    def count(self) -> Counted:
        """The set of the operations that meet the condition.

        Raises:
            InputError: If the condition means nothing in the space, or they cannot be counted there.
        """
        return _counted(self.space, self.condition)

    def classes(self) -> Indices:
        """The class of each operation that meets the condition, by rank: its least index, shape (size,).

        Raises:
            InputError: As ``count``; or if they are too many, or have too many images, to tell classes apart.
        """
        if self.group is None:
            raise InputError("distinct_up_to: None, expected a group whose classes are told apart")
        return _classes(self.space, self.condition, self.group)

    def numbered(self, count: int) -> str:
        """That so many operations are what is asked for, such as ``36 operations are commutative``."""
        what = f"of the space {self.space}" if self.condition is None else str(self.condition)
        if count == 1:
            return f"1 operation is {what}"
        return f"{count:,} operations are {what}" if count else f"no operation is {what}"


def _condition(given: object, name: str, space: Space) -> Condition:
    if isinstance(given, str):
        return parse_condition(given, space) if name == "where" else Partial.parse(given, space)
    if not isinstance(given, Condition):
        expected = "a condition or its text" if name == "where" else "a partial table or its text"
        raise InputError(f"{name}: {given!r}, expected {expected}")
    if not isinstance(given, Hashable):
        raise InputError(f"{name}: {type(given).__name__} cannot be hashed, expected a condition that can")
    given.check(space)
    return given


def _group(given: Group | str | None) -> Group | None:
    if given is None:
        return None
    if given not in list(Group):
        *others, last = Group
        raise InputError(f"distinct_up_to: {given!r}, expected {', '.join(others)} or {last}")
    return Group(given)


@lru_cache(maxsize=4)
def _counted(space: Space, condition: Condition | None) -> Counted:
    return counted(space, condition)


@lru_cache(maxsize=4)
def _classes(space: Space, condition: Condition | None, group: Group) -> Indices:
    found = _counted(space, condition)
    if found.size > MOST_CLASSED:
        raise InputError(
            f"distinct_up_to: {group} among {found.size:,} operations, expected at most {MOST_CLASSED:,}, "
            "whose classes can be told apart"
        )
    images = found.size * _permutations(space, group)
    if images > MOST_IMAGES:
        raise InputError(
            f"distinct_up_to: {group} among {found.size:,} operations, which have {images:,} images, "
            f"expected at most {MOST_IMAGES:,}"
        )
    return representatives(found.unrank(np.arange(found.size)), space, group)


def _permutations(space: Space, group: Group) -> int:
    """How many permutations of cells a group has at most; relabelled outputs need none."""
    orders = factorial(space.inputs)
    if group is Group.INPUTS:
        return orders
    if group is Group.NPN:
        return orders * int(2**space.inputs)
    return 1 if space.inputs == 1 else orders * int(factorial(space.radix) ** space.inputs)
