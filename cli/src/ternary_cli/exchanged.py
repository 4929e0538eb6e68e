"""
Operations out of any file that holds some, for the commands that need no model.

A design file says by itself which space its operations are of. Rows do not, unless Parquet or Arrow states
it: they are two-input ternary operations where the command line does not say otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ternary_cli import arrow_rows
from ternary_cli.exchange_options import SOURCES, Source
from ternary_cli.extra_columns import Column
from ternary_cli.files import read as read_file
from ternary_cli.kinds import operations_of
from ternary_cli.row_reader import MOST_BYTES, MOST_ROWS, read
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.exchange import mrcs
from ternary_sdk.errors import InputError
from ternary_sdk.exchange import Gates, from_blif_mv, from_mrcs
from ternary_sdk.logic import from_code
from ternary_sdk.space import TERNARY_2, Space


@dataclass(frozen=True, kw_only=True, eq=False)
class Exchanged:
    """What a file holds."""

    gates: Gates
    source: Source
    """What it was read as."""
    extra: Mapping[str, Column]
    """Columns of rows that pass through to other rows."""


def operations_in(file: Path | None, source: Source | None, space: Space | None) -> Exchanged:
    """Read the operations of a file.

    Args:
        file: Which; None or ``-`` is standard input.
        source: What it is; None finds out by its name and its content.
        space: What its operations must be of; None leaves it to the file, or is (3, 2) for rows.
    Raises:
        InputError: If it holds operations of another space, or what no reader takes.
        FormatError: If a design file is not total, or not of its format.
    """
    data, name = read_file(file, most=MOST_BYTES)
    source = source or SOURCES.get(Path(name).suffix.lower()) or _by_content(data)
    if source is Source.ROWS:
        return _rows(data, name, space)
    if source is Source.CODES:
        return Exchanged(gates=_codes(data, name, space or TERNARY_2), source=source, extra={})
    gates = (from_mrcs if source is Source.MRCS else from_blif_mv)(data, name)
    if space is not None and gates.space != space:
        raise InputError(f"{name}: operations of the space {gates.space}, expected {space}")
    return Exchanged(gates=gates, source=source, extra={})


def _by_content(data: bytes) -> Source:
    if mrcs.is_mrcs(data):
        return Source.MRCS
    return Source.BLIF_MV if outer.stripped(data).startswith(b".model") else Source.ROWS


def _rows(data: bytes, name: str, space: Space | None) -> Exchanged:
    if space is None and arrow_rows.format_of(data) is not None:
        try:
            space = arrow_rows.space_of(data)
        except InputError as refusal:
            raise InputError(f"{name}: {refusal}") from None
    space = space or TERNARY_2
    found = read(data, operations_of(space), name)
    gates = Gates.of(space.to_index(found.values), space)
    return Exchanged(gates=gates, source=Source.ROWS, extra=found.extra)


def _codes(data: bytes, name: str, space: Space) -> Gates:
    indices = list[int]()
    for number, line in enumerate(outer.text(data, name).splitlines(), 1):
        if not line.strip():
            continue
        if len(indices) == MOST_ROWS:
            raise InputError(f"{name}: more than {MOST_ROWS:,} rows, expected at most that many")
        try:
            indices.append(from_code(line.strip(), space))
        except InputError as refusal:
            raise InputError(f"{name}: line {number}: {refusal}") from None
    return Gates.of(indices, space)
