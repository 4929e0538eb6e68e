"""
Reading operations and latents from CSV, JSON or .npy, told apart by their content.

Files come from other people's programs, so every refusal names the file, the line and what was found.
No pickle is ever read, no memory is taken on the word of a header, and rows become arrays in blocks.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_cli import csv_rows, json_rows, npy_header
from ternary_cli.cells import Row, short
from ternary_cli.kinds import Kind, latents_of, operations_of
from ternary_cli.lines import Lines
from ternary_cli.rows import Values
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import Space, Tables

MOST_BYTES: Final = 256 * 2**20
"""Of a file or of standard input."""
MOST_ROWS: Final = 10_000_000
"""As many as `ternary sample` writes."""

_NUMBERS: Final = re.compile(r"[<>=|]?([iu][1248]|f[248])")
"""The types of an ``.npy`` file that are read, the same on every machine."""
_BLOCK: Final = 4096
_FORMATS: Final = "expected CSV, JSON or .npy"
_OTHERS: Final = {
    b"PK\3\4": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"PAR1": "Parquet",
}


def read_operations(data: bytes, what: str, space: Space) -> Tables:
    """Read operations in whichever of the three formats the bytes are.

    Args:
        data: CSV, JSON or .npy.
        what: Its name in error messages, such as ``rows.csv``.
        space: What they are operations of.
    Returns:
        Values of the space, shape (n, cells).
    Raises:
        InputError: If it is of another format or cut short, or holds anything but operations.
    """
    return _read(data, operations_of(space), what)


def read_latents(data: bytes, what: str, size: int) -> npt.NDArray[np.float32]:
    """Read latents, float32, shape (n, size), in whichever of the three formats the bytes are.

    Raises:
        InputError: If it is of another format or cut short, or holds anything but finite latents.
    """
    return _read(data, latents_of(size), what)


def _read(data: bytes, kind: Kind, what: str) -> Values:
    if not data:  # in a pipe, most likely a command before this one that was refused
        raise InputError(f"{what}: empty, {_FORMATS}")
    if data.startswith(npy_header.MAGIC):
        return _checked(_from_npy(data, kind, what), kind, what)
    return _collected(_rows(data, kind, what), kind, what)


def _rows(data: bytes, kind: Kind, what: str) -> Iterator[Row]:
    try:
        yield from _text_rows(data, kind)
    except InputError as refusal:
        raise InputError(f"{what}: {refusal}") from None


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


def _collected(rows: Iterator[Row], kind: Kind, what: str) -> Values:
    """All rows as one array, converted in blocks: as Python's numbers they take ten times the memory."""
    parts = [_checked(np.empty((0, kind.width)), kind, what)]
    count = 0
    while block := list(itertools.islice(rows, _BLOCK)):
        count += len(block)
        _check_count(count, what)
        values = np.array([row.values for row in block], dtype=np.float64)
        parts.append(_checked(values, kind, what, block))
    return np.concatenate(parts)


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
