"""
Rows in CSV as spreadsheets, pandas and NumPy write it: with commas, semicolons, tabs or spaces between cells.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from typing import Final

from ternary_cli.cells import Row, is_number, layout, shown
from ternary_cli.extra_columns import passing
from ternary_cli.kinds import Kind
from ternary_cli.lines import LineError, Lines
from ternary_sdk.errors import InputError

_Record = tuple[int, list[str], list[str]]
"""The number of a row's last line, its cells, and the same as they stand in the file."""

_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.*?)"?\s*')
"""The first line by which Excel learns the separator."""


def read(first: str, lines: Lines, kind: Kind) -> Iterator[Row]:
    """Read the rows of a table:

    1. pass over a line `sep=…` and lines of comment, as `numpy.savetxt` writes them, before the first row;
    2. find the separator;
    3. take the names from the last comment or the first row, or know the columns by their number;
    4. read each row.

    Args:
        first: The first line that is not blank; the others follow in `lines`.
        lines: Which gave it.
        kind: What a row holds.
    Raises:
        InputError: If the columns are not there, or a cell does not hold what it should.
            The message lacks the file.
    """
    try:
        separator, comment, begin = _preamble(first, lines)  # 1
        records = _records(begin, lines, separator or _separator(begin))  # 2
        names = _commented(comment, kind)  # 3
        if not names:
            top = next(records, None)
            if top is None:
                raise InputError("nothing but comments, expected rows")
            names = _unnamed(top[1], kind)
            records = itertools.chain([top], records) if names else records
            names = names or top[1]
        columns = layout(_once(names, kind), kind)
        places = [names.index(name) for name in columns.columns]
        others = passing(tuple(names), columns.columns)
        kept = [names.index(name) for name in others]
        for number, record, raw in records:  # 4
            if len(record) != len(names):
                raise InputError(f"{len(record)} cells, expected {len(names)}")
            extra = dict(zip(others, (raw[place] for place in kept), strict=True))
            yield Row(("line", number), columns.values([record[place] for place in places]), extra)
    except LineError:
        raise
    except InputError as refusal:
        raise InputError(f"line {lines.number}: {refusal}") from None


def _preamble(first: str, lines: Lines) -> tuple[str | None, str, str]:
    """The separator that the file states, its last comment, and the first line of its first row."""
    separator, comment, line = None, "", first
    if stated := _SEPARATOR_LINE.fullmatch(first):
        separator = stated[1] or first.strip('"\r\n')[-1:]
        if separator not in {",", ";", "\t", "|"}:
            raise InputError(f"the separator is {separator!r}, expected a comma, semicolon, tab or bar")
        line = next(lines, "")
    while line.startswith("#") or (line and not line.strip()):
        comment = line[1:] if line.startswith("#") else comment
        line = next(lines, "")
    return separator, comment, line


def _separator(line: str) -> str:
    outside_quotes = re.sub(r'"[^"]*"', "", line.strip())
    return next((character for character in "\t;, " if character in outside_quotes), ",")


def _records(first: str, lines: Lines, separator: str) -> Iterator[_Record]:
    """The rows that are not blank. Blank cells in all columns are allowed after the last row alone."""
    texts = itertools.chain([first] if first else [], lines)
    reader = csv.reader(texts, delimiter=separator, skipinitialspace=True, strict=True)
    blank = 0
    try:
        for record in reader:
            lines.row_ended()
            raw = [cell for cell in record if cell or separator != " "]
            cells = [cell.strip() for cell in raw]
            if not any(cells):
                blank = blank or (lines.number if cells else 0)
                continue
            if blank:
                raise InputError(f"a row after line {blank}, which has only empty cells")
            yield lines.number, cells, raw
    except csv.Error as error:
        raise InputError(f"not CSV ({error})") from None


def _commented(comment: str, kind: Kind) -> list[str]:
    """The names in a line of comment, if some are ours, or as many as ours and of a wider array."""
    names = next(csv.reader([comment.strip()], delimiter=_separator(comment), skipinitialspace=True), [])
    names = [name.strip() for name in names]
    wider = len(names) == kind.width and kind.wider(names) is not None
    return names if wider or kind.names_any(names) else []


def _unnamed(cells: list[str], kind: Kind) -> list[str]:
    """The names of columns whose first row is not a row of names; none if it is."""
    single = kind.space is not None and len(cells) == 1
    if kind.names_any(cells) or not (single or all(_without_letters(cell) for cell in cells)):
        return []
    if [cell for cell in cells if cell] == [str(number) for number in range(len(cells) - cells.count(""))]:
        raise InputError(
            f"{shown(','.join(cells))} can be column numbers, as pandas writes them; write no header and no"
            f" index (header=False, index=False), or name the columns {kind}"
        )
    if len(cells) == kind.width:
        return list(kind.columns)
    if single:
        return [kind.singles[0]]
    raise InputError(f"{len(cells)} columns without names, expected {kind.width} ({kind})")


def _without_letters(cell: str) -> bool:
    return is_number(cell) or not any(character.isalpha() for character in cell)


def _once(names: list[str], kind: Kind) -> list[str]:
    for name in (*kind.columns, *kind.singles):
        if names.count(name) > 1:
            raise InputError(f"column {name} appears twice; found {shown(','.join(names))}, expected {kind}")
    return names
