"""
Metering: every operation that a license's installations ever returned, counted once.

Reports are whole sets and are merged by union, so one that comes twice, late or out of order changes
nothing. What a report adds is kept beside the moment it arrived: the additions are disjoint, so their sum
over a period is what that period newly used, and the sum over all periods is the whole.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, insert, select, update

from ternary_license_server.database.schema import leases, meter_entries, meter_losses, meter_reports, meters
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, records
from ternary_license_server.service.records import LicenseRecord, seconds
from ternary_sdk.documents.canonical import Json
from ternary_sdk.errors import LicenseError, Reason
from ternary_sdk.licensing.usage import Usage
from ternary_sdk.operations import OperationSet

_COUNT: Final = select(meters.c.operations).where(meters.c.license == bindparam("of_license"))


def merge(transaction: Transaction, report: Usage) -> dict[str, Json]:
    """Merge a report into its license's meter.

    Returns:
        ``id``, ``added`` (operations new to the license), ``operations`` (in all), ``quota``, and ``lost``:
        how many this installation had reported before and now lacks, which shows a deleted meter.
    Raises:
        LicenseError: NOT_FOUND, also if that installation never had a seat of the license.
    """
    license = records.lock(transaction, report.license_id)
    kid = report.installation.kid
    holder = (leases.c.license == license.id) & (leases.c.installation == kid)
    if transaction.execute(select(leases.c.generation).where(holder)).first() is None:
        raise records.unknown(f"license {license.id}")
    now = transaction.now
    lost = _remember(transaction, report, now)
    if lost:
        _flag(transaction, license, kid, lost, now)
    added, total = _extend(transaction, license, report.operations, now)
    detail: dict[str, Json] = {
        "added": added,
        "operations": total,
        "lost": lost,
        "sha256": report.operations.digest,
    }
    audit.append(transaction, license.id, actor=f"installation {kid}", action="usage.report", detail=detail)
    return {
        "id": license.id,
        "added": added,
        "operations": total,
        "quota": license.unique_operations,
        "lost": lost,
    }


def check_quota(transaction: Transaction, license: LicenseRecord) -> None:
    """Refuse a license whose machines together returned more than it allows.

    Raises:
        LicenseError: QUOTA_EXHAUSTED. Each machine's own meter keeps the quota; together they may exceed it.
    """
    if license.unique_operations is None:
        return
    drawn = transaction.execute(_COUNT, {"of_license": license.id}).scalar_one_or_none() or 0
    if drawn > license.unique_operations:
        raise LicenseError(
            Reason.QUOTA_EXHAUSTED,
            f"license {license.id} allows {license.unique_operations} different operations; its machines "
            f"together have returned {drawn}; ask the vendor for a larger quota",
        )


def drawn(transaction: Transaction, license_id: str) -> OperationSet:
    """Every operation returned under a license, as far as reported."""
    bitmap = transaction.execute(
        select(meters.c.bitmap).where(meters.c.license == license_id)
    ).scalar_one_or_none()
    return OperationSet.from_bytes(bytes(bitmap)) if bitmap is not None else OperationSet.of([])


def _remember(transaction: Transaction, report: Usage, now: datetime) -> int:
    """Keep the union of what this installation reported; how many operations a later report lacks."""
    row = meter_reports.c
    mine = (row.license == report.license_id) & (row.installation == report.installation.kid)
    known = transaction.execute(select(meter_reports).where(mine)).one_or_none()
    if known is None:
        first = {"license": report.license_id, "installation": report.installation.kid}
        transaction.execute(insert(meter_reports), first | _columns(report.operations, report, now))
        return 0
    before = OperationSet.from_bytes(bytes(known.bitmap))
    later = seconds(report.issued) >= known.issued
    lost = len(before - report.operations) if later else 0
    columns = _columns(before | report.operations, report, now)
    columns["issued"] = max(seconds(report.issued), known.issued)
    transaction.execute(update(meter_reports).where(mine).values(**columns))
    return lost


def _flag(
    transaction: Transaction, license: LicenseRecord, installation: str, lost: int, now: datetime
) -> None:
    """Keep a loss with its moment and the customer of that moment; of one second, the greatest."""
    this = {
        "license": license.id,
        "installation": installation,
        "customer": license.customer,
        "received": seconds(now),
    }
    row = and_(*(meter_losses.c[name] == value for name, value in this.items()))
    known = transaction.execute(select(meter_losses.c.lost).where(row)).scalar_one_or_none()
    if known is None:
        transaction.execute(insert(meter_losses), this | {"lost": lost})
    else:
        transaction.execute(update(meter_losses).where(row).values(lost=max(lost, known)))


def _columns(operations: OperationSet, report: Usage, now: datetime) -> dict[str, object]:
    return {"bitmap": operations.to_bytes(), "issued": seconds(report.issued), "received": seconds(now)}


def _extend(
    transaction: Transaction, license: LicenseRecord, operations: OperationSet, now: datetime
) -> tuple[int, int]:
    known = transaction.execute(select(meters).where(meters.c.license == license.id)).one_or_none()
    before = OperationSet.from_bytes(bytes(known.bitmap)) if known else OperationSet.of([])
    new = operations - before
    if not len(new):
        return 0, len(before)
    merged, number = before | new, (known.entries if known else 0) + 1
    columns = {"bitmap": merged.to_bytes(), "operations": len(merged), "entries": number}
    if known is None:
        transaction.execute(insert(meters), {"license": license.id, **columns})
    else:
        transaction.execute(update(meters).where(meters.c.license == license.id).values(**columns))
    entry = {
        "license": license.id,
        "number": number,
        "received": seconds(now),
        "customer": license.customer,
        "operations": len(new),
        "bitmap": new.to_bytes(),
    }
    transaction.execute(insert(meter_entries), entry)
    return len(new), len(merged)
