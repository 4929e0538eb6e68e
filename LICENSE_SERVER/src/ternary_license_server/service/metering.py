"""
Metering: every operation that a customer's leases of a license ever returned, counted once.

A customer has a meter for each space. The meters of two spaces are never joined; what counts for the quota is
the sum over all of them.

Reports are whole sets and are merged by union, so one that comes twice, late or out of order changes nothing.
A report belongs to the customer of the lease that it names, whoever has the license by now. What a report
adds is kept beside the moment it arrived: the additions are disjoint, so their sum over a period is what that
period newly used, and the sum over all periods is the whole.

Only what a lease reports while it is held counts for the quota. Whoever once had a seat can therefore block
nobody; what his machine reports is kept and billed apart, as late.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, select

from ternary_license_server.database.schema import customers, meter_entries, meters
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, records, reported
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord, seconds
from ternary_license_server.service.reported import UNKNOWN, nothing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk.errors import LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

_THEIRS: Final = and_(
    meters.c.license == bindparam("of_license"), meters.c.customer == bindparam("of_customer")
)
_THIS: Final = and_(_THEIRS, meters.c.space == bindparam("of_space"))
_COUNT: Final = select(func.sum(meters.c.quota_operations)).where(_THEIRS)
_TOTALS: Final = select(meters.c.space, meters.c.operations).where(_THEIRS)


@dataclass(frozen=True, kw_only=True)
class Meter:
    """What one customer's leases of a license returned of one space."""

    license: str
    customer: str
    operations: OperationSet
    """All of it."""
    weighed: OperationSet
    """What of it counts for the quota: reported by leases that were held then."""

    @property
    def space(self) -> Space:
        """What its operations are of."""
        return self.operations.space


def merge(transaction: Transaction, report: Usage) -> dict[str, Json]:
    """Merge a report into the meter of its lease's customer and its space.

    Returns:
        ``id``, ``lease``, ``space``, ``late`` (whether that lease is not held any more), ``added``
        (operations of that space new to the customer under this license), ``operations`` (of that space in
        all), ``all_spaces`` (of all spaces together), ``quota`` (null for a customer who does not have the
        license any more), ``lost`` (how many this lease had reported of that space before and now lacks,
        which shows a deleted meter), ``restarted`` and ``acknowledged``: the set that came, for the next
        report's ``base``.
    Raises:
        LicenseError: NOT_FOUND, also if that installation never had a seat of the license; MACHINE_MISMATCH,
            if it never had the lease that it names, or under another owner.
    """
    license = records.lock(transaction, report.license_id)
    last = lease_rows.find(transaction, license.id, report.installation.kid)
    if last is None:
        raise records.unknown(f"license {license.id}")
    now = transaction.now
    customer, held = _attributed(transaction, license, report, last, now)
    kid, space = report.installation.kid, report.operations.space
    before = reported.find(transaction, license.id, kid, report.lease or UNKNOWN, space)
    fault = reported.compare(before, report, now)
    after = reported.remember(transaction, before, report, customer, now)
    if fault.lost or fault.restarted:
        reported.flag(transaction, after, fault, now)
    meter = find(transaction, license.id, customer, space)
    added, meter = _grown(meter, report.operations - after.excluded, held=held)
    write(transaction, meter)
    if len(added):
        enter(transaction, meter, added, now, lease=report.lease, late=not held)
    facts: dict[str, Json] = {
        "lease": report.lease,
        "space": str(space),
        "late": not held,
        "added": len(added),
        "operations": len(meter.operations),
        "all_spaces": sum(drawn(transaction, license.id, customer).values()),
        "lost": fault.lost,
        "restarted": fault.restarted,
    }
    detail = facts | {"customer": customer, "sha256": report.operations.digest}
    audit.append(transaction, license.id, actor=f"installation {kid}", action="usage.report", detail=detail)
    acknowledged: Json = {"operations": len(report.operations), "sha256": report.operations.digest}
    quota = license.unique_operations if customer == license.customer else None
    return facts | {"id": license.id, "quota": quota, "acknowledged": acknowledged}


