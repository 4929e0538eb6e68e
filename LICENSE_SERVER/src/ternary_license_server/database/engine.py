"""
One database, SQLite or PostgreSQL, and the two kinds of transaction that everything else is written in.

A writing transaction on SQLite begins with ``BEGIN IMMEDIATE``, so that what it reads cannot change before
it writes; on PostgreSQL it locks the rows it decides by. Nothing of SQLAlchemy's own errors gets out.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from ternary_license_server.database import clock as clocks
from ternary_license_server.database.clock import Clock, ClockError, Sources
from ternary_license_server.database.transaction import Transaction
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import InputError, TernaryError

PATIENCE: Final = 10
"""Seconds that a statement may wait for a lock or run."""


class DatabaseError(TernaryError):
    """The database cannot be reached or used."""

    code = "DATABASE"


class RowConflictError(DatabaseError):
    """The database's own constraints rule a row out: somebody else was first."""


class Database(ProcessBound):
    """An open database. Safe among threads; each process opens its own, and a forked child is refused.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``.
        connections: Most connections at once.
        clock: This process's hold on the time; by default on the database's own clock.
    Raises:
        InputError: If the address names neither.
    """

    def __init__(self, url: str | URL, *, connections: int = 20, clock: Clock | None = None) -> None:
        self.clock = clock or Clock(Sources())
        self.url = parse_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"connect_args": {"check_same_thread": False}} if self.sqlite else {}
        self.engine: Engine = create_engine(
            self.url, pool_size=connections, max_overflow=0, pool_timeout=PATIENCE, **arguments
        )
        self._turn = threading.Lock() if self.sqlite else None
        self._process = os.getpid()
        event.listen(self.engine, "connect", _set_up_sqlite if self.sqlite else _set_up_postgresql)
        if self.sqlite:
            event.listen(self.engine, "begin", _begin)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, or leaves no trace if the block raises.

        Raises:
            DatabaseError: If the database cannot be reached, is locked too long, or refuses a row.
        """
        self._check_process()
        with self._doubt_noted(), self._writing() as connection:
            yield Transaction(connection, self.clock, writes=True)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads: all of its statements see the database as its first one does.

        Raises:
            DatabaseError: If the database cannot be reached.
        """
        self._check_process()
        with self._doubt_noted(), _translated(), self.engine.connect() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield Transaction(connection, self.clock, writes=False)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turn or nullcontext(), _translated(), self.engine.connect() as connection:
            connection.execution_options(ternary_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _doubt_noted(self) -> Iterator[None]:
        """Write down a doubt of the clock that ends a transaction, once that one has left no trace."""
        try:
            yield
        except ClockError:
            with suppress(DatabaseError), self._writing() as connection:
                clocks.note_doubt(connection)
            raise

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for PostgreSQL."""
        return Path(self.url.database) if self.sqlite and self.url.database else None

    def _check_process(self) -> None:
        """A fork shares connections, and may take over a lock that no thread of the child will release."""
        if os.getpid() != self._process:
            raise DatabaseError(
                f"database: was opened by process {self._process}, this is its child {os.getpid()}; "
                "open it after the fork, in each process"
            )

    def close(self) -> None:
        """Close every connection; in a forked child forget them, since they are the parent's."""
        self.engine.dispose(close=os.getpid() == self._process)

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


def parse_url(text: str | URL) -> URL:
    """Read a database's address.

    Raises:
        InputError: If it is neither a SQLite file nor a PostgreSQL database.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is not None and "\0" in unquote(url.render_as_string(hide_password=False)):
        raise InputError("database: the address holds NUL, which neither a file's name nor a password does")
    if url is not None and url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url is not None and url.get_backend_name() == "sqlite" and _names_a_file(url):
        return url.set(drivername="sqlite+pysqlite")
    raise InputError("database: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def _names_a_file(url: URL) -> bool:
    """Whether it is a path and nothing else: SQLite's own options could open the file in another way."""
    return url.database not in (None, "", ":memory:") and not url.query


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise RowConflictError(f"database: a row was refused ({_first_line(error)})") from error
    except SQLAlchemyError as error:
        raise DatabaseError(f"database: cannot be used ({_first_line(error)})") from error


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0][:200]


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for setting in (
        f"busy_timeout = {1000 * PATIENCE}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {setting}")


def _set_up_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {name} = '{PATIENCE}s'")
    connection.commit()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ternary_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
