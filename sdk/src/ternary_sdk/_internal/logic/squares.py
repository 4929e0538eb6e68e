"""
A truth table as a person reads it: a square with its inputs along the sides.

Two inputs are one square, the first down, the second across. Three are a square for each value of the first.
One input is a row. Of four or five inputs the first two go down and the others across.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy.typing as npt

from ternary_sdk.space import TERNARY_2, Space

__all__ = ["Square", "signs", "squares", "to_text"]

_LETTERS: Final = "abcde"
_GAP: Final = "    "
_BETWEEN: Final = "  "


@dataclass(frozen=True, kw_only=True)
class Square:
    """A part of a truth table with two sides."""

    caption: str
    """Which part it is, such as ``a = -``; empty if it is all."""
    corner: str
    """The inputs, such as ``a↓ b→``."""
    rows: tuple[str, ...]
    """What the inputs that go down are in each row; one empty text if none do."""
    columns: tuple[str, ...]
    """What the others are in each column."""
    values: tuple[tuple[int, ...], ...]
    """The results, row by row."""


def signs(space: Space) -> dict[int, str]:
    """How each value is written: a sign of radix 3, else a number, with a sign where some are negative."""
    if space.radix == 3:
        return {-1: "-", 0: "0", 1: "+"}
    if space.lowest:
        return {value: f"{value:+d}" if value else "0" for value in space.values}
    return {value: str(value) for value in space.values}


def squares(table: npt.ArrayLike, space: Space = TERNARY_2) -> list[Square]:
    """The squares of a truth table, from left to right.

    Args:
        table: Values of the space, shape (cells,).
        space: What it is an operation of.
    Raises:
        InputError: If it is no truth table of the space.
    """
    rows: Any = [table]
    values = space.as_tables(rows)[0].tolist()
    aside, down = (1, 1) if space.inputs == 3 else (0, min(space.inputs - 1, 2 if space.inputs > 3 else 1))
    across = space.inputs - aside - down
    letters, cells = _LETTERS[: space.inputs], space.cells // space.radix**aside
    corner = f"{letters[aside : aside + down]}↓ " if down else ""
    width = space.radix**across
    return [
        Square(
            caption=f"{letters[:aside]} = {place}" if aside else "",
            corner=f"{corner}{letters[aside + down :]}→",
            rows=_places(down, space),
            columns=_places(across, space),
            values=tuple(
                tuple(values[start : start + width])
                for start in range(number * cells, (number + 1) * cells, width)
            ),
        )
        for number, place in enumerate(_places(aside, space))
    ]


def to_text(table: npt.ArrayLike, space: Space = TERNARY_2) -> list[str]:
    """A truth table as aligned lines of text, with its inputs along the sides.

    Args:
        table: Values of the space, shape (cells,).
        space: What it is an operation of.
    Raises:
        InputError: If it is no truth table of the space.
    """
    blocks = [_lines(square, signs(space)) for square in squares(table, space)]
    return [_GAP.join(parts).rstrip() for parts in zip(*blocks, strict=True)]


def _places(inputs: int, space: Space) -> tuple[str, ...]:
    """What some inputs are together, in the order of the table: such as ``--``, ``-0``, …"""
    written = signs(space).values()
    return tuple("".join(chosen) for chosen in product(written, repeat=inputs))


def _lines(square: Square, written: dict[int, str]) -> list[str]:
    width = max(map(len, (*written.values(), *square.columns)))
    margin = max(map(len, (square.corner, *square.rows)))
    lines = [(square.corner, square.columns)]
    for row, values in zip(square.rows, square.values, strict=True):
        lines.append((row, tuple(written[value] for value in values)))
    texts = [
        _BETWEEN.join([head.rjust(margin), *(cell.rjust(width) for cell in cells)]) for head, cells in lines
    ]
    if not square.caption:
        return texts
    return [text.ljust(len(texts[0])) for text in (square.caption, *texts)]
