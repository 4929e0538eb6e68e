"""
The formats in which rows are written: the name of each, the ending of its files and its writer.

A format is added here alone. The command line needs the names, so NumPy is imported only where .npy is
written.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ternary_cli.rows import Rows, Values

Writer = Callable[["Rows", int], tuple[bytes, bytes]]
"""From a part of the rows and the count of all of them to the part's heading and its body."""


def _to_table(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    headers, parts = [], []
    for names, array in rows.groups:
        cell = "{:7.3f}" if array.dtype.kind == "f" else f"{{:{rows.digits(names)}d}}"
        width = len(cell.format(0))
        headers.append(" ".join(name.rjust(width) for name in names))
        parts.append([" ".join(map(cell.format, row)) for row in array.tolist()])
    return _lines(["  ".join(headers)]), _lines(["  ".join(row) for row in zip(*parts, strict=True)])


def _to_csv(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    names = [name for group, _ in rows.groups for name in group]
    texts = [_texts(array, ",") for _, array in rows.groups]
    return _lines([",".join(names)]), _lines([",".join(row) for row in zip(*texts, strict=True)])


def _to_jsonl(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    parts = []
    if rows.index is not None:
        parts.append([f'"index":{value}' for value in rows.index.tolist()])
    for name, values in rows.figures.items():
        parts.append([f'"{name}":{text}' for text in _texts(values[:, None], "")])
    if rows.operations is not None:
        parts.append([f'"operation":[{text}]' for text in _texts(rows.operations, ",")])
    if rows.latents is not None:
        parts.append([f'"latent":[{text}]' for text in _texts(rows.latents, ",")])
    return b"", _lines(["{" + ",".join(row) + "}" for row in zip(*parts, strict=True)])


def _to_npy(rows: "Rows", count: int) -> tuple[bytes, bytes]:
    import numpy as np

    from ternary_sdk.errors import InputError

    if rows.operations is not None and rows.latents is not None:
        raise InputError("npy holds one array, but operations and latents were asked for; use csv or jsonl")
    array: Values = np.ascontiguousarray(rows.latents if rows.operations is None else rows.operations)
    stream = io.BytesIO()
    says = np.lib.format.header_data_from_array_1_0(array) | {"shape": (count, *array.shape[1:])}
    np.lib.format.write_array_header_1_0(stream, says)
    return stream.getvalue(), array.tobytes()


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table", ".txt", _to_table
    CSV = "csv", ".csv", _to_csv
    JSONL = "jsonl", ".jsonl", _to_jsonl
    NPY = "npy", ".npy", _to_npy

    suffix: str
    """What the names of its files end in."""
    write: Writer
    """Its writer."""

    def __new__(cls, name: str, suffix: str, write: Writer) -> "Format":
        """A format whose value is its name alone."""
        member = str.__new__(cls, name)
        member._value_, member.suffix, member.write = name, suffix, write
        return member


def to_bytes(rows: "Rows", form: Format) -> bytes:
    """Write rows in one format, as ``in_parts`` does.

    Raises:
        InputError: If .npy is asked for and there are operations and latents.
    """
    return b"".join(in_parts(rows.blocks(), form, count=rows.count))


def in_parts(parts: Iterable["Rows"], form: Format, *, count: int) -> Iterator[bytes]:
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
    for number, part in enumerate(parts):
        heading, body = form.write(part, count)
        yield heading + body if number == 0 else body


def _texts(array: "Values", separator: str) -> list[str]:
    values: Any = array.astype(str) if array.dtype.kind == "f" else array
    return [separator.join(map(str, row)) for row in values.tolist()]


def _lines(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()