def check_quota(transaction: Transaction, license: LicenseRecord) -> None:
    """Refuse a license whose machines together returned more than it allows, over all spaces.

    Raises:
        LicenseError: QUOTA_EXHAUSTED. Each machine's own meter keeps the quota; together they may exceed it.
    """
    if license.unique_operations is None:
        return
    owner = {"of_license": license.id, "of_customer": license.customer}
    counted = transaction.execute(_COUNT, owner).scalar_one() or 0
    if counted > license.unique_operations:
        raise LicenseError(
            Reason.QUOTA_EXHAUSTED,
            f"license {license.id} allows {license.unique_operations} different operations; its machines "
            f"together have returned {counted}; ask the vendor for a larger quota",
        )


def drawn(transaction: Transaction, license_id: str, customer: str) -> dict[Space, int]:
    """How many operations of each space a customer returned under a license, as far as reported."""
    rows = transaction.execute(_TOTALS, {"of_license": license_id, "of_customer": customer})
    return dict(sorted((Space.parse(row.space), row.operations) for row in rows))


def find(transaction: Transaction, license_id: str, customer: str, space: Space) -> Meter:
    """A customer's meter of a license and a space; an empty one where nothing was reported."""
    this = {"of_license": license_id, "of_customer": customer, "of_space": str(space)}
    row = transaction.execute(select(meters).where(_THIS), this).one_or_none()
    whole, weighed = (nothing(space),) * 2
    if row is not None:
        whole = OperationSet.from_bytes(bytes(row.bitmap), space)
        weighed = OperationSet.from_bytes(bytes(row.quota_bitmap), space)
    return Meter(license=license_id, customer=customer, operations=whole, weighed=weighed)


def write(transaction: Transaction, meter: Meter) -> None:
    """Keep a meter."""
    insertion = transaction.insert(meters)
    columns: dict[str, Any] = {
        "bitmap": meter.operations.to_bytes(),
        "operations": len(meter.operations),
        "quota_bitmap": meter.weighed.to_bytes(),
        "quota_operations": len(meter.weighed),
    }
    whose = {"license": meter.license, "customer": meter.customer, "space": str(meter.space)}
    transaction.execute(
        insertion.on_conflict_do_update(index_elements=list(whose), set_=columns), whose | columns
    )


def enter(
    transaction: Transaction,
    meter: Meter,
    operations: OperationSet,
    now: datetime,
    *,
    lease: str | None,
    late: bool,
    taken_back: bool = False,
) -> None:
    """Write what was added to a meter, or taken back from it, with its date: entries are never changed."""
    entry = meter_entries.c
    last = select(func.max(entry.number)).where(entry.license == meter.license)
    columns = {
        "license": meter.license,
        "number": (transaction.execute(last).scalar_one() or 0) + 1,
        "received": seconds(now),
        "customer": meter.customer,
        "lease": lease,
        "late": late,
        "space": str(operations.space),
        "operations": -len(operations) if taken_back else len(operations),
        "bitmap": operations.to_bytes(),
    }
    transaction.execute(insert(meter_entries), columns)


def _grown(meter: Meter, operations: OperationSet, *, held: bool) -> tuple[OperationSet, Meter]:
    """What is new to a meter, and the meter with it."""
    grown = Meter(
        license=meter.license,
        customer=meter.customer,
        operations=meter.operations | operations,
        weighed=meter.weighed | operations if held else meter.weighed,
    )
    return operations - meter.operations, grown


def _attributed(
    transaction: Transaction, license: LicenseRecord, report: Usage, last: Lease, now: datetime
) -> tuple[str, bool]:
    """Whose a report is, and whether the lease that it is of is held.

    One that names no lease is of the lease that its installation has, or had last: more is not known.
    """
    kid = report.installation.kid
    seat = report.lease or last.seat
    customer = lease_rows.owner(transaction, license.id, kid, seat)
    if customer is None:
        raise LicenseError(
            Reason.MACHINE_MISMATCH, f"license {license.id}: installation {kid} never held lease {seat} of it"
        )
    _check_owner(transaction, license, report, seat, customer)
    return customer, last.seat == seat and last.disowned is None and last.holds(now)


def _check_owner(
    transaction: Transaction, license: LicenseRecord, report: Usage, seat: str, customer: str
) -> None:
    claimed = report.counted.owner if report.counted else None
    name = transaction.execute(select(customers.c.name).where(customers.c.id == customer)).scalar_one()
    if claimed is not None and claimed != name:
        raise LicenseError(
            Reason.MACHINE_MISMATCH,
            f"license {license.id}: lease {seat} was given to another customer than the report names",
        )
