"""
Rows in JSON: one value on each line, or one array of rows over any number of lines.

A row is a list of numbers, or an object whose members are named as the columns of CSV are.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from ternary_cli.cells import Row, layout, listed, shown, shown_json
from ternary_cli.extra_columns import passing
from ternary_cli.kinds import Kind
from ternary_cli.lines import Lines
from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError, InputError


def read(first: str, lines: Lines, kind: Kind) -> Iterator[Row]:
    """Read the rows of JSON lines or of one array.

    Args:
        first: The first line that is not blank; the others follow in `lines`.
        lines: Which gave it.
        kind: What a row holds.
    Raises:
        InputError: If it is not JSON, a member appears twice, or a row does not hold what it should.
            The message lacks the file.
    """
    if _is_line(first):
        return _of_lines(itertools.chain([first], lines), lines, kind)
    return _of_document(first, lines, kind)


def _is_line(text: str) -> bool:
    """Whether a first line is a row by itself, not an array of rows or the beginning of one."""
    try:
        value = plain.decode(text)
    except plain.NotJsonError:
        return False
    except FormatError:
        return True
    return not isinstance(value, list) or (bool(value) and not isinstance(value[0], list | dict))


def _of_lines(texts: Iterator[str], lines: Lines, kind: Kind) -> Iterator[Row]:
    for text in texts:
        lines.row_ended()
        if not text.strip():
            continue
        try:
            value = plain.decode(text)
        except plain.NotJsonError:
            raise InputError(f"line {lines.number} is not JSON: {shown(text.strip())}") from None
        except FormatError as refusal:
            raise InputError(f"line {lines.number}: {refusal}") from None
        yield _row(value, ("line", lines.number), kind)


def _of_document(first: str, lines: Lines, kind: Kind) -> Iterator[Row]:
    before = "\n" * (lines.number - 1)  # so that a refusal names the line of the file
    try:
        value = plain.decode(before + first + "".join(lines))
    except FormatError as refusal:
        raise InputError(str(refusal)) from None
    rows: list[Any] = value if isinstance(value, list) else [value]
    for number, entry in enumerate(rows):
        yield _row(entry, ("row", number), kind)


def _row(value: object, place: tuple[str, int], kind: Kind) -> Row:
    try:
        if isinstance(value, dict):
            columns = layout(value, kind)
            others = passing(tuple(value), columns.columns) if len(value) > len(columns.columns) else ()
            values = columns.values([value[name] for name in columns.columns])
            return Row(place, values, {name: value[name] for name in others})
        if isinstance(value, list):
            return Row(place, listed(value, kind))
    except InputError as refusal:
        raise InputError(f"{place[0]} {place[1]}: {refusal}") from None
    raise InputError(f"{place[0]} {place[1]}: {shown_json(value)}, expected a list or an object")
