"""
What a condition demands of cells, where it is no more than that.

``commutative`` is one set of ties. ``has-identity`` is several that exclude each other, one for each value
that can be the identity.
"""

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType
from typing import Final

from ternary_sdk._internal.logic import properties, tied_properties
from ternary_sdk._internal.logic.arguments import Preserves
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.partial import Partial
from ternary_sdk._internal.logic.properties import Property
from ternary_sdk._internal.logic.ties import Ties
from ternary_sdk.space import Space

__all__ = ["all_of", "cases"]

_ONE: Final[Mapping[Property, Callable[[Space], Ties]]] = MappingProxyType(
    {
        properties.commutative: tied_properties.commutative,
        properties.idempotent: tied_properties.idempotent,
        properties.self_dual: tied_properties.self_dual,
    }
)
_EACH_DIGIT: Final[Mapping[Property, Callable[[Space, int], Ties]]] = MappingProxyType(
    {
        properties.constant: tied_properties.constant,
        properties.has_absorbing: tied_properties.absorbing,
        properties.has_identity: tied_properties.identity,
    }
)
"""Properties that are met for one digit at most."""


def cases(condition: Condition, space: Space) -> tuple[Ties, ...]:
    """The ties that a condition stands for: it is met where one of them is, and no two are met together.

    Returns:
        None of them if the condition is not a matter of ties.
    """
    if isinstance(condition, Preserves):
        return (tied_properties.preserves(space, [value - space.lowest for value in condition.values]),)
    if isinstance(condition, Partial):
        digits = {
            cell: value - space.lowest for cell, value in enumerate(condition.cells) if value is not None
        }
        return (tied_properties.given(space, list(digits), list(digits.values())),)
    if isinstance(condition, Property) and condition in _ONE:
        return (_ONE[condition](space),)
    if isinstance(condition, Property) and condition in _EACH_DIGIT:
        return tuple(_EACH_DIGIT[condition](space, digit) for digit in range(space.radix))
    return ()


def all_of(demands: list[tuple[Ties, ...]], space: Space) -> list[Ties]:
    """One case of each demand, in every combination."""
    found = []
    for chosen in product(*demands):
        ties = Ties.none(space)
        for each in chosen:
            ties &= each
        found.append(ties)
    return found
