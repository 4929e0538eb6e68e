"""
How many seats of a license are taken, kept beside the license so that nobody reads who holds them.

A row says how many leases were not given back and end after a moment. Whoever begins, gives back or frees a
lease changes it, with the license's row locked. Leases also end by the clock; those that have ended since the
moment are taken off only where it matters, when no seat seems to be free, and by an index. A license that has
no row is counted whole, once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, select, update

from ternary_license_server.database import dialects
from ternary_license_server.database.schema import leases, seat_counts
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import seconds

_KEPT: Final = and_(leases.c.license == bindparam("of_license"), leases.c.released.is_(None))
_AFTER: Final = select(func.count()).where(_KEPT, leases.c.ends > bindparam("since"))
_BETWEEN: Final = _AFTER.where(leases.c.ends <= bindparam("at"))
_THIS: Final = seat_counts.c.license == bindparam("of_license")
_FIND: Final = select(seat_counts).where(_THIS)


def _keep(dialect: str) -> Any:
    insert = dialects.insert(dialect, seat_counts)
    changed = {name: insert.excluded[name] for name in ("taken", "since")}
    return insert.on_conflict_do_update(index_elements=[seat_counts.c.license], set_=changed)


_KEEP: Final = {name: _keep(name) for name in dialects.NAMES}
_LESS: Final = update(seat_counts).where(_THIS).values(taken=seat_counts.c.taken - 1)


@dataclass(frozen=True, kw_only=True)
class SeatCount:
    """Leases of a license that were not given back and end after a moment."""

    license: str
    """The license's id."""
    taken: int
    """How many."""
    since: int
    """The moment, in seconds since 1970-01-01 UTC."""

    def has(self, lease: Lease | None) -> bool:
        """Whether a lease of the license is among them."""
        return lease is not None and lease.released is None and seconds(lease.ends) > self.since

    def others(self, lease: Lease | None) -> int:
        """How many there are beside a lease."""
        return self.taken - self.has(lease)


def find(transaction: Transaction, license_id: str, now: datetime) -> SeatCount:
    """The count as it is kept; no less than the seats that are taken now."""
    row = transaction.execute(_FIND, {"of_license": license_id}).one_or_none()
    return SeatCount(**row._mapping) if row is not None else _whole(transaction, license_id, now)


def at(transaction: Transaction, count: SeatCount, now: datetime) -> SeatCount:
    """The count at this moment: without the leases that have ended meanwhile."""
    asked = {"of_license": count.license, "since": count.since, "at": seconds(now)}
    ended = transaction.execute(_BETWEEN, asked).scalar_one()
    return replace(count, taken=count.taken - ended, since=max(count.since, seconds(now)))


def keep(transaction: Transaction, count: SeatCount) -> None:
    """Write a count down."""
    transaction.execute(_KEEP[transaction.dialect], vars(count))


def less_one(transaction: Transaction, license_id: str) -> None:
    """Take a lease off that ends now instead of later."""
    transaction.execute(_LESS, {"of_license": license_id})


def forget(transaction: Transaction, license_id: str) -> None:
    """Let a license be counted whole again, because its leases were not counted for a time."""
    transaction.execute(delete(seat_counts).where(seat_counts.c.license == license_id))


def _whole(transaction: Transaction, license_id: str, now: datetime) -> SeatCount:
    asked = {"of_license": license_id, "since": seconds(now)}
    taken = transaction.execute(_AFTER, asked).scalar_one()
    return SeatCount(license=license_id, taken=taken, since=seconds(now))
