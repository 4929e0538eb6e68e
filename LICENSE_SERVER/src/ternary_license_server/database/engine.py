"""
One database, SQLite or PostgreSQL, and the kinds of transactions that everything else is written in.

A writing transaction on SQLite begins with ``BEGIN IMMEDIATE``, so that what it reads cannot change before
it writes; on PostgreSQL it locks the rows it decides by. Nothing of SQLAlchemy's own errors gets out, and
nothing waits longer than ``waiting`` says.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from ternary_license_server.database import clock as clocks
from ternary_license_server.database import postgresql, sqlite, waiting
from ternary_license_server.database.clock import Clock, ClockError, Sources
from ternary_license_server.database.errors import BusyError, StaleConnectionError, first_line
from ternary_license_server.database.errors import DatabaseError as DatabaseError
from ternary_license_server.database.errors import RowConflictError as RowConflictError
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.database.waiting import TOO_LATE, Deadline, Limits
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import InputError

_BORN: Final = "ternary_born"
_CHANGES: Final = "other changes of this server"
_REQUESTS: Final = "other requests, which have all connections,"


class Database(ProcessBound):
    """An open database. Safe among threads; each process opens its own, and a forked child is refused.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``.
        connections: Most connections at once.
        clock: This process's hold on the time; by default on the database's own clock.
        limits: How long is waited.
    Raises:
        InputError: If the address names neither.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        connections: int = 20,
        clock: Clock | None = None,
        limits: Limits = waiting.USUAL,
    ) -> None:
        self.clock = clock or Clock(Sources())
        self.url = parse_url(url)
        self.limits = limits
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine: Engine = (
            sqlite.open_engine(self.url, connections)
            if self.sqlite
            else postgresql.open_engine(self.url, connections, limits)
        )
        self._opened = sqlite.OpenedFile(self.file) if self.file is not None else None
        self._places = threading.BoundedSemaphore(connections)
        self._turn = threading.Lock()
        self._condemned = 0.0
        self._beside: list[Database] = []
        self._process = os.getpid()
        event.listen(self.engine, "connect", _note_birth)

    def beside(self, limits: Limits) -> "Database":
        """The same database by a connection of its own, for which no request waits; closed with this one."""
        other = Database(self.url, connections=1, clock=self.clock, limits=limits)
        other._opened = self._opened
        self._beside.append(other)
        return other

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, or leaves no trace if the block raises.

        Raises:
            DatabaseError: If the database cannot be reached, is locked too long, or refuses a row.
        """
        try:
            with self._transaction(True, self.limits, waiting.deadline(self.limits)) as transaction:
                yield transaction
        except ClockError:
            self._note_doubt()
            raise

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads: all of its statements see the database as its first one does.

        Raises:
            DatabaseError: If the database cannot be reached.
        """
        try:
            with self._transaction(False, self.limits, waiting.deadline(self.limits)) as transaction:
                yield transaction
        except ClockError:
            self._note_doubt()
            raise

    @contextmanager
    def maintain(self, limits: Limits = waiting.NONE) -> Iterator[Transaction]:
        """As ``write``, for what is no request: nothing ends it but its own end.

        Raises:
            DatabaseError: If the database cannot be reached, or as ``limits`` say.
        """
        with self._transaction(True, limits, Deadline(limits.request)) as transaction:
            yield transaction

    @contextmanager
    def _transaction(self, writes: bool, limits: Limits, deadline: Deadline) -> Iterator[Transaction]:
        self._check_process()
        if not deadline.left():
            raise DatabaseError(f"database: {TOO_LATE}")
        turn = self._turn if self.sqlite and writes else None
        with _Held(turn, _CHANGES, deadline, limits), _Held(self._places, _REQUESTS, deadline, limits):
            try:
                with (
                    self._begun(writes, limits, deadline) as connection,
                    connection.get_transaction() or connection.begin(),
                ):
                    yield Transaction(connection, self.clock, writes=writes)
            except IntegrityError as error:
                raise RowConflictError(f"database: a row was refused ({first_line(error)})") from error
            except SQLAlchemyError as error:
                raise DatabaseError(f"database: cannot be used ({first_line(error)})") from error

    def _begun(self, writes: bool, limits: Limits, deadline: Deadline) -> Connection:
        """A connection on which a transaction has begun. One that was kept and is stale is replaced, once."""
        if self._opened is not None:
            self._opened.check()
        kind = sqlite if self.sqlite else postgresql
        begin = partial(kind.begin, writes=writes, limits=limits, deadline=deadline)
        try:
            return self._try(begin)
        except StaleConnectionError:
            return self._try(begin)

    def _try(self, begin: Callable[[Connection], None]) -> Connection:
        connection = self.engine.connect()
        try:
            if self._condemned and connection.info[_BORN] <= self._condemned:
                connection.invalidate()  # SQLAlchemy makes another one when it is used
            connection.begin()
            begin(connection)
        except BaseException as error:
            if isinstance(error, DatabaseError) and not isinstance(error, BusyError):
                self._condemned = time.monotonic()
                connection.invalidate(error)
            connection.close()
            raise
        return connection

    def _note_doubt(self) -> None:
        """Write down a doubt of the clock that has ended a transaction, which has left no trace."""
        with suppress(DatabaseError), self.maintain(self.limits) as transaction:
            clocks.note_doubt(transaction.connection)

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
        for other in self._beside:
            other.close()
        self.engine.dispose(close=os.getpid() == self._process)
        if self._opened is not None:
            self._opened.forget()

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
    if url is not None and url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url is not None and url.get_backend_name() == "sqlite" and _names_a_file(url):
        return url.set(drivername="sqlite+pysqlite")
    raise InputError("database: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def _names_a_file(url: URL) -> bool:
    """Whether it is a path and nothing else: SQLite's own options could open the file in another way."""
    return url.database not in (None, "", ":memory:") and not url.query


class _Held:
    """A lock of this process, or one of its places, for the length of a block; None is free for everybody.

    Raises:
        BusyError: When the block begins, if others keep it for too long.
    """

    def __init__(self, lock: Any, who: str, deadline: Deadline, limits: Limits) -> None:
        self._lock, self._who = lock, who
        self._seconds = min(deadline.left(limits.lock), threading.TIMEOUT_MAX)

    def __enter__(self) -> None:
        if self._lock is not None and not self._lock.acquire(timeout=self._seconds):
            raise BusyError(f"database: {self._who} have kept it busy for {self._seconds:.3g} seconds")

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()


def _note_birth(_driver: object, record: Any) -> None:
    record.info[_BORN] = time.monotonic()
