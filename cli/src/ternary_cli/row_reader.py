"""
Reading operations and latents from CSV, JSON, .npy, Parquet or Arrow, told apart by their content.

Files come from other people's programs, so every refusal names the file, the line and what was found.
No pickle is ever read, no memory is taken on the word of a header, and rows become arrays in blocks.
"""

import contextlib
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_cli import arrow_rows, csv_rows, json_rows, npy_header
from ternary_cli.cells import Row, short
from ternary_cli.extra_columns import Column, Gathering
from ternary_cli.kinds import Kind
from ternary_cli.lines import Lines
from ternary_cli.rows import Values
from ternary_sdk.errors import FormatError, InputError

MOST_BYTES: Final = 256 * 2**20
"""Of a file or of standard input."""
MOST_ROWS: Final = 10_000_000
"""As many as `ternary sample` writes."""

_NUMBERS: Final = re.compile(r"[<>=|]?([iu][1248]|f[248])")
"""The types of an ``.npy`` file that are read, the same on every machine."""
_BLOCK: Final = 4096
_FORMATS: Final = "expected CSV, JSON, .npy, Parquet or Arrow"
_OTHERS: Final = {
    b"PK\3\4": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"FEA1": "Feather 1; version 2 is Arrow",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """What a file holds."""

    values: Values
    """Truth tables as int8 or latents as float32, shape (n, width)."""
    extra: Mapping[str, Column]
    """Columns that pass through, by name, n values each."""


def read(data: bytes, kind: Kind, what: str) -> Read:
    """Read rows of one kind in whichever of the formats the bytes are, and the columns that pass through.

    Args:
        data: CSV, JSON, .npy, Parquet or Arrow.
        kind: Operations of a space or latents of a size; says which columns a row has.
        what: The name of the bytes in error messages, such as ``rows.csv``.
    Raises:
        InputError: If they are of another format or cut short, if they hold anything but such rows, or if a
            column that passes through appears twice or collides with ours.
    """
    if not data:  # in a pipe, most likely a command before this one that was refused
        raise InputError(f"{what}: empty, {_FORMATS}")
    if data.startswith(npy_header.MAGIC):
        return Read(values=_checked(_from_npy(data, kind, what), kind, what), extra={})
    if arrow_rows.format_of(data) is not None:
        with _named(what):
            found = arrow_rows.read(data, kind, most=MOST_ROWS)
        return Read(values=_checked(found.values, kind, what), extra=found.extra)
    return _collected(_rows(data, kind, what), kind, what)


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Say in a refusal which file it is of."""
    try:
        yield
    except InputError as refusal:
        raise InputError(f"{what}: {refusal}") from None


def _rows(data: bytes, kind: Kind, what: str) -> Iterator[Row]:
    with _named(what):
        yield from _text_rows(data, kind)


def _text_rows(data: bytes, kind: Kind) -> Iterator[Row]:
    lines = Lines(data)
    other = next((name for mark, name in _OTHERS.items() if data.startswith(mark)), None)
    if other or not lines.may_be_text:
        found = other or f"unknown format (begins {data[:4].hex(' ')})"
        raise InputError(f"{found}, {_FORMATS}")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise InputError(f"nothing but blank lines, {_FORMATS}")
    read = json_rows.read if first.lstrip()[0] in "{[" else csv_rows.read
    return read(first, lines, kind)


def _collected(rows: Iterator[Row], kind: Kind, what: str) -> Read:
    """All rows as one array, converted in blocks: as Python's numbers they take ten times the memory."""
    parts = [_checked(np.empty((0, kind.width)), kind, what)]
    count, others = 0, Gathering()
    while block := list(itertools.islice(rows, _BLOCK)):
        count += len(block)
        _check_count(count, what)
        values = np.array([row.values for row in block], dtype=np.float64)
        parts.append(_checked(values, kind, what, block))
        for row in block:
            others.take(row.extra)
    return Read(values=np.concatenate(parts), extra=others.columns)


def _checked(values: Values, kind: Kind, what: str, rows: Sequence[Row] = ()) -> Values:
    """Cells as int8 or finite latents as float32; `rows` say where the values stand in their file."""
    with np.errstate(over="ignore", invalid="ignore"):
        if kind.space is not None:
            *most, last = kind.space.values
            right = functools.reduce(np.logical_or, (values == value for value in kind.space.values))
            expected = f"{', '.join(map(str, most))} or {last}"
        else:
            values = values.astype(np.float32)
            right, expected = np.isfinite(values), "a finite float32"
    if not right.all():
        row, column = np.argwhere(~right)[0]
        word, number = rows[row].place if rows else ("row", row)
        found = f"{values[row, column]:g}"
        raise InputError(
            f"{what}: {word} {number}: column {kind.columns[column]} is {found}, expected {expected}"
        )
    return values if kind.space is None else values.astype(np.int8)


def _check_count(count: int, what: str) -> None:
    if count > MOST_ROWS:
        raise InputError(f"{what}: more than {MOST_ROWS:,} rows, expected at most that many")


def _from_npy(data: bytes, kind: Kind, what: str) -> Values:
    try:
        header = npy_header.read(data)
    except FormatError as refusal:
        raise InputError(f"{what}: {refusal}") from None
    shape, dtype = header.shape, _NUMBERS.fullmatch(header.dtype)
    if len(shape) != 2 or shape[1] != kind.width:
        raise InputError(f"{what}: shape is {short(str(shape))}, expected (n, {kind.width})")
    if dtype is None:
        raise InputError(f"{what}: dtype is {header.dtype}, expected integers or floats of at most 8 bytes")
    count, found = shape[0] * shape[1], len(data) - header.start
    size = count * np.dtype(header.dtype).itemsize
    if found != size:
        raise InputError(f"{what}: {found} bytes of values, its header promises {size}")
    _check_count(shape[0], what)
    values = np.frombuffer(data, header.dtype, count, header.start) if size else np.empty(0, header.dtype)
    return values.reshape(shape, order="F" if header.fortran else "C")
