"""
Seats: the one place where a lease begins, goes on and ends.

Every function here is called with the license's row locked (``records.lock``) in the transaction that
also writes the effect. Whoever counts leases therefore counts all of them, and nobody adds one between
the count and the insert. Leases end by the clock: they are compared with ``now`` whenever they are read,
so a dead machine's seat is free at its lease's end and nothing has to run for that.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from ternary_license_server.database.schema import leases, lost_seats
from ternary_license_server.service.records import LicenseRecord, moment, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk.documents.canonical import Json
from ternary_sdk.errors import LicenseError, Reason

OFFLINE_FACTOR: Final = 2
"""Offline licenses that have not ended yet, given back or not, are at most this many times the seats."""

_MINE: Final = and_(
    leases.c.license == bindparam("of_license"), leases.c.installation == bindparam("of_installation")
)
_FIND: Final = select(leases).where(_MINE)
_UPDATE: Final = update(leases).where(_MINE)
_INSERT: Final = insert(leases)
_OTHERS: Final = and_(
    leases.c.license == bindparam("of_license"),
    leases.c.installation != bindparam("of_installation"),
    leases.c.ends > bindparam("at"),
)
_TAKEN: Final = select(func.count(), func.min(leases.c.ends)).where(_OTHERS, leases.c.released.is_(None))
_OFFLINE: Final = select(func.count()).where(_OTHERS, leases.c.offline)
_ALL: Final = select(leases).where(leases.c.license == bindparam("of_license")).order_by(leases.c.started)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """An installation's hold on a seat."""

    license: str
    """The license's id."""
    installation: str
    """Thumbprint of the installation key."""
    seat: str
    """The seat's number, in every license that is issued for it; another one after it was declared lost."""
    generation: int
    """Counts the activations of this installation; an older one's holder has lost the lease."""
    ends: datetime
    """The seat is free from this moment on."""
    offline: bool
    """Whether it was given to a machine that cannot renew."""
    released: datetime | None
    """When it was given back."""
    machine: str | None
    """The machine's id, where it gave one."""
    started: datetime
    """When this generation began."""

    def holds(self, now: datetime) -> bool:
        """Whether the seat is taken."""
        return self.released is None and now < self.ends

    def facts(self, now: datetime) -> dict[str, Json]:
        """The lease as JSON."""
        return {
            "installation": self.installation,
            "seat": self.seat,
            "generation": self.generation,
            "ends": seconds(self.ends),
            "offline": self.offline,
            "released": seconds(self.released) if self.released else None,
            "machine": self.machine,
            "started": seconds(self.started),
            "live": self.holds(now),
        }


def take(
    transaction: Connection,
    license: LicenseRecord,
    installation: str,
    *,
    machine: str | None,
    offline: bool,
    ends: datetime,
    now: datetime,
) -> Lease:
    """Give an installation a seat, in this order:

    1. the seats that others hold at ``now`` are counted; an installation never counts against itself, and
       one that was here before is nothing special: its own lease may have ended;
    2. offline licenses that others still have are counted, those given back included: a file can be copied
       before it is given back, and this bounds what that gains;
    3. the lease is written with the next generation; a longer hold that this installation already has, as
       an offline license, is not shortened.

    Args:
        transaction: With the license's row locked.
        license: That row.
        installation: Thumbprint of the installation key.
        machine: The machine's id, where it gave one.
        offline: Whether the machine cannot renew.
        ends: When the seat becomes free if nothing is heard.
        now: The present moment, timezone-aware.
    Raises:
        LicenseError: TOO_MANY_MACHINES.
    """
    _check_cap(transaction, license, installation, offline, now)
    mine = find(transaction, license.id, installation)
    if mine is not None and mine.offline and mine.holds(now):
        ends, offline = max(ends, mine.ends), True
    lease = Lease(
        license=license.id,
        installation=installation,
        seat=mine.seat if mine else _number(),
        generation=mine.generation + 1 if mine else 1,
        ends=ends,
        offline=offline,
        released=None,
        machine=machine,
        started=now,
    )
    _write(transaction, lease, new=mine is None)
    return lease


def renew(
    transaction: Connection,
    license: LicenseRecord,
    installation: str,
    generation: int,
    *,
    ends: datetime,
    now: datetime,
) -> Lease:
    """Move a lease's end, if it is still the asker's and has not ended.

    Raises:
        LicenseError: LEASE_LOST; an ended lease is never revived, its seat may be another's by now.
    """
    lease = _held(transaction, license, installation, generation, now)
    renewed = max(ends, lease.ends) if lease.offline else ends
    _change(transaction, lease, ends=seconds(renewed))
    return replace(lease, ends=renewed)


def release(
    transaction: Connection, license: LicenseRecord, installation: str, generation: int, now: datetime
) -> Lease:
    """Free the seat.

    Raises:
        LicenseError: LEASE_LOST, if the asker does not hold it.
    """
    lease = _held(transaction, license, installation, generation, now)
    _change(transaction, lease, released=seconds(now))
    return replace(lease, released=now)


