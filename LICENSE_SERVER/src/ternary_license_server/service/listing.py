"""
Which names stand on the revocation list until when, and whether there is room for another.

A name comes off once every license that carries it has ended. A client that has a list without it then has a
list dated after those ends, and takes it that the time has come that far (docs/adr/0016). The row of the list
is locked by whoever adds a name, so nobody adds one between the count and the insert.
"""

from typing import Final

from sqlalchemy import bindparam, func, select, union_all, update

from ternary_license_server.database.schema import (
    leases,
    licenses,
    lost_seats,
    merged_names,
    restorations,
    revocation_list,
    revocations,
)
from ternary_license_server.database.transaction import Transaction, locking
from ternary_license_server.keys import keyset
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import moment, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk._internal.trust.trust import MAX_REVOKED

MOST: Final = MAX_REVOKED - keyset.MAX_OWN
"""Most names of the database, so that those of any key directory fit beside them."""
NEVER: Final = 253_402_300_799
"""The last second of the year 9999: until then a name stands whose end nobody knows."""

_ROW: Final = revocation_list.c
_LOCK: Final = locking(revocation_list, *_ROW, where=_ROW.id == 1)
_DATED: Final = union_all(
    select(revocations.c.license.label("name"), revocations.c.until),
    select(lost_seats.c.seat.label("name"), lost_seats.c.until),
).subquery()
_LIVE: Final = select(_DATED.c.name, _DATED.c.until).where(_DATED.c.until > bindparam("at"))
_ENDED: Final = select(_DATED.c.name).where(_DATED.c.until <= bindparam("at"))
_COUNT: Final = select(func.count(), func.min(_DATED.c.until)).where(_DATED.c.until > bindparam("at"))
_LICENSE_END: Final = select(func.max(leases.c.licensed_until)).where(leases.c.license == bindparam("of"))
_TERM: Final = select(licenses.c.lease, licenses.c.grace, licenses.c.offline).where(
    licenses.c.id == bindparam("of")
)
_RESTORED_END: Final = select(restorations.c.until)


def license_until(transaction: Transaction, license_id: str) -> int:
    """When every license of this id has ended that was ever given out, on every clock, in seconds.

    What was given out between a backup and its restoration is in no row. It has ended by the end of the
    restoration, or a longest term of the license from now, where nobody said that it was restored.
    """
    found = transaction.execute(_LICENSE_END, {"of": license_id}).scalar_one()
    term = transaction.execute(_TERM, {"of": license_id}).one()
    longest = max(term.lease + term.grace, term.offline)
    return _after(transaction, max(found or 0, seconds(transaction.now) + longest))


def seat_until(transaction: Transaction, lease: Lease) -> int:
    """As ``license_until``, for the licenses that carry the number of a lease's seat."""
    return _after(transaction, seconds(lease.licensed_until))


def admit(transaction: Transaction, what: str) -> None:
    """Note that a name is added, if there is room for it.

    Args:
        transaction: With the license's row locked; the name is not added yet.
        what: The name and what it is, for the refusal.
    Raises:
        ServiceError: LIST_FULL. Nothing has changed.
    """
    lock(transaction)
    number, first = count(transaction)
    if number >= MOST:
        room = f"the next comes off on {utc(moment(first))}" if first < NEVER else "none of them comes off"
        raise ServiceError(
            Code.LIST_FULL,
            f"{what}: the revocation list has {number} names, as many as it has room for, and {room}; "
            "suspend the license, which takes no room: it is denied at its next renewal",
        )
    note_change(transaction)


def lock(transaction: Transaction) -> None:
    """Keep everybody waiting who adds a name or signs the list, until this transaction ends."""
    transaction.lock(_LOCK, {}, decides=False)


def note_change(transaction: Transaction) -> None:
    """Have the list signed anew when it is next asked for."""
    transaction.execute(update(revocation_list).values(changes=_ROW.changes + 1))


def count(transaction: Transaction) -> tuple[int, int]:
    """How many names of the database are on the list, and when the first of them comes off, in seconds."""
    number, first = transaction.execute(_COUNT, {"at": seconds(transaction.now)}).one()
    merged = transaction.execute(select(func.count()).select_from(merged_names)).scalar_one()
    return number + merged, NEVER if first is None else first


def live(transaction: Transaction, at: int) -> tuple[set[str], int]:
    """The database's names on the list at a moment, and when the first of them comes off, in seconds."""
    dated = transaction.execute(_LIVE, {"at": at}).all()
    merged = transaction.execute(select(merged_names.c.name)).scalars()
    return {row.name for row in dated} | set(merged), min((row.until for row in dated), default=NEVER)


def ended(transaction: Transaction, at: int) -> set[str]:
    """Names that have come off the list."""
    return set(transaction.execute(_ENDED, {"at": at}).scalars())


def _after(transaction: Transaction, end: int) -> int:
    restored = transaction.execute(_RESTORED_END).scalar_one_or_none() or 0
    latest = max(end, restored, seconds(transaction.now)) + int(TOLERANCE.total_seconds())
    return min(latest, NEVER)
