"""
The tables of a meter's file: one set for each license, space, lease and owner; and those of earlier versions.

Version 2 knew one space, that of two-input ternary operations. Version 1 kept one set for each license, too.
Both are read as they are, and upgraded in place by the first call that counts. Whose the sets of version 1
were is not known, so they go on to count for the license's quota, and are reported as sets of an unknown
lease.
"""

import secrets
import sqlite3
from dataclasses import replace
from typing import Final

from ternary_sdk._internal.documents import base64url
from ternary_sdk._internal.licensing.counted import EARLIER, HISTORY_BYTES, Acknowledged, Counted, nothing
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

APPLICATION: Final = 0x7E52_A417
VERSION: Final = 3
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
    bitmap BLOB NOT NULL,
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
    VERSION: ("counted", _COLUMNS),
}
"""The table of each version, and its columns as those of this version."""
_WRITE: Final = f"INSERT OR REPLACE INTO counted ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file."""
    connection.execute(_SCHEMA)
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
    connection.execute(f"PRAGMA user_version = {VERSION}")


def read(connection: sqlite3.Connection, license_id: str) -> list[Counted]:
    """Every set of a license.

    Raises:
        FormatError: If the file is not a meter, or what it holds is not what its table says.
    """
    table, columns = _HELD[version(connection)]
    query = f"SELECT {columns} FROM {table} WHERE license = ? ORDER BY 2, 3, 4"
    rows = connection.execute(query, (license_id,)).fetchall()
    return [found for row in rows if len((found := _counted(row)).operations)]


def chosen(sets: list[Counted], lease: str | None, owner: str | None, space: Space) -> Counted:
    """The set of one lease, owner and space, empty if nothing was counted.

    A license without a lease has one owner as far as this machine can know, so what an older SDK counted
    under it goes on.
    """
    of_space = [one for one in sets if one.space == space]
    for counted in of_space:
        if (counted.lease, counted.owner) == (lease, owner):
            return counted
    earlier = next((one for one in of_space if one.lease is lease is None and one.owner is None), None)
    return nothing(lease, owner, space) if earlier is None else replace(earlier, owner=owner)


def grow(connection: sqlite3.Connection, license_id: str, before: Counted, operations: OperationSet) -> None:
    """Write a set with more operations than it has; its sequence goes on by one."""
    history = before.history or base64url.encode(secrets.token_bytes(HISTORY_BYTES))
    grown = before.operations | operations
    write(
        connection,
        license_id,
        replace(before, history=history, sequence=before.sequence + 1, operations=grown),
    )
    if before.lease is None and before.owner is not None:  # its earlier set goes on under its owner's name
        connection.execute(
            "DELETE FROM counted WHERE license = ? AND space = ? AND lease = '' AND owner = ''",
            (license_id, str(before.space)),
        )


def write(connection: sqlite3.Connection, license_id: str, counted: Counted) -> None:
    """Write a set as it is."""
    confirmed = counted.acknowledged
    values = (
        license_id,
        str(counted.space),
        counted.lease or _UNKNOWN,
        counted.owner or _UNKNOWN,
        counted.history,
        counted.sequence,
        counted.operations.to_bytes(),
        confirmed.sha256 if confirmed else None,
        confirmed.operations if confirmed else None,
    )
    connection.execute(_WRITE, values)


def _counted(row: tuple[object, ...]) -> Counted:
    """A row, whatever program wrote it: what another one made need not be STRICT."""
    _, space, lease, owner, history, sequence, bitmap, sha256, operations = row
    if not isinstance(bitmap, bytes):
        raise FormatError(f"bitmap: its SQLite type is {_sqlite_type(bitmap)}, expected blob")
    if not (
        isinstance(space, str)
        and isinstance(lease, str)
        and isinstance(owner, str)
        and isinstance(history, str)
    ):
        raise FormatError("space, lease, owner, history: their SQLite types are not all text")
    if not isinstance(sequence, int):
        raise FormatError(f"sequence: its SQLite type is {_sqlite_type(sequence)}, expected integer")
    confirmed = isinstance(sha256, str) and isinstance(operations, int)
    return Counted(
        lease=lease or None,
        owner=owner or None,
        history=history,
        sequence=sequence,
        operations=OperationSet.from_bytes(bitmap, _space(space)),
        acknowledged=Acknowledged(operations=operations, sha256=sha256) if confirmed else None,  # type: ignore[arg-type]
    )


def _space(text: str) -> Space:
    try:
        space = Space.parse(text)
        space.expect_listed()
    except InputError as refusal:
        raise FormatError(str(refusal)) from None
    return space


def _sqlite_type(value: object) -> str:
    return {str: "text", int: "integer", float: "real", type(None): "null"}.get(type(value), "blob")
