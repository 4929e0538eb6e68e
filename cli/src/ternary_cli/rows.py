"""
Operations and latents as CSV, JSON lines, .npy and a table for people: their columns and their writing.

The names of the columns are the contract that lets ``sample``, ``encode`` and ``decode`` be piped into
one another: ``index``, the cells ``t0``, ``t1``, …, the latents ``z0``, ``z1``, … in CSV; ``index``,
``operation``, ``latent`` in JSON lines. A model's signature says how many there are. A reader
(``row_reader``) takes the columns that it needs and leaves the others.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_cli.kinds import cell_columns, latent_columns
from ternary_cli.options import Format
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices, Space, Tables

Values = npt.NDArray[Any]

_BLOCK: Final = 65_536
_INDEX: Final = ("index",)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a command prints, side by side; every array has n rows."""

    index: Indices | None = None
    """Canonical indices, shape (n,)."""
    operations: Tables | None = None
    """Truth tables, shape (n, cells)."""
    latents: npt.NDArray[np.float32] | None = None
    """Latents, shape (n, latent size)."""
    space: Space | None = None
    """What an index numbers; None where there is none."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return max(len(array) for _, array in _groups(self))


def to_bytes(rows: Rows, form: Format) -> bytes:
    """Write rows in one format, as ``in_parts`` does.

    Raises:
        InputError: If .npy is asked for and there are operations and latents.
    """
    return b"".join(in_parts(blocks(rows), form, count=rows.count))


def blocks(rows: Rows) -> Iterator[Rows]:
    """The same rows in parts, at least one: as text they take up to fifty times the memory."""
    for start in range(0, max(1, rows.count), _BLOCK):
        end = start + _BLOCK
        yield Rows(
            index=None if rows.index is None else rows.index[start:end],
            operations=None if rows.operations is None else rows.operations[start:end],
            latents=None if rows.latents is None else rows.latents[start:end],
            space=rows.space,
        )


def in_parts(parts: Iterable[Rows], form: Format, *, count: int) -> Iterator[bytes]:
    """Write rows in one format, each part when it comes.

    CSV and JSON lines carry floats in their shortest form that reads back as the same float32; .npy
    carries exactly one array: operations as int8 or latents as float32.

    Args:
        parts: At least one, all with the same columns.
        form: How.
        count: Rows of all parts together, which .npy says before the first.
    Raises:
        InputError: If .npy is asked for and there are operations and latents.
    """
    write = {Format.NPY: _to_npy, Format.CSV: _to_csv, Format.JSONL: _to_json, Format.TABLE: _to_table}[form]
    for number, part in enumerate(parts):
        heading, body = write(part, count)
        yield heading + body if number == 0 else body


def _to_csv(rows: Rows, _: int) -> tuple[bytes, bytes]:
    names = [name for group, _ in _groups(rows) for name in group]
    texts = [_texts(array, ",") for _, array in _groups(rows)]
    return _lines([",".join(names)]), _lines([",".join(row) for row in zip(*texts, strict=True)])


def _groups(rows: Rows) -> list[tuple[Sequence[str], Values]]:
    groups: list[tuple[Sequence[str], Values]] = []
    if rows.index is not None:
        groups.append((_INDEX, rows.index[:, None]))
    if rows.operations is not None:
        groups.append((cell_columns(rows.operations.shape[1]), rows.operations))
    if rows.latents is not None:
        groups.append((latent_columns(rows.latents.shape[1]), rows.latents))
    return groups


def _texts(array: Values, separator: str) -> list[str]:
    values = array.astype(str) if array.dtype.kind == "f" else array
    return [separator.join(map(str, row)) for row in values.tolist()]


def _to_npy(rows: Rows, count: int) -> tuple[bytes, bytes]:
    if rows.operations is not None and rows.latents is not None:
        raise InputError("npy holds one array, but operations and latents were asked for; use csv or jsonl")
    array = np.ascontiguousarray(rows.latents if rows.operations is None else rows.operations)
    stream = io.BytesIO()
    says = np.lib.format.header_data_from_array_1_0(array) | {"shape": (count, *array.shape[1:])}
    np.lib.format.write_array_header_1_0(stream, says)
    return stream.getvalue(), array.tobytes()


def _to_json(rows: Rows, _: int) -> tuple[bytes, bytes]:
    parts = []
    if rows.index is not None:
        parts.append([f'"index":{value}' for value in rows.index.tolist()])
    if rows.operations is not None:
        parts.append([f'"operation":[{text}]' for text in _texts(rows.operations, ",")])
    if rows.latents is not None:
        parts.append([f'"latent":[{text}]' for text in _texts(rows.latents, ",")])
    return b"", _lines(["{" + ",".join(row) + "}" for row in zip(*parts, strict=True)])


def _to_table(rows: Rows, _: int) -> tuple[bytes, bytes]:
    headers, parts = [], []
    for names, array in _groups(rows):
        cell = "{:7.3f}" if array.dtype.kind == "f" else f"{{:{_digits(names, rows.space)}d}}"
        width = len(cell.format(0))
        headers.append(" ".join(name.rjust(width) for name in names))
        parts.append([" ".join(map(cell.format, row)) for row in array.tolist()])
    return _lines(["  ".join(headers)]), _lines(["  ".join(row) for row in zip(*parts, strict=True)])


def _digits(names: Sequence[str], space: Space | None) -> int:
    """The width of columns of whole numbers in a table: the same in each part, so not that of its numbers."""
    largest = str(space.size - 1) if space is not None and names == _INDEX else ""
    return max(map(len, (*names, largest)))


def _lines(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()
