"""
Corrections of a meter: what a lease has reported so far counts no more.

Nothing is edited: what is taken back is a further entry, with the date of the correction and in the audit log
with the vendor's reason. Reports stay as they came. What the lease reports later, and did not report before,
counts again.
"""

from dataclasses import replace
from datetime import datetime

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, metering, records, reported
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.reported import NOTHING, UNKNOWN, Reported
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.operations import OperationSet


def correct(
    transaction: Transaction, license_id: str, lease: str, reason: str, *, actor: str
) -> dict[str, Json]:
    """Take back from its customer's meter what a lease alone has reported.

    Operations that another lease of the same customer has reported too stay, because that one was billed.

    Args:
        transaction: A writing one.
        license_id: The license.
        lease: The lease's number.
        reason: What the vendor states.
        actor: Who asks.
    Returns:
        ``license``, ``lease``, ``customer``, ``taken_back`` (operations), ``operations`` (what stays).
    Raises:
        LicenseError: NOT_FOUND.
        ServiceError: UNKNOWN, if that lease has reported nothing; CONFLICT, if nothing of it counts any more.
    """
    records.lock(transaction, license_id)
    now = transaction.now
    every = reported.every(transaction, license_id)
    meant = _meant(transaction, license_id, every, lease)
    counts = _union(meant)
    if not len(counts):
        raise ServiceError(
            Code.CONFLICT, f"license {license_id}: nothing that lease {lease} reported counts any more"
        )
    others = _union([one for one in every if one.customer == meant[0].customer and one not in meant])
    for one in meant:
        reported.exclude(transaction, one, one.operations, now)
    taken_back, stays = _take_back(transaction, meant[0], lease, counts - others, now)
    facts: dict[str, Json] = {
        "license": license_id,
        "lease": lease,
        "customer": meant[0].customer,
        "taken_back": len(taken_back),
        "operations": stays,
    }
    detail = facts | {"reason": reason, "sha256": taken_back.digest}
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


def _union(every: list[Reported]) -> OperationSet:
    """What still counts of several leases' reports."""
    together = NOTHING
    for one in every:
        together |= one.operations - one.excluded
    return together


def _take_back(
    transaction: Transaction, meant: Reported, lease: str, alone: OperationSet, now: datetime
) -> tuple[OperationSet, int]:
    """Take operations from a customer's meter: those that it had, and how many stay."""
    meter = metering.find(transaction, meant.license, meant.customer)
    changed = replace(meter, operations=meter.operations - alone, weighed=meter.weighed - alone)
    taken_back = meter.operations - changed.operations
    metering.write(transaction, changed)
    if len(taken_back):
        metering.enter(transaction, changed, taken_back, now, lease=lease, late=False, taken_back=True)
    return taken_back, len(changed.operations)
