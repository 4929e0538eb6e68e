"""
A named operation: its name, what it is, and who defined it.

Its index is computed from its definition and is never written down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
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
    definition: Callable[..., int]
    """The same as a function: from the inputs' values to the result's."""

    @cached_property
    def index(self) -> int:
        """Its canonical index: its definition in each cell, the last input fastest."""
        inputs = product(self.space.values, repeat=self.space.inputs)
        found: Indices = self.space.to_index([[self.definition(*values) for values in inputs]])
        return int(found[0])

    @property
    def code(self) -> str:
        """Its code, as ``to_code`` writes it."""
        return to_code(self.index, self.space)


Entry = tuple[str, str, Callable[..., int], str, tuple[str, ...]]
"""A line of a dictionary: name, formula, definition, source, aliases."""


def in_space(space: Space, *entries: Entry) -> tuple[NamedOperation, ...]:
    """The operations that a dictionary's lines define in a space."""
    return tuple(
        NamedOperation(
            space=space, name=name, formula=formula, definition=definition, source=source, aliases=aliases
        )
        for name, formula, definition, source, aliases in entries
    )
