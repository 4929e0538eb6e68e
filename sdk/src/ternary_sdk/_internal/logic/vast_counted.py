"""
Counting the operations that meet a condition without a list of the space.

The condition is taken apart into those that must all be met. If the sets that are counted at once leave some
of them open, the smallest such set is tried operation by operation, where it is small enough.
"""

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Final

import numpy as np

from ternary_sdk._internal.logic import properties
from ternary_sdk._internal.logic.bases import Base, bases, is_countable
from ternary_sdk._internal.logic.conditions import Both, Condition
from ternary_sdk._internal.logic.ranked import Counted, Listed
from ternary_sdk._internal.logic.ties import Ties, tied
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

__all__ = ["MOST_TRIED", "vast_counted"]

MOST_TRIED: Final = 1 << 22
"""The most operations that are tried one by one."""

_AT_ONCE: Final = 1 << 14
"""Operations that are tried at a time."""
_SUGGESTED: Final = (properties.commutative, properties.latin, properties.monotone, properties.self_dual)


def vast_counted(space: Space, condition: Condition | None = None) -> Counted:
    """Count the operations of a space that meet a condition, without a list of the space.

    Args:
        space: Which; one that is listed will do too.
        condition: What they must be; None is nothing, so that the rank is the index.
    Raises:
        InputError: If the condition means nothing in the space, or its operations cannot be counted there.
            The message then names the conditions that cannot.
    """
    if condition is None:
        return tied(Ties.none(space))
    condition.check(space)
    parts, found = _parts(condition), list[Base]()
    for base in bases(parts, space):
        if not base.left:
            return base.operations
        found.append(base)
    smallest = min(found, key=lambda each: each.operations.size)
    if smallest.operations.size > MOST_TRIED:
        raise InputError(_refusal(parts, space))
    return _tried(smallest)


def _parts(condition: Condition) -> list[Condition]:
    """The conditions that must all be met, in the order of the text, each once."""
    found, to_do = list[Condition](), [condition]
    while to_do:
        each = to_do.pop()
        if isinstance(each, Both):
            to_do += [each.right, each.left]
        elif each not in found:
            found.append(each)
    return found


def _tried(base: Base) -> Listed:
    """The operations of a base that meet what is left."""
    operations, space = base.operations, base.operations.space
    found = [np.empty(0, space.index_type)]
    for start in range(0, operations.size, _AT_ONCE):
        indices = operations.unrank(np.arange(start, min(start + _AT_ONCE, operations.size)))
        tables = space.from_index(indices)
        for condition in base.left:
            if len(indices):
                met = condition.holds(tables, space)
                indices, tables = indices[met], tables[met]
        found.append(indices)
    return Listed(space, np.sort(np.concatenate(found)))


def _refusal(parts: Sequence[Condition], space: Space) -> str:
    hard = [part for part in parts if not is_countable(part, space)]
    together = "" if hard else " together"
    example = next((f", such as {each}" for each in _SUGGESTED if _helps(each, parts, space)), "")
    return (
        f"{reduce(and_, hard or parts)}: cannot be counted{together} in {space}; "
        f"add a condition that leaves at most {MOST_TRIED:,} operations{example}"
    )


def _helps(suggested: properties.Property, parts: Sequence[Condition], space: Space) -> bool:
    named = any(str(suggested) in str(part) for part in parts)
    return (
        not named
        and space.inputs >= suggested.inputs[0]
        and any(base.operations.size <= MOST_TRIED for base in bases([suggested], space))
    )
