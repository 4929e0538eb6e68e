"""
The one clock of a server: where its time comes from, and when that time is not believed.

On PostgreSQL it is the database's clock, so replicas cannot differ; on SQLite it is the system's. Each
process keeps its last reading and the seconds that have gone by since. A reading that does not agree with
both is a jump. What happens then is decided here, and nowhere else (docs/adr/0015-a-clock-may-not-jump.md).
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select, update

from ternary_license_server.database import dialects
from ternary_license_server.database.schema import clock as marks
from ternary_sdk.errors import InputError, TernaryError

JUMP: Final = timedelta(hours=1)
"""How far a reading may be from what it must be, either way."""
DOWNTIME: Final = timedelta(hours=72)
"""How long a server may have been down, so that it starts without an operator: a long weekend."""
RECENT: Final = 5.0
"""Seconds for which a reading is good enough to tell the time where nothing is written."""


class ClockError(TernaryError):
    """The clock has jumped, so that nobody knows the time. Nothing is decided until an operator does."""


def since_boot() -> float:
    """Seconds that no setting of the clock changes; those of sleep count, where the system counts them."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    else:  # noqa: RET505 - mypy calls what follows unreachable otherwise
        return time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a process reads the time."""

    wall: Callable[[], datetime] | None = None
    """The present moment, timezone-aware; None reads the database's clock, or the system's on SQLite."""
    elapsed: Callable[[], float] = since_boot
    """Seconds since some moment, never set."""


@dataclass(frozen=True)
class _Reading:
    moment: datetime
    elapsed: float


class Clock:
    """A process's hold on the time. Safe among threads.

    Args:
        sources: What is read.
        downtime: Most time that may have gone by unseen when the process starts.
    """

    def __init__(self, sources: Sources, downtime: timedelta = DOWNTIME) -> None:
        self._sources = sources
        self._downtime = downtime
        self._last: _Reading | None = None

    def estimate(self) -> datetime:
        """The present moment, from the last reading and the seconds since; asks no database."""
        last = self._last
        if last is None:
            return (self._sources.wall or _system)()
        return last.moment + timedelta(seconds=self._sources.elapsed() - last.elapsed)

    def recent(self, connection: Connection) -> datetime:
        """The present moment, by a reading that is at most a few seconds old.

        Raises:
            ClockError: If a new reading is needed and is not believed.
        """
        last = self._last
        if last is None or not 0 <= self._sources.elapsed() - last.elapsed <= RECENT:
            return self.read(connection)
        return self.estimate()

    def read(self, connection: Connection) -> datetime:
        """Read the clock.

        1. A process that has read it before compares: more than an hour from the last reading and the
           seconds since, either way, is a jump.
        2. A process that has not compares with the newest moment that the database has seen: more than an
           hour before it is a jump, and so is more than the longest downtime after it. While any process
           is in doubt, more than an hour after it is a jump too: a restart ends no doubt.
        3. After a jump, a reading within an hour of the newest moment is believed again: an operator has
           confirmed it, or the clock was set right.

        Raises:
            ClockError: If it has jumped.
        """
        moment = self._wall(connection)
        if self._last is None:
            _compare(moment, seen(connection), JUMP if in_doubt(connection) else self._downtime)
        elif abs(moment - self.estimate()) > JUMP:
            _compare(moment, seen(connection), JUMP)
        self._last = _Reading(moment, self._sources.elapsed())
        return moment

    def mark(self, connection: Connection) -> datetime:
        """Write down the present moment as the newest that the database has seen; nobody is in doubt now.

        Raises:
            ClockError: If the clock has jumped; the newest moment stays.
        """
        moment = self.read(connection)
        _write(connection, moment)
        return moment

    def confirm(self, connection: Connection, today: date) -> datetime:
        """As ``mark``, whatever the newest moment is: an operator, who knows the day, vouches for the clock.

        Raises:
            InputError: If the clock says another day than ``today``, in UTC.
        """
        moment = self._wall(connection)
        if moment.date() != today:
            raise InputError(f"clock: says {moment:%Y-%m-%d %H:%M:%S} UTC, and you say {today}; set it right")
        _write(connection, moment)
        self._last = _Reading(moment, self._sources.elapsed())
        return moment

    def _wall(self, connection: Connection) -> datetime:
        return self._sources.wall() if self._sources.wall else dialects.clock_time(connection)


def seen(connection: Connection) -> datetime | None:
    """The newest moment that the database has seen; None on a new one."""
    number = connection.execute(select(marks.c.seen)).scalar_one_or_none()
    return None if number is None else datetime.fromtimestamp(number, UTC)


def in_doubt(connection: Connection) -> bool:
    """Whether a process has refused the clock, and nobody has believed it since."""
    return connection.execute(select(marks.c.doubt_since)).scalar_one_or_none() is not None


def note_doubt(connection: Connection) -> None:
    """Write down that the clock is in doubt, for processes that start from now on.

    Args:
        connection: Not the one that the doubt ended, which leaves no trace.
    """
    first = update(marks).where(marks.c.doubt_since.is_(None))
    connection.execute(first.values(doubt_since=marks.c.seen))


def _compare(moment: datetime, newest: datetime | None, ahead: timedelta) -> None:
    if newest is None or -JUMP <= moment - newest <= ahead:
        return
    way = "ahead of" if moment > newest else "behind"
    raise ClockError(
        f"clock: says {moment:%Y-%m-%d %H:%M:%S} UTC, {_rounded(abs(moment - newest))} {way} the newest "
        f"moment that this database has seen, {newest:%Y-%m-%d %H:%M:%S} UTC; set the clock right, or if it "
        "is right, run 'ternary server confirm-clock DATE'"
    )


def _rounded(difference: timedelta) -> str:
    hours = round(difference.total_seconds() / 3600)
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"


def _write(connection: Connection, moment: datetime) -> None:
    row = {"id": 1, "seen": int(moment.timestamp()), "doubt_since": None}
    statement = dialects.insert(connection.dialect.name, marks).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=[marks.c.id], set_=row))


def _system() -> datetime:
    return datetime.now(UTC)
