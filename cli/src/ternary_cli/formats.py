"""
The formats in which rows are written: the name of each, the ending of its files and its writer.

A format is added here alone. The command line needs the names, so NumPy is imported only where .npy is
written.
"""

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ternary_cli.rows import Rows, Values

Writer = Callable[[Iterable["Rows"], int, Mapping[str, object]], Iterator[bytes]]
"""From the rows in parts, the count of all of them, and what is known of them, to the bytes of the file."""
PartWriter = Callable[["Rows", int], tuple[bytes, bytes]]
"""From a part of the rows and the count of all of them to the part's heading and its body."""

_WIDTH: Final = 80
"""Characters of a line of squares where no terminal says how wide it is."""


def _to_table(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    from ternary_cli.extra_columns import as_text
    from ternary_sdk._internal.documents.legible import shown

    headers, parts = [], []
    for names, array in rows.groups:
        cell = "{:7.3f}" if array.dtype.kind == "f" else f"{{:{rows.digits(names)}d}}"
        width = len(cell.format(0))
        headers.append(" ".join(name.rjust(width) for name in names))
        parts.append([" ".join(map(cell.format, row)) for row in array.tolist()])
    for name, column in rows.extra.items():
        headers.append(shown(name))
        parts.append([shown(text) for text in as_text(column)])
    return _lines(["  ".join(headers)]), _lines(["  ".join(row) for row in zip(*parts, strict=True)])


def _to_csv(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    from ternary_cli.extra_columns import as_text

    names = [name for group, _ in rows.groups for name in group]
    texts = [_texts(array, ",") for _, array in rows.groups]
    heading, lines = ",".join(names), [",".join(row) for row in zip(*texts, strict=True)]
    if rows.extra:
        heading += "," + _quoted([list(rows.extra)])[0]
        others = _quoted(zip(*map(as_text, rows.extra.values()), strict=True))
        lines = [f"{line},{other}" for line, other in zip(lines, others, strict=True)]
    return _lines([heading]), _lines(lines)


def _to_jsonl(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    from ternary_cli.extra_columns import as_json

    parts = []
    if rows.index is not None:
        parts.append([f'"index":{value}' for value in rows.index.tolist()])
    for name, values in rows.figures.items():
        parts.append([f'"{name}":{text}' for text in _texts(values[:, None], "")])
    if rows.operations is not None:
        parts.append([f'"operation":[{text}]' for text in _texts(rows.operations, ",")])
    if rows.latents is not None:
        parts.append([f'"latent":[{text}]' for text in _texts(rows.latents, ",")])
    for name, column in rows.extra.items():
        (member,) = as_json([name])
        parts.append([f"{member}:{value}" for value in as_json(column)])
    return b"", _lines(["{" + ",".join(row) + "}" for row in zip(*parts, strict=True)])


def _to_npy(rows: "Rows", count: int) -> tuple[bytes, bytes]:
    import numpy as np

    from ternary_sdk.errors import InputError

    if rows.operations is not None and rows.latents is not None:
        raise InputError("npy: no room for latents beside operations; use csv or jsonl")
    array: Values = np.ascontiguousarray(rows.latents if rows.operations is None else rows.operations)
    stream = io.BytesIO()
    says = np.lib.format.header_data_from_array_1_0(array) | {"shape": (count, *array.shape[1:])}
    np.lib.format.write_array_header_1_0(stream, says)
    return stream.getvalue(), array.tobytes()


def _to_squares(rows: "Rows", _: int) -> tuple[bytes, bytes]:
    from ternary_cli.square_rows import to_squares

    return b"", _lines(to_squares(rows, shutil.get_terminal_size((_WIDTH, 24)).columns))


def _each(write: PartWriter) -> Writer:
    """The writer of a format whose parts follow one another, under the heading of the first."""

    def in_turn(parts: Iterable["Rows"], count: int, _: Mapping[str, object]) -> Iterator[bytes]:
        for number, part in enumerate(parts):
            heading, body = write(part, count)
            yield heading + body if number == 0 else body

    return in_turn


def _to_parquet(parts: Iterable["Rows"], count: int, facts: Mapping[str, object]) -> Iterator[bytes]:
    from ternary_cli.arrow_writing import to_parquet

    return to_parquet(parts, count, facts)


def _to_arrow(parts: Iterable["Rows"], count: int, facts: Mapping[str, object]) -> Iterator[bytes]:
    from ternary_cli.arrow_writing import to_arrow

    return to_arrow(parts, count, facts)


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table", (".txt",), _each(_to_table), False
    SQUARES = "squares", (), _each(_to_squares), False
    CSV = "csv", (".csv",), _each(_to_csv), False
    JSONL = "jsonl", (".jsonl",), _each(_to_jsonl), False
    NPY = "npy", (".npy",), _each(_to_npy), True
    PARQUET = "parquet", (".parquet",), _to_parquet, True
    ARROW = "arrow", (".arrow", ".feather"), _to_arrow, True

    suffixes: tuple[str, ...]
    """What the names of its files end in; none if it must be asked for."""
    write: Writer
    """Its writer."""
    binary: bool
    """Whether it is not text."""

    def __new__(cls, name: str, suffixes: tuple[str, ...], write: Writer, binary: bool) -> "Format":
        """A format whose value is its name alone."""
        member = str.__new__(cls, name)
        member._value_, member.suffixes, member.write, member.binary = name, suffixes, write, binary
        return member

    @property
    def alone(self) -> bool:
        """Whether it holds operations without latents or other columns beside them."""
        return self in (Format.SQUARES, Format.NPY)

    @property
    def columnar(self) -> bool:
        """Whether a column has one type for all rows."""
        return self in (Format.PARQUET, Format.ARROW)


def to_bytes(rows: "Rows", form: Format) -> bytes:
    """Write rows in one format, as ``in_parts`` does.

    Raises:
        InputError: If .npy is asked for and there are operations and latents.
    """
    return b"".join(in_parts(rows.blocks(), form, count=rows.count))


def in_parts(
    parts: Iterable["Rows"], form: Format, *, count: int, facts: Mapping[str, object] | None = None
) -> Iterator[bytes]:
    """Write rows in one format, each part when it comes.

    CSV and JSON lines carry floats in their shortest form that reads back as the same float32; .npy
    carries exactly one array: operations as int8 or latents as float32.

    Args:
        parts: At least one, all with the same columns.
        form: How.
        count: Rows of all parts together, which .npy says before the first.
        facts: What Parquet and Arrow say of the rows, such as their space.
    Raises:
        InputError: If .npy is asked for and there are operations and latents, or Parquet or Arrow without
            pyarrow.
    """
    return form.write(parts, count, facts or {})


def _texts(array: "Values", separator: str) -> list[str]:
    values: Any = array.astype(str) if array.dtype.kind == "f" else array
    return [separator.join(map(str, row)) for row in values.tolist()]


def _lines(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def _quoted(rows: Iterable[Iterable[str]]) -> list[str]:
    """Rows of CSV, with quotes around the cells that need them."""
    found = []
    for row in rows:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="").writerow(row)
        found.append(stream.getvalue())
    return found
