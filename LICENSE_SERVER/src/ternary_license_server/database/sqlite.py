"""
Connections to a SQLite file: how they are made, how a transaction begins, and whether the file is still it.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from ternary_license_server.database.errors import BusyError, DatabaseError
from ternary_license_server.database.waiting import Deadline, Limits

_STEPS: Final = 100_000
"""Steps of SQLite's machine, some milliseconds, after which a statement looks at its deadline."""
_RUNNING: Final = "ternary_running"
_LONGEST: Final = 2_000_000_000
"""Milliseconds that SQLite can be told to wait."""


class OpenedFile:
    """A database file as it was found first. Another may take its name; nobody may write into the old one.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._first: tuple[int, int] | None = None

    def forget(self) -> None:
        """Take the next file for the first one: no connection holds the old one open any more."""
        self._first = None

    def check(self) -> None:
        """Compare the file with the one that was found first.

        Raises:
            DatabaseError: If it is gone, or another one has its name.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            if self._first is None:
                return  # whoever opens it says what is wrong
            raise DatabaseError(f"database {self.path}: is gone ({error.strerror})") from None
        self._first = self._first or (found.st_dev, found.st_ino)
        if self._first != (found.st_dev, found.st_ino):
            raise DatabaseError(
                f"database {self.path}: is another file than the one that was opened; put that one back, or "
                "restart the server"
            )


def open_engine(url: URL, connections: int) -> Engine:
    """Connections to a SQLite file."""
    arguments = {"check_same_thread": False}
    engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args=arguments)
    event.listen(engine, "connect", _set_up)
    return engine


def begin(connection: Connection, *, writes: bool, limits: Limits, deadline: Deadline) -> None:
    """Begin a transaction: one that writes waits for its turn among those of all processes.

    Raises:
        BusyError: If another one writes for longer than is waited.
        OperationalError: If the file cannot be used.
    """
    running: _Running = connection.info[_RUNNING]
    running.deadline = deadline
    wait = round(min(_LONGEST, 1000 * deadline.left(limits.lock)))
    statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        if running.wait != wait:
            running.driver.execute(f"PRAGMA busy_timeout = {wait}")
            running.wait = wait
        running.driver.execute(statement)  # SQLAlchemy would take ten times as long to hand it on
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise OperationalError(statement, None, error) from error
        raise BusyError(
            f"database: another process has kept it locked for {wait / 1000:.3g} seconds"
        ) from error


class _Running:
    """What one connection does: until when its statements may run, and how long it waits for a lock."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver
        self.deadline: Deadline | None = None
        self.wait = -1
        """Milliseconds."""

    def is_late(self) -> bool:
        """Whether the statement that runs must end."""
        return self.deadline is not None and not self.deadline.left()


def _set_up(connection: Any, record: Any) -> None:
    record.info[_RUNNING] = running = _Running(connection)
    connection.isolation_level = None
    connection.set_progress_handler(running.is_late, _STEPS)
    for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {setting}")
