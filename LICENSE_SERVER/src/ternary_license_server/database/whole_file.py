"""
A SQLite file that is whole by itself: nothing that was committed is left in its write-ahead log.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ternary_license_server.database.engine import DatabaseError

_PATIENCE: Final = 10.0
"""Seconds to wait for a writer that is still at work."""


def leave_whole(database: Path) -> None:
    """Move the write-ahead log into the file, and empty it; the last to close removes it.

    For when the server's own processes have ended, in order or not. A log that another program keeps
    open is emptied all the same.

    Raises:
        DatabaseError: If it cannot be done.
    """
    try:
        with closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise DatabaseError(f"database {database}: its log cannot be moved into it ({error})") from None
    if busy:
        raise DatabaseError(
            f"database {database}: another program uses it, so a part is still in {database}-wal; copy it "
            "with 'ternary server backup'"
        )
