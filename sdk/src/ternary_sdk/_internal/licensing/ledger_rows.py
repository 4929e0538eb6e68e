"""
The tables of a meter's file: one set for each license, space, lease and owner; and those of earlier versions.

A set of a listed space is a bitmap in its row, one of a vast space has ``segments``. Version 3 knew no vast
spaces, version 2 one space, that of two-input ternary operations, and version 1 kept one set for each
license. They are read as they are, and upgraded in place by the first call that counts. Whose the sets of
version 1 were is not known, so they go on to count for the license's quota, and are reported as sets of an
unknown lease.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ternary_sdk._internal.documents import base64url
from ternary_sdk._internal.licensing import segments
from ternary_sdk._internal.licensing.counted import EARLIER, HISTORY_BYTES, Acknowledged, Growth
from ternary_sdk._internal.licensing.ledger_sets import Bitmap, Members, Row
from ternary_sdk._internal.licensing.segments import Segmented
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

APPLICATION: Final = 0x7E52_A417
VERSION: Final = 4
_LISTED_SPACES: Final = 3
_ONE_SPACE: Final = 2
_ONE_SET_EACH: Final = 1
_UNKNOWN: Final = ""
_SCHEMA: Final = """
CREATE TABLE counted (
    license TEXT NOT NULL,
    space TEXT NOT NULL,
    lease TEXT NOT NULL,
    owner TEXT NOT NULL,
    history TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    bitmap BLOB,
    acknowledged TEXT,
    acknowledged_operations INTEGER,
    PRIMARY KEY (license, space, lease, owner)
) STRICT, WITHOUT ROWID
"""
_SET: Final = "lease, owner, history, sequence, bitmap, acknowledged, acknowledged_operations"
_COLUMNS: Final = f"license, space, {_SET}"
_EARLIEST: Final = f"license, '{TERNARY_2}', '', '', '{EARLIER}', 1, bitmap, NULL, NULL"
_HELD: Final = {
    _ONE_SET_EACH: ("drawn", _EARLIEST),
    _ONE_SPACE: ("counted", f"license, '{TERNARY_2}', {_SET}"),
    _LISTED_SPACES: ("counted", _COLUMNS),
    VERSION: ("counted", _COLUMNS),
}
"""The table of each version, and its columns as those of this version."""
_WRITE: Final = f"INSERT OR REPLACE INTO counted ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file."""
    for statement in (_SCHEMA, segments.TABLE, segments.INDEX):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version(connection: sqlite3.Connection) -> int:
    """Which version a file has.

    Raises:
        FormatError: If it is not a meter, or a newer one.
    """
    application, found = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application != APPLICATION or found not in _HELD:
        raise FormatError(
            f"application {application:#x}, version {found}; expected {APPLICATION:#x}, version {VERSION}"
        )
    return int(found)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a file to this version, in the transaction that is open.

    Raises:
        FormatError: If it is not a meter, or a newer one.
    """
    found = version(connection)
    if found == VERSION:
        return
    table, columns = _HELD[found]
    connection.execute(f"ALTER TABLE {table} RENAME TO before")
    connection.execute(_SCHEMA)
    connection.execute(f"INSERT INTO counted ({_COLUMNS}) SELECT {columns} FROM before")
    connection.execute("DROP TABLE before")
    for statement in (segments.TABLE, segments.INDEX):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def read(connection: sqlite3.Connection, license_id: str) -> list[Row]:
    """Every set of a license that has operations.

    Raises:
        FormatError: If the file is not a meter, or what it holds is not what its table says.
    """
    found = version(connection)
    table, columns = _HELD[found]
    query = f"SELECT {columns} FROM {table} WHERE license = ? ORDER BY 2, 3, 4"
    rows = connection.execute(query, (license_id,)).fetchall()
    read = [_row(connection, row, knows_vast=found == VERSION) for row in rows]
    return [row for row in read if len(row.members)]


def segmented(connection: sqlite3.Connection, history: str) -> Segmented | None:
    """A set of a vast space, by its history; None if there is none.

    Raises:
        FormatError: If what the file holds is not what its table says.
    """
    query = "SELECT space FROM counted WHERE history = ? AND bitmap IS NULL"
    row = connection.execute(query, (history,)).fetchone() if version(connection) == VERSION else None
    return Segmented(connection, history, _space(row[0], knows_vast=True)) if row else None


def chosen(rows: Sequence[Row], lease: str | None, owner: str | None, space: Space) -> Row | None:
    """The set of one lease, owner and space; None if nothing was counted.

    A license without a lease has one owner as far as this machine can know, so what an older SDK counted
    under it goes on.
    """
    of_space = [one for one in rows if one.space == space]
    for row in of_space:
        if (row.lease, row.owner) == (lease, owner):
            return row
    earlier = next((one for one in of_space if one.lease is lease is None and one.owner is None), None)
    return None if earlier is None else replace(earlier, owner=owner)


def grow(
    connection: sqlite3.Connection,
    license_id: str,
    before: Row | None,
    missing: OperationSet,
    *,
    lease: str | None,
    owner: str | None,
) -> None:
    """Write a set with operations that it lacks, or a new one; its sequence goes on by one."""
    space = missing.space
    history = (before and before.history) or base64url.encode(secrets.token_bytes(HISTORY_BYTES))
    growth = Growth(
        lease=lease,
        owner=owner,
        history=history,
        sequence=before.sequence + 1 if before else 1,
        acknowledged=before.acknowledged if before else None,
    )
    bitmap = None
    if space.listed:
        bitmap = (before.members.operations | missing if before else missing).to_bytes()
    else:
        members = before.members if before else None
        segmented = members if isinstance(members, Segmented) else Segmented(connection, history, space)
        segmented.append(missing.indices.astype(np.int64, copy=False))
    _write(connection, license_id, growth, space, bitmap)
    if lease is None and owner is not None:  # its earlier set goes on under its owner's name
        connection.execute(
            "DELETE FROM counted WHERE license = ? AND space = ? AND lease = '' AND owner = ''",
            (license_id, str(space)),
        )


def acknowledge(
    connection: sqlite3.Connection,
    license_id: str,
    row: Row,
    confirmed: OperationSet,
    after: Acknowledged | None,
) -> None:
    """Keep what the server has of a set.

    Args:
        connection: The file, in a transaction.
        license_id: The license.
        row: The set as it is.
        confirmed: The operations that it acknowledged with this answer.
        after: The set that it has now; None if none of this set.
    """
    bitmap = None
    if isinstance(row.members, Segmented):
        if after is None:
            row.members.doubt()
        elif len(confirmed):
            row.members.confirm(confirmed)
    else:
        bitmap = row.members.operations.to_bytes()
    _write(connection, license_id, replace(row, acknowledged=after), row.space, bitmap)


def _write(
    connection: sqlite3.Connection, license_id: str, growth: Growth, space: Space, bitmap: bytes | None
) -> None:
    confirmed = growth.acknowledged
    values = (
        license_id,
        str(space),
        growth.lease or _UNKNOWN,
        growth.owner or _UNKNOWN,
        growth.history,
        growth.sequence,
        bitmap,
        confirmed.sha256 if confirmed else None,
        confirmed.operations if confirmed else None,
    )
    connection.execute(_WRITE, values)


def _row(connection: sqlite3.Connection, row: tuple[object, ...], *, knows_vast: bool) -> Row:
    """A row, whatever program wrote it: what another one made need not be STRICT."""
    _, space, lease, owner, history, sequence, bitmap, sha256, operations = row
    if not (
        isinstance(space, str)
        and isinstance(lease, str)
        and isinstance(owner, str)
        and isinstance(history, str)
    ):
        raise FormatError("space, lease, owner, history: their SQLite types are not all text")
    if not isinstance(sequence, int):
        raise FormatError(f"sequence: its SQLite type is {_sqlite_type(sequence)}, expected integer")
    of = _space(space, knows_vast=knows_vast)
    expected = "blob" if of.listed else "null"
    if _sqlite_type(bitmap) != expected:
        raise FormatError(f"bitmap: its SQLite type is {_sqlite_type(bitmap)}, expected {expected}")
    members: Members = (
        Bitmap(OperationSet.from_bytes(bitmap, of))
        if isinstance(bitmap, bytes)
        else Segmented(connection, history, of)
    )
    if not of.listed and not len(members):
        raise FormatError("segments: there are none of a set that has operations")
    confirmed = isinstance(sha256, str) and isinstance(operations, int)
    return Row(
        lease=lease or None,
        owner=owner or None,
        history=history,
        sequence=sequence,
        space=of,
        members=members,
        acknowledged=Acknowledged(operations=operations, sha256=sha256) if confirmed else None,  # type: ignore[arg-type]
    )


def _space(text: str, *, knows_vast: bool) -> Space:
    try:
        space = Space.parse(text)
        if not knows_vast:
            space.expect_listed()
    except InputError as refusal:
        raise FormatError(str(refusal)) from None
    return space


def _sqlite_type(value: object) -> str:
    return {str: "text", int: "integer", float: "real", type(None): "null"}.get(type(value), "blob")