def free(transaction: Connection, license: LicenseRecord, seat: str, reason: str, now: datetime) -> Lease:
    """Free the seat of a machine that the vendor declares lost, before its lease has ended.

    Nobody proves that the machine has forgotten its license; therefore that one is revoked, by the seat's
    number, and the seat gets another. A machine that never learns of it runs on to its license's end: an
    offline license counts as ``take`` says, freed or not.

    Args:
        transaction: With the license's row locked.
        license: That row.
        seat: The seat's number.
        reason: What the vendor states.
        now: The present moment, timezone-aware.
    Returns:
        The lease as it was.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if nobody holds that seat.
    """
    lease = _numbered(transaction, license, seat)
    if not lease.holds(now):
        since = (
            f"was given back on {utc(lease.released)}" if lease.released else f"ended on {utc(lease.ends)}"
        )
        raise ServiceError(Code.CONFLICT, f"license {license.id}: seat {seat} is free already, it {since}")
    stated = {"seat": seat, "license": license.id, "installation": lease.installation, "reason": reason}
    transaction.execute(insert(lost_seats), stated | {"revoked": seconds(now)})
    _change(transaction, lease, released=seconds(now), seat=_number())
    return lease


def disown(transaction: Connection, license: LicenseRecord) -> None:
    """Let no present holder renew; their seats stay taken until their leases end."""
    transaction.execute(
        update(leases).where(leases.c.license == license.id).values(generation=leases.c.generation + 1)
    )


def find(transaction: Connection, license_id: str, installation: str) -> Lease | None:
    """An installation's lease, live or not; None if it never had one."""
    mine = {"of_license": license_id, "of_installation": installation}
    row = transaction.execute(_FIND, mine).one_or_none()
    return None if row is None else _lease(dict(row._mapping))


def every(transaction: Connection, license_id: str) -> list[Lease]:
    """Every lease of a license, the oldest first."""
    return [_lease(dict(row._mapping)) for row in transaction.execute(_ALL, {"of_license": license_id})]


def _check_cap(
    transaction: Connection, license: LicenseRecord, installation: str, offline: bool, now: datetime
) -> None:
    if license.seats is None:
        return
    others = {"of_license": license.id, "of_installation": installation, "at": seconds(now)}
    taken, next_free = transaction.execute(_TAKEN, others).one()
    if taken >= license.seats:
        raise LicenseError(
            Reason.TOO_MANY_MACHINES,
            f"license {license.id}: {_count(license.seats)} taken; the next is free on "
            f"{utc(moment(next_free))}, or when a machine gives its own back",
        )
    if offline and transaction.execute(_OFFLINE, others).scalar_one() >= OFFLINE_FACTOR * license.seats:
        raise LicenseError(
            Reason.TOO_MANY_MACHINES,
            f"license {license.id}: {OFFLINE_FACTOR * license.seats} offline licenses have not ended yet, "
            "those given back included; wait for one to end, or activate online",
        )


def _numbered(transaction: Connection, license: LicenseRecord, seat: str) -> Lease:
    this = (leases.c.license == license.id) & (leases.c.seat == seat)
    row = transaction.execute(select(leases).where(this)).one_or_none()
    if row is not None:
        return _lease(dict(row._mapping))
    lost = (lost_seats.c.license == license.id) & (lost_seats.c.seat == seat)
    freed = transaction.execute(select(lost_seats.c.revoked).where(lost)).scalar_one_or_none()
    if freed is None:
        raise ServiceError(Code.UNKNOWN, f"license {license.id}: has no seat {seat}")
    raise ServiceError(
        Code.CONFLICT, f"license {license.id}: seat {seat} was declared lost already, on {utc(moment(freed))}"
    )


def _held(
    transaction: Connection, license: LicenseRecord, installation: str, generation: int, now: datetime
) -> Lease:
    lease = find(transaction, license.id, installation)
    if lease is None:
        raise _lost(license, "it never had one")
    if lease.generation != generation:
        raise _lost(license, f"generation {generation} is no longer the current one")
    if lease.released is not None:
        raise _lost(license, f"it was given back on {utc(lease.released)}")
    if now >= lease.ends:
        raise _lost(license, f"it ended on {utc(lease.ends)}")
    return lease


def _lost(license: LicenseRecord, why: str) -> LicenseError:
    return LicenseError(
        Reason.LEASE_LOST, f"license {license.id}: this machine holds no seat, {why}; activate again"
    )


def _write(transaction: Connection, lease: Lease, *, new: bool) -> None:
    values = vars(lease) | {
        "ends": seconds(lease.ends),
        "started": seconds(lease.started),
        "released": None,
    }
    if new:
        transaction.execute(_INSERT, values)
    else:
        _change(transaction, lease, **values)


def _change(transaction: Connection, lease: Lease, **values: object) -> None:
    mine = {"of_license": lease.license, "of_installation": lease.installation}
    transaction.execute(_UPDATE, mine | values)


def _lease(row: dict[str, object]) -> Lease:
    released = row["released"]
    times = {
        "ends": moment(int(str(row["ends"]))),
        "started": moment(int(str(row["started"]))),
        "released": None if released is None else moment(int(str(released))),
    }
    return Lease(**{**row, **times})  # type: ignore[arg-type]


def _number() -> str:
    return f"S-{secrets.token_hex(12)}"


def _count(number: int) -> str:
    return "its one seat is" if number == 1 else f"all {number} seats are"
