"""
Seats: the one place where a lease begins, goes on and ends.

Every function here is called with the license's row locked (``records.lock``) in the transaction that
also writes the effect. Whoever counts leases therefore counts all of them, and nobody adds one between
the count and the insert. Leases end by the clock: they are compared with ``now`` whenever they are read,
so a dead machine's seat is free at its lease's end and nothing has to run for that.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, func, insert, select, update

from ternary_license_server.database.schema import leases, lost_seats
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service import listing, restoring, seat_count
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, moment, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.seat_count import SeatCount
from ternary_sdk._internal.online.request import Action, Request
from ternary_sdk.errors import LicenseError, Reason

OFFLINE_FACTOR: Final = 2
"""Offline licenses that have not ended yet, given back or not, are at most this many times the seats."""

_OTHERS: Final = and_(
    leases.c.license == bindparam("of_license"), leases.c.installation != bindparam("of_installation")
)
_HELD: Final = and_(leases.c.ends > bindparam("at"), leases.c.released.is_(None))
_NEXT_FREE: Final = select(leases.c.ends).where(_OTHERS, _HELD).order_by(leases.c.ends).limit(1)
_OFFLINE: Final = select(func.count()).where(_OTHERS, leases.c.offline_until > bindparam("at"))


def take(
    transaction: Transaction,
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
    2. installations whose offline license has not ended are counted, whatever became of their seat since: a
       file can be copied before it is given back, and this bounds what that gains;
    3. the lease is written with the next generation, and with another number if the last one was disowned; a
       longer hold that this installation already has, as an offline license, is not shortened.

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
        ServiceError: TRY_LATER, if the server was restored and does not know the installation.
    """
    mine = lease_rows.find(transaction, license.id, installation)
    count = _check_cap(transaction, license, installation, mine, offline, now)
    if mine is None:
        restoring.check_newcomer(transaction, license)
    if mine is not None and mine.offline and mine.holds(now):
        ends, offline = max(ends, mine.ends), True
    lease = Lease(
        license=license.id,
        installation=installation,
        seat=mine.seat if mine and mine.disowned is None else lease_rows.number(),
        customer=license.customer,
        disowned=None,
        generation=mine.generation + 1 if mine else 1,
        ends=ends,
        licensed_until=max(ends, mine.licensed_until) if mine else ends,
        offline=offline,
        offline_until=_offline_until(mine, ends if offline else None),
        released=None,
        machine=machine,
        started=now,
        noted=None,
    )
    lease_rows.write(transaction, lease, new=mine is None)
    if count is not None:
        seat_count.keep(transaction, replace(count, taken=count.others(mine) + 1))
    return lease


def renewed(lease: Lease, ends: datetime) -> Lease:
    """A lease that is held, with a later end; that of an offline license is never shortened."""
    ends = max(ends, lease.ends) if lease.offline else ends
    until = _offline_until(lease, ends if lease.offline else None)
    return replace(lease, ends=ends, licensed_until=max(ends, lease.licensed_until), offline_until=until)


def keep_renewed(transaction: Transaction, lease: Lease, *, noted: int) -> None:
    """Write what ``renewed`` gave.

    Args:
        transaction: With the license's row locked.
        lease: The lease with its new end.
        noted: The number of the renewal's row in the license's audit chain.
    """
    lease_rows.change(
        transaction,
        lease,
        ends=seconds(lease.ends),
        licensed_until=seconds(lease.licensed_until),
        offline_until=seconds(lease.offline_until) if lease.offline_until else None,
        noted=noted,
    )


def release(transaction: Transaction, lease: Lease, now: datetime) -> Lease:
    """Free a seat that is taken, a disowned one too."""
    lease_rows.change(transaction, lease, released=seconds(now))
    seat_count.less_one(transaction, lease.license)
    return replace(lease, released=now)


