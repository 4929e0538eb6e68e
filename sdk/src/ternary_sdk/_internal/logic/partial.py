"""
Partial tables: some cells are given, the others may be anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_sdk._internal.logic.conditions import Condition, Mask
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space, Tables

__all__ = ["Partial"]

_MOST: Final = 1_000
"""Characters of a table; the largest has 62 cells."""
_UNKNOWN: Final = ("?", "*")
_SIGNS: Final = {"-": -1, "0": 0, "+": 1}
"""How tables of three values are written."""


@dataclass(frozen=True)
class Partial(Condition):
    """A truth table of which some cells are given.

    Raises:
        InputError: If there are not as many cells as the space has, or one is none of its values.
    """

    space: Space
    """What it is a table of."""

    cells: tuple[int | None, ...]
    """The value of each cell, None where it may be any; the last input varies fastest."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(self.cells))
        if len(self.cells) != self.space.cells:
            raise InputError(f"table: {len(self.cells)} cells, expected {_shape(self.space)}")
        for cell, value in enumerate(self.cells):
            if value is not None and value not in self.space.values:
                raise InputError(f"table: cell {cell} is {value}, expected {_values(self.space)}")

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations have the given cells; shapes (n, cells) and (n,)."""
        self.check(space)
        wanted = np.array([0 if value is None else value for value in self.cells], np.int8)
        free = np.array([value is None for value in self.cells])
        met: Mask = ((space.as_tables(tables) == wanted) | free).all(axis=1)
        return met

    def check(self, space: Space) -> None:
        """Refuse another space.

        Raises:
            InputError: If it is another.
        """
        if space != self.space:
            raise InputError(f"{self}: a table of the space {self.space}, expected one of {space}")

    def __str__(self) -> str:
        rows, radix = [_sign(value, self.space) for value in self.cells], self.space.radix
        parts = [",".join(rows[start : start + radix]) for start in range(0, len(rows), radix)]
        return f"like({'/'.join(parts)})"

    @classmethod
    def parse(cls, text: str, space: Space) -> "Partial":
        """Read a table such as ``-,?,+ / ?,0,? / ?,?,-``, or ``-?+?0???-``.

        ``?`` and ``*`` are cells that may be anything. With commas, a cell is a value, or for three values a
        sign of ``-0+``. Without commas, each character is a cell: a digit, 0 for the lowest value, or a sign.
        ``/`` may stand between rows, in which the last input varies. Blanks mean nothing.

        Raises:
            InputError: If it is no such table, or it means another one in signs than in digits.
        """
        if len(text) > _MOST:
            raise InputError(f"table: {len(text)} characters, expected at most {_MOST}")
        rows = ["".join(row.split()) for row in text.split("/")]
        by_comma = "," in text
        cut = [row.split(",") if by_comma else list(row) for row in rows]
        if len(rows) > 1:
            _check_rows([len(row) for row in cut], space)
        cells = [cell for row in cut for cell in row]
        if len(cells) != space.cells:
            raise InputError(f"table: {_shown(text)} has {len(cells)} cells, expected {_shape(space)}")
        alphabet = _by_number(space) if by_comma else _by_character(cells, text, space)
        return cls(space, tuple(_value(cell, number, alphabet) for number, cell in enumerate(cells)))


def _check_rows(lengths: list[int], space: Space) -> None:
    """Refuse rows that are too many or too few, or not as long as the radix."""
    expected = space.cells // space.radix
    if len(lengths) != expected:
        raise InputError(f"table: {len(lengths)} rows, expected {expected} of {space.radix} cells")
    for number, length in enumerate(lengths, 1):
        if length != space.radix:
            raise InputError(f"table: row {number} has {length} cells, expected {space.radix}")


def _by_number(space: Space) -> Mapping[str, int]:
    numbers = {str(value): value for value in space.values}
    signed = {f"+{value}": value for value in space.values if value > 0}
    return numbers | signed | (_SIGNS if space.radix == 3 else {})


def _by_character(cells: list[str], text: str, space: Space) -> Mapping[str, int]:
    """Signs or digits, whichever the known cells are written in."""
    digits = {str(digit): value for digit, value in enumerate(space.values) if digit < 10}
    if space.radix != 3:
        return digits
    known = {cell for cell in cells if cell not in _UNKNOWN}
    if known == {"0"}:
        raise InputError(
            f"table: {_shown(text)} is ambiguous: 0 is a sign or a digit; put commas between cells"
        )
    return _SIGNS if known & {"-", "+"} else digits


def _value(cell: str, number: int, alphabet: Mapping[str, int]) -> int | None:
    if cell in _UNKNOWN:
        return None
    if cell not in alphabet:
        known = " ".join(alphabet)
        raise InputError(f"table: cell {number} is {_shown(cell)}, expected one of {known}, or ?")
    return alphabet[cell]


def _sign(value: int | None, space: Space) -> str:
    if value is None:
        return "?"
    return "-0+"[value + 1] if space.radix == 3 else str(value)


def _shape(space: Space) -> str:
    rows = space.cells // space.radix
    return f"{space.cells}" if rows == 1 else f"{space.cells}: {rows} rows of {space.radix}"


def _values(space: Space) -> str:
    return "one of " + ", ".join(map(str, space.values))


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"
