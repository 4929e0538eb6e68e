"""
The dictionary of named operations, by space.

Names and aliases are read in any case. A name is unique in its space. An alias may belong to several
operations, because projects disagree; ``meanings`` then gives all of them, and the text is refused.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from ternary_sdk._internal.logic import dictionary_quaternary, dictionary_ternary, dictionary_ternary_others
from ternary_sdk._internal.logic.dictionary_any import of_any_radix
from ternary_sdk._internal.logic.dictionary_boolean import boolean
from ternary_sdk._internal.logic.named_operation import NamedOperation
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["NAMES", "meanings", "named", "names_of"]

_OWN: Final[Mapping[Space, tuple[NamedOperation, ...]]] = {
    Space(3, 1): dictionary_ternary_others.ONE_INPUT,
    TERNARY_2: dictionary_ternary.TWO_INPUTS,
    Space(3, 3): dictionary_ternary_others.THREE_INPUTS,
    Space(4, 1): dictionary_quaternary.ONE_INPUT,
    Space(4, 2): dictionary_quaternary.TWO_INPUTS,
}


@cache
def named(space: Space = TERNARY_2) -> tuple[NamedOperation, ...]:
    """The named operations of a space; one operation may be there under several names."""
    if space in _OWN:
        return _OWN[space]
    return boolean(space.inputs) if space.radix == 2 else of_any_radix(space)


def names_of(index: int, space: Space = TERNARY_2) -> tuple[str, ...]:
    """All names of an operation, without aliases; empty if it has none.

    Raises:
        InputError: If the index is not one of the space.
    """
    wanted = int(space.as_indices([index])[0])
    return tuple(each.name for each in named(space) if each.index == wanted)


def meanings(text: str, space: Space = TERNARY_2) -> tuple[NamedOperation, ...]:
    """The different operations that a text is the name of, else an alias of; none if it is neither."""
    return _by_word(space).get(text.upper() if text.isascii() else "", ())


@cache
def _by_word(space: Space) -> Mapping[str, tuple[NamedOperation, ...]]:
    by_alias: dict[str, dict[int, NamedOperation]] = {}
    for each in named(space):
        for alias in each.aliases:
            by_alias.setdefault(alias, {}).setdefault(each.index, each)
    words = {alias: tuple(found.values()) for alias, found in by_alias.items()}
    return words | {each.name: (each,) for each in named(space)}


NAMES: Final[Mapping[str, int]] = {each.name: each.index for each in named(TERNARY_2)}
"""The canonical index of each named two-input ternary operation."""
