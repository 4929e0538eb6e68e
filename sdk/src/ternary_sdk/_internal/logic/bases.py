"""
Sets that are counted without trying an operation, and what of a condition is then left to be tried.

Ties, with *balanced* or *surjective*, are counted together; *monotone*, *latin* and *reversible* alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ternary_sdk._internal.logic import digit_counts, properties
from ternary_sdk._internal.logic.arguments import Reversible
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.demands import all_of, cases
from ternary_sdk._internal.logic.latin import latin
from ternary_sdk._internal.logic.monotone import monotone
from ternary_sdk._internal.logic.ranked import Counted, InParts
from ternary_sdk._internal.logic.reversible import reversible
from ternary_sdk._internal.logic.ties import Ties, tied
from ternary_sdk.space import Space

__all__ = ["Base", "bases", "is_countable"]


@dataclass(frozen=True, eq=False)
class Base:
    """A set that was counted."""

    operations: Counted
    left: tuple[Condition, ...]
    """Conditions that some of the operations may not meet."""


def bases(parts: Sequence[Condition], space: Space) -> Iterator[Base]:
    """Sets that hold all operations that meet some conditions; the whole space, if there is no other.

    Args:
        parts: Conditions that must all be met, each once.
        space: What they are conditions of.
    """
    yield _together(parts, space)
    for part in parts:
        operations = _alone(part, space)
        if operations is not None:
            yield Base(operations, tuple(other for other in parts if other != part))


def is_countable(part: Condition, space: Space) -> bool:
    """Whether the operations that meet one condition are counted without trying any."""
    return any(not base.left for base in bases([part], space))


def _together(parts: Sequence[Condition], space: Space) -> Base:
    """The set that ties and counts of digits leave."""
    demands = [ties for part in parts if (ties := cases(part, space))]
    balanced = [part for part in parts if _is_balanced(part, space)]
    surjective = [part for part in parts if part == properties.surjective]
    sets = [_counted(ties, bool(balanced), bool(surjective)) for ties in all_of(demands, space)]
    met = [*balanced, *surjective]
    left = tuple(part for part in parts if part not in met and not cases(part, space))
    return Base(sets[0] if len(sets) == 1 else InParts(space, sets), left)


def _counted(ties: Ties, balanced: bool, surjective: bool) -> Counted:
    if balanced:  # and so surjective
        return digit_counts.balanced(ties)
    return digit_counts.surjective(ties) if surjective else tied(ties)


def _is_balanced(part: Condition, space: Space) -> bool:
    """Whether a condition is that every value is the result equally often; with one input, several are."""
    permutation = part in (properties.latin, properties.surjective) or isinstance(part, Reversible)
    return part == properties.balanced or (space.inputs == 1 and permutation)


def _alone(part: Condition, space: Space) -> Counted | None:
    """The operations that meet a condition which is not counted together with others."""
    if part == properties.monotone:
        return monotone(space)
    if part == properties.latin:
        return latin(space)
    if isinstance(part, Reversible):
        return reversible(space, part.input - 1)
    if part in (properties.column_reversible, properties.row_reversible):
        return reversible(space, int(part == properties.row_reversible))
    return None
