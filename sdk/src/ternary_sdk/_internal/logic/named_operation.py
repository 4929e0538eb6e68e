"""
A named operation: its name, what it is, and who defined it.

Its index is computed from its definition and is never written down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk.space import Indices, Space

__all__ = ["Entry", "NamedOperation", "in_space"]


@dataclass(frozen=True, kw_only=True)
class NamedOperation:
    """An operation with a name, of one space."""

    space: Space
    """What it is an operation of."""
    name: str
    """In capital letters; no other operation of the space has it."""
    aliases: tuple[str, ...]
    """Other names for it. A text that is an alias of several operations is refused, with all of them."""
    formula: str
    """Its definition in one line, with the inputs a, b, c, …"""
    source: str
    """Who defined or named it, in which work, and when."""
    index: int
    """Its canonical index, as its definition gives it."""

    @property
    def code(self) -> str:
        """Its code, as ``to_code`` writes it."""
        return to_code(self.index, self.space)


Entry = tuple[str, str, Callable[..., int], str, tuple[str, ...]]
"""A line of a dictionary: name, formula, the same as a function of the inputs' values, source, aliases."""


def in_space(space: Space, *entries: Entry) -> tuple[NamedOperation, ...]:
    """The operations that a dictionary's lines define in a space."""
    return tuple(
        NamedOperation(
            space=space,
            name=name,
            aliases=aliases,
            formula=formula,
            source=source,
            index=_index_of(definition, space),
        )
        for name, formula, definition, source, aliases in entries
    )


def _index_of(definition: Callable[..., int], space: Space) -> int:
    """The definition in each cell, the last input fastest."""
    inputs = product(space.values, repeat=space.inputs)
    found: Indices = space.to_index([[definition(*values) for values in inputs]])
    return int(found[0])
