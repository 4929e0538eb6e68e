"""
Truth tables as pictures: SVG with a colour and a text in each cell.

One scale colours the values of all radices, from blue for the lowest to orange for the highest. Labels have
the colour of the text around them: in a file of its own that follows the reader's light or dark setting.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

import numpy.typing as npt

from ternary_sdk._internal.logic.squares import Square, signs, squares
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["gallery", "inline", "to_svg"]

_CELL: Final = 26
_LETTER: Final = 8
"""About the width of a letter."""
_LINE: Final = 18
_GAP: Final = 18
_EDGE: Final = 8
_SCALE: Final = ((33, 94, 156), (226, 229, 233), (224, 122, 24))
"""Colours of the lowest value, the middle and the highest."""
_STYLE: Final = (
    "<style>svg{color:#1d2129;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6e8eb;background:#16181c}}</style>"
)


class _Drawn(NamedTuple):
    """A part of a picture, at its own origin."""

    width: int
    height: int
    marks: str


def to_svg(table: npt.ArrayLike, space: Space = TERNARY_2, *, title: str) -> str:
    """A truth table as a file of SVG that needs nothing beside it.

    Args:
        table: Values of the space, shape (cells,).
        space: What it is an operation of.
        title: What it shows, for readers who do not see it, and beside it.
    Raises:
        InputError: If it is no truth table of the space.
    """
    return _document(_titled(title, _table(table, space)), title, _STYLE)


def inline(table: npt.ArrayLike, space: Space = TERNARY_2, *, title: str) -> str:
    """The same without a heading and a style of its own, to stand in a page of HTML.

    Raises:
        InputError: If it is no truth table of the space.
    """
    return _document(_table(table, space), title, "").rstrip("\n")


def gallery(
    tables: Iterable[tuple[str, npt.ArrayLike]], space: Space, *, title: str, most_width: int = 880
) -> str:
    """Several truth tables of a space in one file of SVG, each under its caption, in lines.

    Raises:
        InputError: If one is no truth table of the space.
    """
    drawn = [_titled(caption, _table(table, space)) for caption, table in tables]
    width, height = max(each.width for each in drawn), max(each.height for each in drawn)
    in_line = max(1, (most_width + _GAP) // (width + _GAP))
    marks = "".join(
        _moved(each, number % in_line * (width + _GAP), number // in_line * (height + _GAP))
        for number, each in enumerate(drawn)
    )
    lines, columns = -(-len(drawn) // in_line), min(in_line, len(drawn))
    whole = _Drawn(columns * (width + _GAP) - _GAP, lines * (height + _GAP) - _GAP, marks)
    return _document(whole, title, _STYLE)


def _table(table: npt.ArrayLike, space: Space) -> _Drawn:
    drawn = [_square(each, space) for each in squares(table, space)]
    width = sum(each.width for each in drawn) + _GAP * (len(drawn) - 1)
    marks, left = "", 0
    for each in drawn:
        marks += _moved(each, left, 0)
        left += each.width + _GAP
    return _Drawn(width, max(each.height for each in drawn), marks)


def _square(square: Square, space: Space) -> _Drawn:
    margin = max(len(square.corner), *map(len, square.rows)) * _LETTER + 6
    top = _LINE * (2 if square.caption else 1) + 4
    wide = max(_CELL, max(map(len, square.columns)) * _LETTER + 6)
    marks = _text(0, _LINE - 4, square.caption, "start")
    marks += _text(margin - 6, top - 6, square.corner, "end")
    for column, label in enumerate(square.columns):
        marks += _text(margin + column * wide + wide // 2, top - 6, label, "middle")
    for row, (label, values) in enumerate(zip(square.rows, square.values, strict=True)):
        marks += _text(margin - 6, top + row * _CELL + 18, label, "end")
        for column, value in enumerate(values):
            marks += _cell(margin + column * wide, top + row * _CELL, wide, value, space)
    return _Drawn(
        max(margin + wide * len(square.columns), len(square.caption) * _LETTER),
        top + _CELL * len(square.values),
        marks,
    )


def _cell(left: int, top: int, wide: int, value: int, space: Space) -> str:
    red, green, blue = _colour(space.values.index(value) / (space.radix - 1))
    colour, text = f"#{red:02x}{green:02x}{blue:02x}", signs(space)[value]
    ink = "#fff" if 299 * red + 587 * green + 114 * blue < 128_000 else "#111"
    return (
        f'<rect x="{left}" y="{top}" width="{wide - 1}" height="{_CELL - 1}" fill="{colour}"/>'
        f'<text x="{left + wide // 2}" y="{top + 18}" text-anchor="middle" fill="{ink}">{text}</text>'
    )


def _colour(share: float) -> Sequence[int]:
    low, middle, high = _SCALE
    first, second, part = (low, middle, 2 * share) if share < 0.5 else (middle, high, 2 * share - 1)
    return [round(one + (other - one) * part) for one, other in zip(first, second, strict=True)]


def _text(left: int, base: int, text: str, anchor: str) -> str:
    return f'<text x="{left}" y="{base}" text-anchor="{anchor}">{escape(text)}</text>' if text else ""


def _titled(title: str, drawn: _Drawn) -> _Drawn:
    width = max(drawn.width, len(title) * _LETTER)
    marks = _text(0, _LINE - 4, title, "start") + _moved(drawn, 0, _LINE + 4)
    return _Drawn(width, drawn.height + _LINE + 4, marks)


def _moved(drawn: _Drawn, left: int, top: int) -> str:
    return f'<g transform="translate({left} {top})">{drawn.marks}</g>\n'


def _document(drawn: _Drawn, title: str, style: str) -> str:
    width, height = drawn.width + 2 * _EDGE, drawn.height + 2 * _EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-_EDGE} {-_EDGE} {width} {height}" role="img" font-family="ui-monospace, monospace" '
        f'font-size="13" fill="currentColor">'
        f"<title>{escape(title)}</title>{style}\n{drawn.marks}</svg>\n"
    )
