"""
Operations with a name each, as design tools exchange them, and the codes that make these names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy.typing as npt

from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices, Space, Tables

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LETTERS: Final = "abcdef"
"""A space has at most five inputs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gates:
    """Operations of one space, each with a name of its own."""

    space: Space
    """What they are operations of."""
    index: Indices
    """Canonical indices, shape (n,)."""
    names: tuple[str, ...]
    """One for each: that of a BLIF-MV output. ``f_`` and the code, where nothing else names it."""

    @classmethod
    def of(cls, indices: npt.ArrayLike, space: Space) -> "Gates":
        """Name operations by their codes: ``f_PC0``, and ``f_PC0_2`` for the second of the same operation.

        Args:
            indices: Canonical indices, shape (n,).
            space: Theirs.
        Raises:
            InputError: If one is not an index.
        """
        checked = space.as_indices(indices)
        seen = dict[int, int]()
        names = []
        for index in checked.tolist():
            seen[index] = seen.get(index, 0) + 1
            names.append(f"f_{to_code(index, space)}" + (f"_{seen[index]}" if seen[index] > 1 else ""))
        return cls(space=space, index=checked, names=tuple(names))

    @property
    def tables(self) -> Tables:
        """Truth tables, values of the space, shape (n, cells)."""
        return self.space.from_index(self.index)

    @property
    def different(self) -> "Gates":
        """Each operation once, in the order in which they come first, named by its code."""
        return Gates.of(list(dict.fromkeys(self.index.tolist())), self.space)

    def __len__(self) -> int:
        return len(self.index)


def input_names(space: Space) -> tuple[str, ...]:
    """``a``, ``b``, …: one for each input, the first of which varies slowest in a truth table."""
    return tuple(_LETTERS[: space.inputs])


def input_digits(space: Space) -> Sequence[tuple[int, ...]]:
    """The digits of the inputs at each cell of a truth table, in the order of the cells."""
    places = [space.radix**place for place in reversed(range(space.inputs))]
    return [tuple(cell // place % space.radix for place in places) for cell in range(space.cells)]


def check_identifier(name: str, what: str) -> str:
    """Refuse a name that design tools would not take.

    Raises:
        InputError: If it is not a letter or underscore, and up to 99 more letters, digits or underscores.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise InputError(
            f"{what}: {name[:60]!r} is not a name that design tools take, expected letters, digits and _,"
            " no digit first"
        )
    return name
