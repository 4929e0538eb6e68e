"""
Corrections of a meter: what a lease has reported so far counts no more.

Nothing is edited: what is taken back is a further entry, with the date of the correction and in the audit log
with the vendor's reason. Reports stay as they came. What the lease reports later, and did not report before,
counts again. A correction is of all spaces that the lease has reported, each by itself.
"""

from dataclasses import dataclass
from datetime import datetime

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, entries, metering, records, reported
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.entries import Account
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.reported import UNKNOWN, Reported
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What a correction took from a customer's meter of one space."""

    operations: OperationSet
    """What the meter had and has no more."""
    stay: int
    """How many operations of the space stay."""

    def facts(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "space": str(self.operations.space),
            "taken_back": len(self.operations),
            "operations": self.stay,
        }


def correct(
    transaction: Transaction, license_id: str, lease: str, reason: str, *, actor: str
) -> dict[str, Json]:
    """Take back from its customer's meters what a lease alone has reported.

    Operations that another lease of the same customer has reported too stay, because that one was billed.

    Args:
        transaction: A writing one.
        license_id: The license.
        lease: The lease's number.
        reason: What the vendor states.
        actor: Who asks.
    Returns:
        ``license``, ``lease``, ``customer``, ``taken_back`` (operations of all spaces), ``operations`` (what
        stays of all spaces) and ``spaces``, both numbers for each space of which something counted.
    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: UNKNOWN, if that lease has reported nothing; CONFLICT, if nothing of it counts any more.
    """
    records.lock(transaction, license_id)
    now = transaction.now
    every = reported.every(transaction, license_id)
    meant = _meant(transaction, license_id, every, lease)
    counts = {space: of_space for space, of_space in _unions(meant).items() if len(of_space)}
    if not counts:
        raise ServiceError(
            Code.CONFLICT, f"license {license_id}: nothing that lease {lease} reported counts any more"
        )
    others = _unions([one for one in every if one.customer == meant[0].customer and one not in meant])
    for one in meant:
        reported.exclude(transaction, one, one.operations, now)
    taken = [
        _take_back(transaction, meant[0], lease, alone - others.get(space, nothing(space)), now)
        for space, alone in sorted(counts.items())
    ]
    facts: dict[str, Json] = {
        "license": license_id,
        "lease": lease,
        "customer": meant[0].customer,
        "taken_back": sum(len(one.operations) for one in taken),
        "operations": sum(metering.drawn(transaction, license_id, meant[0].customer).values()),
        "spaces": [one.facts() for one in taken],
    }
    digests: list[Json] = [one.facts() | {"sha256": one.operations.digest} for one in taken]
    detail = facts | {"reason": reason, "spaces": digests}
    audit.append(transaction, license_id, actor=actor, action="usage.correct", detail=detail)
    return facts


def _meant(transaction: Transaction, license_id: str, every: list[Reported], lease: str) -> list[Reported]:
    """The lease's own reports, and its owner's reports from its installation that name no lease."""
    owner = lease_rows.holder(transaction, license_id, lease)
    found = [
        one for one in every if (one.installation, one.customer) == owner and one.lease in (lease, UNKNOWN)
    ]
    if not found:
        raise ServiceError(Code.UNKNOWN, f"license {license_id}: no lease {lease} has reported anything")
    return found


def _unions(every: list[Reported]) -> dict[Space, OperationSet]:
    """What still counts of several leases' reports, by space."""
    together: dict[Space, OperationSet] = {}
    for one in every:
        counts = one.operations - one.excluded
        together[one.space] = together.get(one.space, counts) | counts
    return together


def _take_back(
    transaction: Transaction, meant: Reported, lease: str, alone: OperationSet, now: datetime
) -> TakenBack:
    """Take operations of one space from a customer's meter, those that it has."""
    meter = metering.find(transaction, meant.license, meant.customer, alone.space)
    changed = meter.changed(meter.operations - alone, meter.weighed - alone)
    taken_back = meter.operations - changed.operations
    metering.write(transaction, changed)
    account = Account(license=meant.license, customer=meant.customer, lease=lease)
    entries.enter(transaction, account, taken_back, now, taken_back=True)
    return TakenBack(operations=taken_back, stay=len(changed.whole))
