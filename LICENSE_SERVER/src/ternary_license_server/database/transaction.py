"""
An open transaction: its statements, its locks, and the moment at which it decides.

The moment is read after the last lock. A transaction that waited would otherwise decide by the time at which
it began to wait: a lease that ended meanwhile would live on.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, select

from ternary_license_server.database import dialects
from ternary_license_server.database.clock import Clock


@dataclass(frozen=True)
class LockQuery:
    """Rows of one table to be locked; made by ``locking``."""

    query: Select[Any]


def locking(
    table: Table, *columns: Column[Any], where: ColumnElement[bool], shared: bool = False
) -> LockQuery:
    """A query that locks rows of one table.

    There is no join in it by design: after a wait PostgreSQL checks only the locked row again, and a join
    with another table may then miss a row that exists. Whoever needs more reads it in another statement.

    Args:
        table: Whose rows.
        columns: What is read of them; columns of this table.
        where: Which; conditions on this table.
        shared: Whether others may lock the rows like this at the same time.
    """
    query = select(*columns).where(where).with_for_update(read=shared)
    if query.get_final_froms() != [table]:
        raise ValueError(f"a lock of {table.name} names another table")
    return LockQuery(query)


class Transaction:
    """One transaction of a database.

    Attributes:
        connection: What carries it.
        execute: Runs a statement, as SQLAlchemy's connection does.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, connection: Connection, clock: Clock, *, writes: bool) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.dialect = connection.dialect.name
        self._clock, self._writes = clock, writes
        self._now: datetime | None = None
        self._least: datetime | None = None

    @property
    def alone(self) -> bool:
        """Whether no other transaction can write until this one ends, so that it need not lock rows: its wait
        was before its first statement."""
        return self._writes and self.dialect == "sqlite"

    @property
    def clock_time(self) -> datetime:
        """What the clock says now, for the date of a request: no chain holds it up. It decides nothing else.

        Raises:
            ClockError: If the clock has jumped.
        """
        return self._clock.recent(self.connection)

    @property
    def now(self) -> datetime:
        """The moment at which this transaction decides: the same until it locks again.

        Raises:
            ClockError: If the clock has jumped.
        """
        if self._now is None:
            read = self._clock.read if self._writes else self._clock.recent
            self._now = read(self.connection)
        return self._now if self._least is None else max(self._now, self._least)

    def stream(self, query: Select[Any], at_once: int) -> Generator[Row[Any], None, None]:
        """Rows as they are taken, so many in memory at a time; who stops early closes the iterator."""
        with self.execute(query.execution_options(yield_per=at_once)) as found:
            yield from found

    def lock(self, lock: LockQuery, values: Mapping[str, object], *, decides: bool = True) -> Row[Any] | None:
        """Lock one row until the transaction ends; its moment is read anew afterwards.

        Args:
            lock: Which, by the names of parameters.
            values: Their values.
            decides: Whether anything is decided by the row; if not, the moment of the decision stays.
        Returns:
            The row; None if there is none.
        """
        if decides:
            self._now = None
        return self.execute(lock.query, values).one_or_none()

    def not_before(self, moment: datetime) -> None:
        """Let this transaction decide at ``moment`` or later, whatever the clock says."""
        self._least = moment if self._least is None else max(moment, self._least)

    def check_clock(self) -> None:
        """Read the clock anew.

        Raises:
            ClockError: If it has jumped.
        """
        self._clock.read(self.connection)

    def confirm_clock(self, today: date) -> datetime:
        """Believe the clock, because an operator vouches for it.

        Raises:
            InputError: If it says another day than ``today``, in UTC.
        """
        return self._clock.confirm(self.connection, today)

    def mark_clock(self) -> datetime:
        """Write down the newest moment that the database has seen.

        Raises:
            ClockError: If the clock has jumped.
        """
        return self._clock.mark(self.connection)

    def insert(self, table: Table) -> Any:
        """An INSERT that may say what happens on a conflict."""
        return dialects.insert(self.dialect, table)
