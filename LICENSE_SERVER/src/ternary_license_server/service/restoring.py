"""
A server that was restored from a backup: what it cannot know, and therefore does not say.

Between the backup and its restoration the server sold licenses, gave seats and moved ends, and has forgotten
it. Until the last license has ended that it gave in that time, it denies nobody what only the lost rows could
tell, and gives no seat to an installation that may be new only to the backup (docs/adr/0016).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from ternary_license_server.database import clock
from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.database.schema import (
    leases,
    licenses,
    policies,
    restorations,
    seat_counts,
    tokens,
)
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, listing
from ternary_license_server.service.records import LicenseRecord, moment, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk.errors import LicenseError, Reason

_CURRENT: Final = select(restorations)
_OF_LOST_ROWS: Final = (Reason.NOT_FOUND, Reason.LEASE_LOST, Reason.MACHINE_MISMATCH)
"""Denials that a row of the lost time could make untrue."""
_OF_LOST_CHANGES: Final = (Reason.SUSPENDED, Reason.NOT_YET_VALID, Reason.EXPIRED, Reason.QUOTA_EXHAUSTED)
"""Denials that a change of the license in the lost time could make untrue. Revoked stays revoked."""


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """The restored mode while it lasts."""

    newest: datetime
    """The newest moment that the backup knew."""
    begun: datetime
    """When it was restored."""
    until: datetime
    """By then every license has ended that was given in between."""
    oversell: bool
    """Whether the vendor accepts that more machines than seats may run until then."""


def current(transaction: Transaction) -> Restoration | None:
    """The restored mode, if it lasts at the transaction's moment."""
    row = transaction.execute(_CURRENT).one_or_none()
    if row is None or seconds(transaction.now) >= row.until:
        return None
    return Restoration(
        newest=moment(row.newest), begun=moment(row.begun), until=moment(row.until), oversell=row.oversell
    )


def newest(transaction: Transaction) -> datetime | None:
    """The newest moment that a database knows; None if it knows none."""
    last = transaction.execute(select(func.max(audit_rows.c.at))).scalar_one()
    known = [one for one in (clock.seen(transaction.connection), last and moment(last)) if one]
    return max(known, default=None)


def begin(
    transaction: Transaction, *, since: datetime, longest: timedelta, oversell: bool, actor: str
) -> dict[str, Json]:
    """Start the restored mode, on the audit log:

    1. it lasts for the longest lease with its grace, or offline term, of any license or policy, or for
       ``longest`` if that is more;
    2. whoever held a lease at the backup may have renewed it at the last moment, so its end is moved to what
       that renewal would have given;
    3. every admin token ends, because one that was revoked after the backup would be good again;
    4. the revocation list is signed anew, so that its version rises above every one of the lost time.

    Where the database is in a restored mode already, the longer of the two holds, from the older backup on.

    Args:
        transaction: An open transaction that may write; no server uses the database.
        since: The newest moment that the backup knew, before anything was written into it.
        longest: The longest term that was sold since the backup, as the vendor knows it.
        oversell: Whether installations that the backup does not know get seats.
        actor: Who restores.
    Returns:
        ``newest``, ``begun``, ``until``, ``oversell``, ``leases_kept``, ``tokens_ended``.
    """
    now, before = transaction.now, current(transaction)
    until = now + max(longest, _longest_hold(transaction)) + TOLERANCE
    facts: dict[str, Json] = {
        "newest": seconds(min(since, before.newest) if before else since),
        "begun": seconds(now),
        "until": seconds(max(until, before.until) if before else until),
        "oversell": oversell,
    }
    row = {"id": 1, **facts}
    statement = transaction.insert(restorations).values(row)
    transaction.execute(statement.on_conflict_do_update(index_elements=[restorations.c.id], set_=row))
    listing.note_change(transaction)
    facts |= {
        "leases_kept": _hold(transaction, since, now),
        "tokens_ended": _end_tokens(transaction, now),
    }
    audit.append(transaction, "restoration", actor=actor, action="server.restore", detail=facts)
    return facts


