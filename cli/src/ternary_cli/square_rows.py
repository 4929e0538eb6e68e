"""
Operations as squares side by side, as ``ternary sample --format squares`` prints them.

Each square stands under its name, else its code, and what else is said of it, such as a distance.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from ternary_sdk.errors import InputError
from ternary_sdk.logic import names_of, to_code, to_text

if TYPE_CHECKING:
    from ternary_cli.rows import Rows

_GAP: Final = "   "


def to_squares(rows: "Rows", width: int) -> list[str]:
    """The lines of the squares; an empty line follows each row of them.

    Args:
        rows: Operations with their indices and space.
        width: Characters of a line; one square stands on it whatever its own width is.
    Raises:
        InputError: If the rows hold more than operations, or none.
    """
    if rows.operations is None or rows.latents is not None or rows.extra:
        raise InputError("squares: no room for latents or other columns; use csv or jsonl")
    lines, beside = list[str](), list[list[str]]()
    for block in _blocks(rows):
        if beside and _wide([*beside, block]) > width:
            lines += _joined(beside)
            beside = []
        beside.append(block)
    return lines + (_joined(beside) if beside else [])


def _blocks(rows: "Rows") -> Iterator[list[str]]:
    """The square of each operation under its caption, its lines of one length."""
    if rows.operations is None or rows.index is None or rows.space is None:
        raise InputError("squares: no operations with their indices; use csv or jsonl")
    figures = [values.tolist() for values in rows.figures.values()]
    for number, (index, table) in enumerate(zip(rows.index.tolist(), rows.operations, strict=True)):
        name = next(iter(names_of(index, rows.space)), to_code(index, rows.space))
        said = (_short(values[number]) for values in figures)
        lines = [" ".join([name, *said]), *to_text(table, rows.space)]
        longest = max(map(len, lines))
        yield [line.ljust(longest) for line in lines]


def _short(figure: float) -> str:
    return f"{figure:.3f}" if isinstance(figure, float) else str(figure)


def _wide(blocks: list[list[str]]) -> int:
    return sum(len(block[0]) for block in blocks) + len(_GAP) * (len(blocks) - 1)


def _joined(blocks: list[list[str]]) -> list[str]:
    return [*(_GAP.join(parts).rstrip() for parts in zip_longest(*blocks, fillvalue="")), ""]
