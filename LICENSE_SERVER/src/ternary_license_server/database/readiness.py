"""
Whether a database takes what requests need of it: its tables fit, and a change is written and kept.

It is asked by a connection that no request waits for, and waits for little (``Database.beside``).
"""

import shutil
from pathlib import Path
from typing import Final

from sqlalchemy import text

from ternary_license_server.database.engine import Database
from ternary_license_server.database.errors import BusyError
from ternary_license_server.database.migration import tables, unfit

LEAST: Final = 32 << 20
"""Bytes that must be free where a SQLite file is: less than that, and a few reports fill it."""
LITTLE: Final = 512 << 20
"""Free bytes from which on there is a warning."""
_COMMITS: Final = text("PRAGMA data_version")


def faults(database: Database) -> list[str]:
    """Everything that keeps a database from its work, a sentence each.

    Raises:
        DatabaseError: If it cannot be used at all.
        ClockError: If its clock has jumped.
    """
    if (refusal := unfit(tables(database))) is not None:
        return [refusal]
    free = room(database.file)
    if free is not None and free < LEAST:
        return [f"database: {free >> 20} MiB are free where it is, expected at least {LEAST >> 20} MiB"]
    _write(database)
    return []


def warnings(database: Database) -> list[str]:
    """What will keep a database from its work soon, a sentence each."""
    free = room(database.file)
    return [] if free is None or free >= LITTLE else [f"database: only {free >> 20} MiB are free where it is"]


def room(file: Path | None) -> int | None:
    """Free bytes where a SQLite file is; None for PostgreSQL, which does not say."""
    return None if file is None else shutil.disk_usage(file.parent).free


def _write(database: Database) -> None:
    """Write the newest moment down, as is done once a minute anyway.

    On SQLite others may be writing one after the other, so that this never has its turn. It has not had it
    for nothing if they commit meanwhile.
    """
    before = _commits(database) if database.sqlite else None
    try:
        with database.write() as transaction:
            transaction.mark_clock()
    except BusyError:
        if before is None or _commits(database) == before:
            raise


def _commits(database: Database) -> int:
    """A number that is another one when others have committed, for the one connection that there is."""
    with database.read() as transaction:
        number: int = transaction.execute(_COMMITS).scalar_one()
        return number