@contextmanager
def truthful(
    transaction: Transaction, *, license_id: str | None = None, key_digest: str | None = None
) -> Iterator[None]:
    """Let no denial out of the block that the lost time could make untrue.

    Args:
        transaction: In which the license is asked about.
        license_id: The license, or
        key_digest: the digest of its key.
    Raises:
        ServiceError: TRY_LATER in the place of such a denial.
    """
    try:
        yield
    except LicenseError as refusal:
        mode = current(transaction)
        if mode is None or not _may_be_untrue(transaction, refusal, mode, license_id, key_digest):
            raise
        raise _later(mode) from None


def check_newcomer(transaction: Transaction, license: LicenseRecord) -> None:
    """Refuse a seat to an installation that has no lease here, while others may hold it unknown to us.

    Where seats are not limited, nobody else's is taken.

    Raises:
        ServiceError: TRY_LATER.
    """
    mode = current(transaction)
    if mode is None or mode.oversell or license.seats is None:
        return
    if license.created < mode.begun:
        raise _later(mode)


def warnings(transaction: Transaction) -> list[str]:
    """A sentence while the restored mode lasts."""
    mode = current(transaction)
    if mode is None:
        return []
    newcomers = "get seats, and may be too many" if mode.oversell else "get no seat"
    return [
        f"restored on {utc(mode.begun)} from a backup of {utc(mode.newest)}: until {utc(mode.until)} what "
        f"the backup does not know is answered with TRY_LATER, and machines that it does not know {newcomers}"
    ]


def _later(mode: Restoration) -> ServiceError:
    return ServiceError(
        Code.TRY_LATER,
        "this server was restored from a backup and does not know everything yet; what you have stays as it "
        f"is; try again later, at the latest after {utc(mode.until)}",
    )


def _may_be_untrue(
    transaction: Transaction,
    refusal: LicenseError,
    mode: Restoration,
    license_id: str | None,
    key_digest: str | None,
) -> bool:
    if refusal.code not in _OF_LOST_ROWS + _OF_LOST_CHANGES:
        return False
    this = licenses.c.key_hash == key_digest if key_digest else licenses.c.id == license_id
    license = transaction.execute(select(licenses.c.id, licenses.c.created).where(this)).one_or_none()
    if license is None:
        return True
    if license.created >= seconds(mode.begun):
        return False
    return refusal.code in _OF_LOST_ROWS or not _changed_since(transaction, license.id, mode.begun)


def _changed_since(transaction: Transaction, license_id: str, begun: datetime) -> bool:
    """Whether the vendor has changed a license after the restoration, so that its state is known."""
    entry = audit_rows.c
    mine = (entry.stream == license_id) & (entry.at >= seconds(begun)) & entry.action.like("license.%")
    return transaction.execute(select(entry.number).where(mine).limit(1)).first() is not None


def _longest_hold(transaction: Transaction) -> timedelta:
    found = [0]
    for table in (policies, licenses):
        lease = func.max(table.c.lease + table.c.grace)
        found += [
            number or 0 for number in transaction.execute(select(lease, func.max(table.c.offline))).one()
        ]
    return timedelta(seconds=max(found))


def _hold(transaction: Transaction, since: datetime, now: datetime) -> int:
    """Move the ends of the leases that stood at the backup and could be renewed; how many."""
    term = select(licenses.c.lease + licenses.c.grace).where(licenses.c.id == leases.c.license)
    end = seconds(now) + term.scalar_subquery()
    stood = leases.c.released.is_(None) & leases.c.disowned.is_(None) & ~leases.c.offline
    moved = stood & (leases.c.ends > seconds(since)) & (leases.c.ends < end)
    later = moved & (leases.c.licensed_until < end)
    transaction.execute(update(leases).where(later).values(licensed_until=end))
    transaction.execute(delete(seat_counts))  # each license is counted anew, with the ends that hold now
    return transaction.execute(update(leases).where(moved).values(ends=end)).rowcount


def _end_tokens(transaction: Transaction, now: datetime) -> int:
    live = tokens.c.revoked.is_(None) & (tokens.c.expires > seconds(now))
    return transaction.execute(update(tokens).where(live).values(revoked=seconds(now))).rowcount