def free(transaction: Transaction, license: LicenseRecord, seat: str, reason: str, now: datetime) -> Lease:
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
        ServiceError: UNKNOWN; CONFLICT, if nobody holds that seat; LIST_FULL.
    """
    lease = _numbered(transaction, license, seat)
    if not lease.holds(now):
        since = (
            f"was given back on {utc(lease.released)}" if lease.released else f"ended on {utc(lease.ends)}"
        )
        raise ServiceError(Code.CONFLICT, f"license {license.id}: seat {seat} is free already, it {since}")
    listing.admit(transaction, f"seat {seat}")
    declare_lost(transaction, lease, reason, now)
    return lease


def declare_lost(transaction: Transaction, lease: Lease, reason: str, now: datetime) -> None:
    """Put a seat on the revocation list, and give its lease another number."""
    stated = {
        "seat": lease.seat,
        "license": lease.license,
        "installation": lease.installation,
        "revoked": seconds(now),
        "until": listing.seat_until(transaction, lease),
        "reason": reason,
    }
    transaction.execute(insert(lost_seats), stated)
    renumbered = replace(lease, seat=lease_rows.number())
    lease_rows.change(transaction, lease, released=seconds(lease.released or now), seat=renumbered.seat)
    lease_rows.remember(transaction, renumbered)
    if lease.holds(now):
        seat_count.less_one(transaction, lease.license)
    else:
        seat_count.forget(transaction, lease.license)


def disown(transaction: Transaction, license: LicenseRecord, now: datetime) -> None:
    """Let no present holder renew; their seats stay taken until their leases end or are given back."""
    theirs = (leases.c.license == license.id) & leases.c.disowned.is_(None)
    transaction.execute(update(leases).where(theirs).values(disowned=seconds(now)))


def refuse_disowned(license: LicenseRecord, lease: Lease) -> None:
    """Refuse the holder of before a transfer.

    Raises:
        LicenseError: LEASE_LOST.
    """
    if lease.disowned is not None:
        raise _lost(license, f"the license was transferred on {utc(lease.disowned)}")


def _offline_until(lease: Lease | None, ends: datetime | None) -> datetime | None:
    """The later of what an installation's offline licenses ran until so far, and the end of another one."""
    return max((end for end in (lease and lease.offline_until, ends) if end), default=None)


def _check_cap(
    transaction: Transaction,
    license: LicenseRecord,
    installation: str,
    mine: Lease | None,
    offline: bool,
    now: datetime,
) -> SeatCount | None:
    """Refuse where every seat is taken by others; the count, which has none where seats are not limited."""
    seats = license.most_seats
    if seats is None:
        return None
    others = {"of_license": license.id, "of_installation": installation, "at": seconds(now)}
    count = seat_count.find(transaction, license.id, now)
    if count.others(mine) >= seats:
        count = seat_count.at(transaction, count, now)
    if count.others(mine) >= seats:
        next_free = transaction.execute(_NEXT_FREE, others).scalar_one()
        raise LicenseError(
            Reason.TOO_MANY_MACHINES,
            f"license {license.id}: {_count(seats)} taken; the next is free on "
            f"{utc(moment(next_free))}, or when a machine gives its own back",
        )
    if offline and transaction.execute(_OFFLINE, others).scalar_one() >= OFFLINE_FACTOR * seats:
        raise LicenseError(
            Reason.TOO_MANY_MACHINES,
            f"license {license.id}: {OFFLINE_FACTOR * seats} offline licenses have not ended yet, "
            "those given back included; wait for one to end, or activate online",
        )
    return count


def _numbered(transaction: Transaction, license: LicenseRecord, seat: str) -> Lease:
    lease = lease_rows.of_seat(transaction, license.id, seat)
    if lease is not None:
        return lease
    lost = (lost_seats.c.license == license.id) & (lost_seats.c.seat == seat)
    freed = transaction.execute(select(lost_seats.c.revoked).where(lost)).scalar_one_or_none()
    if freed is None:
        raise ServiceError(Code.UNKNOWN, f"license {license.id}: has no seat {seat}")
    raise ServiceError(
        Code.CONFLICT, f"license {license.id}: seat {seat} was declared lost already, on {utc(moment(freed))}"
    )


def check_held(license: LicenseRecord, lease: Lease, asked: Request, now: datetime) -> None:
    """Demand that a lease is the one that a request names, and is taken.

    The signed request proves the installation; the lease's number that it names proves lease and owner.

    Args:
        license: Its row, locked.
        lease: What the installation that signed has, or had.
        asked: The request.
        now: The present moment, timezone-aware.
    Raises:
        LicenseError: LEASE_LOST; an ended lease is never revived, its seat may be another's by now.
    """
    if asked.lease != lease.seat and not _only_gives_up(asked):
        raise _lost(license, f"lease {asked.lease} is not, or no longer, its own")
    if lease.generation != asked.generation:
        raise _lost(license, f"generation {asked.generation} is no longer the current one")
    if lease.released is not None:
        raise _lost(license, f"it was given back on {utc(lease.released)}")
    if now >= lease.ends:
        raise _lost(license, f"it ended on {utc(lease.ends)}")


def _only_gives_up(asked: Request) -> bool:
    """Files of version 1, which name no lease, are still carried; what they prove is enough to give back."""
    return asked.lease is None and asked.action is Action.RELEASE


def _lost(license: LicenseRecord, why: str) -> LicenseError:
    return LicenseError(
        Reason.LEASE_LOST, f"license {license.id}: this machine holds no seat, {why}; activate again"
    )


def _count(number: int) -> str:
    return "its one seat is" if number == 1 else f"all {number} seats are"
