"""
Reading operations and latents from CSV, JSON lines or .npy, told apart by their content.

Files come from other people's programs, so every refusal names the file, the line and what was found.
No pickle is ever read, and no memory is taken on the word of a header.
"""

import csv
import io
import json
import re
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_cli import npy_header
from ternary_cli.rows import LATENT, OPERATION, Kind, Values
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import as_trits

_NUMBERS: Final = re.compile(r"[<>=|]?([iu][1248]|f[248])")
"""The types of an ``.npy`` file that are read, the same on every machine."""


def read_operations(data: bytes, what: str) -> npt.NDArray[np.int8]:
    """Read operations in whichever of the three formats the bytes are.

    Args:
        data: CSV, JSON lines or .npy.
        what: Its name in error messages, such as ``rows.csv``.
    Returns:
        Trits in {-1, 0, +1}, shape (n, 9).
    Raises:
        InputError: If it is no such format, is cut short, holds no column of trits or anything but trits.
    """
    values = _read(data, OPERATION, what)
    try:
        with np.errstate(invalid="ignore"):
            return as_trits(values)
    except InputError as refusal:
        raise InputError(f"{what}: {refusal}") from None


def read_latents(data: bytes, what: str) -> npt.NDArray[np.float32]:
    """Read latents, float32, shape (n, 16), in whichever of the three formats the bytes are.

    Raises:
        InputError: If it is no such format, is cut short, holds no latents, or one that is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        latents = _read(data, LATENT, what).astype(np.float32)
    wrong = ~np.isfinite(latents)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        found = latents[row, column]
        raise InputError(f"{what}: latents: row {row}, column {column} is {found}, expected a finite float32")
    return latents


def _read(data: bytes, kind: Kind, what: str) -> Values:
    if not data:  # in a pipe, most likely a command before this one that was refused
        raise InputError(f"{what}: empty, expected CSV, JSON lines or .npy")
    if data.startswith(npy_header.MAGIC):
        return _from_npy(data, kind, what)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        start = data[:4].hex(" ")
        raise InputError(f"{what}: unknown format (begins {start}), expected CSV, JSON lines or .npy")
    if text.lstrip()[:1] in ("{", "["):
        return _from_jsonl(text, kind, what)
    return _from_csv(text, kind, what)


def _from_npy(data: bytes, kind: Kind, what: str) -> Values:
    try:
        header = npy_header.read(data)
    except FormatError as refusal:
        raise InputError(f"{what}: {refusal}") from None
    shape, dtype = header.shape, _NUMBERS.fullmatch(header.dtype)
    if len(shape) != 2 or shape[1] != kind.width:
        raise InputError(f"{what}: shape is {_shown(shape)}, expected (n, {kind.width})")
    if dtype is None:
        raise InputError(f"{what}: dtype is {header.dtype}, expected integers or floats of at most 8 bytes")
    count, found = shape[0] * shape[1], len(data) - header.start
    size = count * np.dtype(header.dtype).itemsize
    if found != size:
        raise InputError(f"{what}: {found} bytes of values, its header promises {size}")
    values = np.frombuffer(data, header.dtype, count, header.start) if size else np.empty(0, header.dtype)
    return values.reshape(shape, order="F" if header.fortran else "C")


def _from_jsonl(text: str, kind: Kind, what: str) -> Values:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            rows.append(_json_row(line, kind, f"{what}: line {number}"))
    return np.array(rows, dtype=np.float64).reshape(-1, kind.width)


def _json_row(line: str, kind: Kind, where: str) -> list[float]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is not JSON: {_shown(line.strip())}") from None
    if isinstance(value, dict):
        if kind.member not in value:
            raise InputError(f"{where} has no member {kind.member!r}")
        value = value[kind.member]
    numbers = isinstance(value, list) and all(type(entry) in (int, float) for entry in value)
    if not numbers or len(value) != kind.width:
        raise InputError(f"{where} holds {_shown(value)}, expected a list of {kind.width} numbers")
    try:
        return [float(entry) for entry in value]
    except OverflowError:
        raise InputError(f"{where} holds an integer too large for any number format") from None


def _from_csv(text: str, kind: Kind, what: str) -> Values:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        records = [(reader.line_num, record) for record in reader if record]
    except csv.Error as error:
        raise InputError(f"{what}: not CSV ({error})") from None
    if not records:
        raise InputError(f"{what}: nothing but blank lines, expected CSV, JSON lines or .npy")
    header = [name.strip() for name in records[0][1]]
    columns = _csv_columns(header, kind, what)
    for line, record in records:
        if len(record) != len(header):
            raise InputError(f"{what}: line {line} has {len(record)} cells, expected {len(header)}")
    body = records if _all_numbers(header) else records[1:]
    cells = [[record[column] for column in columns] for _, record in body]
    try:
        return np.array(cells, dtype=np.float64).reshape(-1, kind.width)
    except ValueError:
        place = next(
            (i, k) for i, row in enumerate(cells) for k in range(kind.width) if not _all_numbers([row[k]])
        )
    line, column, found = body[place[0]][0], kind.columns[place[1]], _shown(cells[place[0]][place[1]])
    raise InputError(f"{what}: line {line}, column {column} is {found}, expected a number")


def _csv_columns(header: list[str], kind: Kind, what: str) -> list[int]:
    if _all_numbers(header):
        if len(header) != kind.width:
            raise InputError(f"{what}: {len(header)} columns without names, expected {kind.width} ({kind})")
        return list(range(kind.width))
    for name in kind.columns:
        if header.count(name) != 1:
            state = "is missing" if name not in header else "appears twice"
            found = _shown(",".join(header))
            raise InputError(f"{what}: column {name} {state}; found {found}, expected {kind}")
    return [header.index(name) for name in kind.columns]


def _all_numbers(cells: list[str]) -> bool:
    try:
        np.array(cells, dtype=np.float64)
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
