"""
Connections to PostgreSQL: how they are made, how a transaction begins on one, and when one is given up.

A transaction's begin says everything that it needs, so nothing stays in a session: PgBouncer may give the
next transaction to another one. The same message asks whether changes are taken here. So it finds out
whether a connection that lay idle still leads to the primary, before anything is done on it.
"""

import math
import time
from collections.abc import Generator
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext

from ternary_license_server.database.errors import DatabaseError, StaleConnectionError, first_line
from ternary_license_server.database.waiting import SILENCE, TOO_LATE, Deadline, Limits

RECYCLE: Final = 300
"""Seconds after which a connection is replaced when it is taken again."""
_CONDEMNED: Final = ("08", "25006", "25P03", "57P01", "57P02", "57P03", "57P05")
"""SQLSTATEs, or their beginnings, after which nothing more is asked on a connection: it is broken, being shut
down, or leads to a server that takes no changes."""


class NoAnswerError(psycopg.OperationalError):
    """The other side is silent. It may be gone without a trace, so the connection is closed."""


class Connected(psycopg.Connection[Any]):
    """A connection on which an answer is waited for only so long, whatever its two ends believe.

    Attributes:
        limit: Seconds for the answers that follow.
        deadline: The end of all of them.
    """

    limit: float = math.inf
    deadline: Deadline | None = None

    def wait(self, gen: Generator[Any, Any, Any], *how: Any, **named: Any) -> Any:
        """Wait as psycopg does, for at most the limit, and a second for the other side's own refusal."""
        return super().wait(self._heard(gen), *how, **named)

    def rollback(self) -> None:
        """Roll back, which is never too late."""
        self.deadline = None
        super().rollback()

    def _heard(self, asking: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """What psycopg waits by, which is woken ten times a second; it is given up where nothing comes."""
        if self.deadline is not None and not self.deadline.left():
            self.pgconn.finish()
            raise NoAnswerError(TOO_LATE)
        seconds = SILENCE + (self.limit if self.deadline is None else self.deadline.left(self.limit))
        end = time.monotonic() + seconds
        try:
            wanted = next(asking)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= end:
                    self.pgconn.finish()
                    raise NoAnswerError(f"no answer for {seconds:.0f} seconds")
                wanted = asking.send(ready)
        except StopIteration as done:
            return done.value


def open_engine(url: URL, connections: int, limits: Limits) -> Engine:
    """Connections to a PostgreSQL database, or to a PgBouncer before one."""
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_recycle=RECYCLE,
        isolation_level="AUTOCOMMIT",  # ``begin`` says how each transaction begins
        use_native_hstore=False,
    )

    def connect(_dialect: object, _record: object, words: list[Any], named: dict[str, Any]) -> Connected:
        arguments: dict[str, Any] = _network(limits) | named
        connection = Connected.connect(*words, **arguments)
        connection.limit = limits.statement
        return connection

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _condemn)
    return engine


def begin(connection: Connection, *, writes: bool, limits: Limits, deadline: Deadline) -> None:
    """Begin a transaction, in one message and its answer.

    Raises:
        StaleConnectionError: If the connection is of no use any more.
        DatabaseError: If the transaction cannot begin.
    """
    driver: Any = connection.connection.driver_connection
    driver.deadline, driver.limit = deadline, limits.lock
    try:
        cursor = driver.execute(_beginning(writes, limits, deadline))
        while cursor.nextset():
            pass
        (read_only,) = cursor.fetchone()
    except NoAnswerError as error:
        raise DatabaseError(f"database: cannot be used ({first_line(error)})") from error
    except psycopg.Error as error:
        stale = driver.closed or _is_condemned(error)
        kind = StaleConnectionError if stale else DatabaseError
        raise kind(f"database: cannot be used ({first_line(error)})") from error
    if read_only == "on":
        raise StaleConnectionError("database: takes no changes; it is a standby, or was made read-only")
    driver.limit = limits.statement


def _beginning(writes: bool, limits: Limits, deadline: Deadline) -> str:
    level = "" if writes else " ISOLATION LEVEL REPEATABLE READ"
    left = deadline.left()
    settings = {
        "statement_timeout": min(limits.statement, left),
        "lock_timeout": min(limits.lock, left),
        "idle_in_transaction_session_timeout": left,
    }
    told = "".join(f"; SET LOCAL {name} = {_milliseconds(value)}" for name, value in settings.items())
    return f"BEGIN{level}{told}; SHOW transaction_read_only"


def _milliseconds(seconds: float) -> int:
    """As PostgreSQL takes it: 0 is no limit."""
    return 0 if math.isinf(seconds) else max(1, round(1000 * seconds))


def _network(limits: Limits) -> dict[str, Any]:
    """What this machine is told about connections; what the address says about them holds before it."""
    quiet = 5 if math.isinf(limits.lock) else max(1, round(limits.lock))
    return {
        "connect_timeout": max(1, round(limits.connect)),
        "keepalives": 1,
        "keepalives_idle": quiet,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * (quiet + 6),
        "target_session_attrs": "read-write",
        "prepare_threshold": None,  # PgBouncer would let another client's statement answer
    }


def _is_condemned(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None) or ""
    return state.startswith(_CONDEMNED)


def _condemn(context: ExceptionContext) -> None:
    """Have a connection, and those made before it, replaced after what says that they are of no use."""
    if _is_condemned(context.original_exception):
        context.is_disconnect = True
