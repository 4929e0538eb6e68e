"""
Rows in Parquet and in Arrow IPC, as files or as streams: read by pyarrow, and checked in full before use.

Columns are found by name as in CSV. A column of lists holds an operation or a latent in each list.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ternary_cli.arrow_writing import PREFIX
from ternary_cli.cells import Layout, layout
from ternary_cli.extra_columns import Column, passing
from ternary_cli.kinds import Kind
from ternary_cli.rows import Values
from ternary_sdk._internal.optional import library
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

_MARKS: Final = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow"}
_SPACE: Final = f"{PREFIX}space".encode()
_MOST_COLUMNS: Final = 10_000
_PANDAS_INDEX: Final = "__index_level_"
"""What pandas calls its numbers of rows where they have no name."""


@dataclass(frozen=True, kw_only=True)
class ArrowRows:
    """What a file holds."""

    values: Values
    """The numbers of the columns that were read, shape (n, width)."""
    extra: dict[str, Column]
    """The columns that pass through, as pyarrow holds them."""


def format_of(data: bytes) -> str | None:
    """``Parquet`` or ``Arrow``, if bytes begin as one of them does."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)


def read(data: bytes, kind: Kind, *, most: int) -> ArrowRows:
    """Read the rows of a file that ``format_of`` knows.

    Args:
        data: The whole file.
        kind: What a row holds.
        most: Rows above which it is refused.
    Raises:
        InputError: If it cannot be read, is of another space, or a column does not hold what it should, or
            pyarrow is not installed. The message lacks the file.
    """
    table = _table(data, most)
    stated = (table.schema.metadata or {}).get(_SPACE)
    if kind.space is not None and stated is not None and stated != str(kind.space).encode():
        raise InputError(
            f"its metadata says space {stated[:20].decode(errors='replace')}, expected {kind.space}"
        )
    names = table.column_names
    columns = layout(names, kind)
    for name in columns.columns:
        if names.count(name) > 1:
            raise InputError(f"column {name} appears twice, expected once")
    others = passing(tuple(n for n in names if not n.startswith(_PANDAS_INDEX)), columns.columns)
    return ArrowRows(values=_values(table, columns), extra={name: table.column(name) for name in others})


def space_of(data: bytes) -> Space | None:
    """The space that a file's metadata states, or None."""
    stated = (_table(data, 1 << 62).schema.metadata or {}).get(_SPACE)
    return None if stated is None else Space.parse(stated.decode(errors="replace"))


def _table(data: bytes, most: int) -> Any:
    arrow = library("pyarrow")
    with _understood(arrow, format_of(data)):
        source = arrow.BufferReader(data)
        if data.startswith(b"PAR1"):
            file = library("pyarrow.parquet").ParquetFile(source)
            _check_size(file.metadata.num_rows, file.metadata.num_columns, most)
            table = file.read()
        else:
            reader = (arrow.ipc.open_file if data.startswith(b"ARROW1") else arrow.ipc.open_stream)(source)
            table = reader.read_all()
        # Offsets in an IPC file are not checked when it is read.
        table.validate(full=True)
    _check_size(table.num_rows, table.num_columns, most)
    return table


@contextlib.contextmanager
def _understood(arrow: Any, form: str | None) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (arrow.ArrowException, OSError, ValueError, MemoryError, NotImplementedError, KeyError) as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{form} that cannot be read ({reason})") from None


def _check_size(rows: int, columns: int, most: int) -> None:
    if rows > most:
        raise InputError(f"more than {most:,} rows, expected at most that many")
    if columns > _MOST_COLUMNS:
        raise InputError(f"{columns:,} columns, expected at most {_MOST_COLUMNS:,}")


def _values(table: Any, columns: Layout) -> Values:
    arrow = library("pyarrow")
    found = [_decoded(arrow, table.column(name)) for name in columns.columns]
    for name, column in zip(columns.columns, found, strict=True):
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise InputError(f"row {row}: column {name} is null, expected a value")
    if columns.columns == columns.kind.columns:
        for name, column in zip(columns.columns, found, strict=True):
            if not _is_number(arrow, column.type):
                raise InputError(f"column {name} is {column.type}, expected integers or floats")
        return np.column_stack([column.to_numpy() for column in found])
    return _whole(arrow, found[0], columns)


def _whole(arrow: Any, column: Any, columns: Layout) -> Values:
    """The rows of one column that holds each whole."""
    types, kind, name = arrow.types, columns.kind, columns.columns[0]
    is_list = types.is_list(column.type) or types.is_large_list(column.type)
    if is_list or types.is_fixed_size_list(column.type):
        lengths = set(library("pyarrow.compute").list_value_length(column).to_pylist())
        if lengths - {kind.width}:
            found = next(iter(lengths - {kind.width}))
            raise InputError(f"column {name} has a list of {found} numbers, expected {kind.width}")
        flat = arrow.chunked_array([chunk.flatten() for chunk in column.chunks], type=column.type.value_type)
        if flat.null_count or not _is_number(arrow, flat.type):
            what = "nulls" if flat.null_count else str(flat.type)
            raise InputError(f"column {name} has lists of {what}, expected integers or floats")
        return np.asarray(flat.to_numpy()).reshape(-1, kind.width)
    texts = types.is_string(column.type) or types.is_large_string(column.type)
    if not texts and not types.is_integer(column.type):
        raise InputError(f"column {name} is {column.type}, expected lists of {kind.width} numbers")
    rows = []
    for number, cell in enumerate(column.to_pylist()):
        try:
            rows.append(columns.values([cell]))
        except InputError as refusal:
            raise InputError(f"row {number}: {refusal}") from None
    return np.array(rows, np.float64).reshape(-1, kind.width)


def _decoded(arrow: Any, column: Any) -> Any:
    """A column without its dictionary, which pandas makes of categories."""
    if arrow.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _is_number(arrow: Any, of: Any) -> bool:
    return bool(arrow.types.is_integer(of) or arrow.types.is_floating(of))
