"""
Rows as Parquet and as Arrow IPC files, in the columns of ``Draw.to_arrow``: index, operation, latent.

Both are written as rows come, a row group or record batch for each part. What is known of the rows stands in
the metadata: ``ternary.space`` and ``ternary.path``, and of a draw ``ternary.seed`` and ``ternary.set``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ternary_cli.extra_columns import Column
from ternary_sdk._internal.optional import library
from ternary_sdk.errors import InputError

if TYPE_CHECKING:
    from ternary_cli.rows import Rows

PREFIX: Final = "ternary."
"""What the names of our metadata begin with."""
Facts = Mapping[str, object]
"""What is known of all rows, by name; it may grow while rows are drawn."""


def to_parquet(parts: "Iterable[Rows]", _: int, facts: Facts) -> Iterator[bytes]:
    """Parquet, piece by piece. The facts are written at the end, so they may say what was drawn."""
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    sink, writer = _Sink(), None
    for part in parts:
        columns = _columns(arrow, part)
        if writer is None:
            begun = _metadata(facts)
            schema = arrow.table(columns).schema.with_metadata(begun)
            writer = parquet.ParquetWriter(arrow.PythonFile(sink, mode="w"), schema)
        writer.write_table(arrow.table(columns, schema=schema))
        yield sink.taken()
    if writer is not None:
        known = _metadata(facts).items()
        writer.add_key_value_metadata({name: value for name, value in known if name not in begun})
        writer.close()
    yield sink.taken()


def to_arrow(parts: "Iterable[Rows]", _: int, facts: Facts) -> Iterator[bytes]:
    """An Arrow IPC file, also called Feather 2, piece by piece. It begins with the facts known by then."""
    arrow = library("pyarrow")
    sink, writer = _Sink(), None
    for part in parts:
        columns = _columns(arrow, part)
        if writer is None:
            schema = arrow.table(columns).schema.with_metadata(_metadata(facts))
            writer = arrow.ipc.new_file(arrow.PythonFile(sink, mode="w"), schema)
        writer.write_table(arrow.table(columns, schema=schema))
        yield sink.taken()
    if writer is not None:
        writer.close()
    yield sink.taken()


def typed(extra: Mapping[str, Column]) -> dict[str, Column]:
    """Columns as arrays of pyarrow, each of one type for all its rows.

    Raises:
        InputError: If a column holds values of different kinds, or pyarrow is not installed.
    """
    arrow = library("pyarrow")
    found = dict[str, Column]()
    for name, column in extra.items():
        try:
            known = isinstance(column, arrow.Array | arrow.ChunkedArray)
            found[name] = column if known else arrow.array(column)
        except (arrow.ArrowException, OverflowError, ValueError, TypeError):
            raise InputError(
                f"column {name[:40]!r} holds values of different kinds, which Parquet cannot; use jsonl"
            ) from None
    return found


def _columns(arrow: Any, part: "Rows") -> dict[str, Any]:
    """The columns of some rows, ours first."""
    columns = dict[str, Any]()
    if part.index is not None:
        columns["index"] = arrow.array(part.index)
    for name, values in (("operation", part.operations), ("latent", part.latents)):
        if values is not None:
            flat = arrow.array(values.reshape(-1))
            columns[name] = arrow.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return columns | typed(part.extra)


def _metadata(facts: Facts) -> dict[str, str]:
    return {f"{PREFIX}{name}": str(value) for name, value in facts.items()}


class _Sink:
    """A file that is only written to: what was written since it was last taken."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._end = 0

    def write(self, data: Any) -> int:
        """Append bytes."""
        piece = bytes(data)
        self._written.append(piece)
        self._end += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written in all."""
        return self._end

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> bytes:
        """What is new."""
        piece = b"".join(self._written)
        self._written.clear()
        return piece
