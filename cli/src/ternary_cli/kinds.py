"""
The two kinds of array that rows hold, operations and latents, and what their columns are called.

A package's signature says how wide they are: a column for each cell of a truth table, ``t0`` on, and for each
dimension of a latent, ``z0`` on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ternary_sdk.logic import Form
from ternary_sdk.space import Space

_CELL: Final = "t"
_DIMENSION: Final = "z"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of array and what its columns are called."""

    member: str
    """Its name in a JSON line."""
    prefix: str
    """What its CSV columns' names begin with; a number follows."""
    width: int
    singles: tuple[str, ...]
    """Columns or members that hold it whole, in the order in which a reader prefers them."""
    space: Space | None = None
    """What its operations are of; None for latents."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of its CSV columns."""
        return _numbered(self.prefix, self.width)

    def names_any(self, cells: Iterable[str]) -> bool:
        """Whether one of some cells is the name of a column of this kind."""
        return any(cell in (*self.columns, *self.singles) for cell in cells)

    def wider(self, names: Iterable[str]) -> str | None:
        """The first of some columns that only a wider array has, such as ``t8`` beside ``t0`` to ``t7``.

        ``T8`` and ``t08`` mean the same here: they are never read, but they show that a row holds more.
        """
        for name in names:
            if name[:1] in self._initials and (found := self._number.fullmatch(name)):
                digits = found[1]  # compared as text: `int` refuses thousands of digits
                if (len(digits), digits) >= (len(str(self.width)), str(self.width)):
                    return name
        return None

    @cached_property
    def _initials(self) -> tuple[str, str]:
        return self.prefix, self.prefix.upper()

    @cached_property
    def _number(self) -> re.Pattern[str]:
        return re.compile(rf"{self.prefix}0*([0-9]+)", re.IGNORECASE)

    def __str__(self) -> str:
        return f"{self.prefix}0 to {self.prefix}{self.width - 1}"


def operations_of(space: Space) -> Kind:
    """The truth tables of a space."""
    return Kind(member="operation", prefix=_CELL, width=space.cells, singles=tuple(Form), space=space)


def latents_of(size: int) -> Kind:
    """Latents of ``size`` dimensions."""
    return Kind(member="latent", prefix=_DIMENSION, width=size, singles=("latent",))


def cell_columns(cells: int) -> tuple[str, ...]:
    """The names of a truth table's columns."""
    return _numbered(_CELL, cells)


def latent_columns(size: int) -> tuple[str, ...]:
    """The names of a latent's columns."""
    return _numbered(_DIMENSION, size)


def _numbered(prefix: str, width: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(width))
