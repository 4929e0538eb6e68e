"""
Metering: every operation that a customer's leases of a license ever returned, counted once.

A customer has a meter for each space. The meters of two spaces are never joined; what counts for the quota is
the sum over all of them.

Reports are sets, or differences whose ends are checked, and are merged by union. So one that comes twice or
late changes nothing. A report belongs to the customer of the lease that it names, whoever has the
license by now. What a report adds is kept beside the moment it arrived: the additions are disjoint, so their
sum over a period is what that period newly used, and the sum over all periods is the whole.

Only what a lease reports while it is held counts for the quota. Whoever once had a seat can therefore block
nobody; what his machine reports is kept and billed apart, as late.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, select

from ternary_license_server.database.schema import customers, meters
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import (
    audit,
    differences,
    entries,
    events,
    quota_notices,
    records,
    reported,
    segments,
    sets,
    whole,
)
from ternary_license_server.service import lease as lease_rows
from ternary_license_server.service.entries import Account
from ternary_license_server.service.events import Kind
from ternary_license_server.service.lease import Lease
from ternary_license_server.service.records import LicenseRecord
from ternary_license_server.service.reported import UNKNOWN, Taken
from ternary_license_server.service.segments import Place, Role
from ternary_license_server.service.sets import Lazy, nothing
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
    space: Space
    whole: Lazy
    """All of it."""
    of_quota: Lazy
    """What of it counts for the quota: reported by leases that were held then."""

    @property
    def operations(self) -> OperationSet:
        """All of it."""
        return self.whole.operations

    @property
    def weighed(self) -> OperationSet:
        """What of it counts for the quota."""
        return self.of_quota.operations

    def changed(self, operations: OperationSet, weighed: OperationSet) -> "Meter":
        """It, with other operations."""
        return replace(self, whole=Lazy.of(operations), of_quota=Lazy.of(weighed))

    def place(self, role: Role) -> Place:
        """Where a set of it is kept, of a vast space."""
        return _place(self.license, self.customer, self.space, role)


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
    take = whole.take if space.listed else differences.take
    taken = take(transaction, before, report, customer, now)
    fault = taken.fault
    if fault.lost or fault.restarted:
        reported.flag(transaction, taken.reported, fault, now)
        lost = vars(fault) | {"customer": customer, "installation": kid, "space": str(space)}
        events.record(transaction, Kind.METER_LOST, license.id, {"license": license.id} | lost)
    meter = find(transaction, license.id, customer, space)
    total, added = _grow(transaction, meter, taken, held=held)
    account = Account(license=license.id, customer=customer, lease=report.lease)
    entries.enter(transaction, account, added, now, late=not held)
    if held and customer == license.customer and license.unique_operations is not None:
        quota_notices.note(transaction, license, weighed(transaction, license.id, customer))
    facts: dict[str, Json] = {
        "lease": report.lease,
        "space": str(space),
        "late": not held,
        "added": len(added),
        "operations": total,
        "all_spaces": sum(drawn(transaction, license.id, customer).values()),
        "lost": fault.lost,
        "restarted": fault.restarted,
    }
    stands = taken.acknowledged
    detail = facts | {"customer": customer, "sha256": stands.sha256}
    audit.append(transaction, license.id, actor=f"installation {kid}", action="usage.report", detail=detail)
    acknowledged: Json = {"operations": stands.operations, "sha256": stands.sha256}
    quota = license.unique_operations if customer == license.customer else None
    return facts | {"id": license.id, "quota": quota, "acknowledged": acknowledged}


def check_quota(transaction: Transaction, license: LicenseRecord) -> None:
    """Refuse a license whose machines together returned more than it allows, over all spaces.

    Raises:
        LicenseError: QUOTA_EXHAUSTED. Each machine's own meter keeps the quota; together they may exceed it.
    """
    if license.most_operations is None:
        return
    counted = weighed(transaction, license.id, license.customer)
    if counted > license.most_operations:
        raise LicenseError(
            Reason.QUOTA_EXHAUSTED,
            f"license {license.id} allows {license.most_operations} different operations; its machines "
            f"together have returned {counted}; ask the vendor for a larger quota",
        )


def weighed(transaction: Transaction, license_id: str, customer: str) -> int:
    """How many operations of all spaces count for a customer's quota of a license, as far as reported."""
    owner = {"of_license": license_id, "of_customer": customer}
    return int(transaction.execute(_COUNT, owner).scalar_one() or 0)


def drawn(transaction: Transaction, license_id: str, customer: str) -> dict[Space, int]:
    """How many operations of each space a customer returned under a license, as far as reported."""
    rows = transaction.execute(_TOTALS, {"of_license": license_id, "of_customer": customer})
    return dict(sorted((Space.parse(row.space), row.operations) for row in rows))


def find(transaction: Transaction, license_id: str, customer: str, space: Space) -> Meter:
    """A customer's meter of a license and a space; an empty one where nothing was reported."""
    this = {"of_license": license_id, "of_customer": customer, "of_space": str(space)}
    row = transaction.execute(select(meters).where(_THIS), this).one_or_none()
    if row is None:
        empty = Lazy.of(nothing(space))
        return Meter(license=license_id, customer=customer, space=space, whole=empty, of_quota=empty)
    metered, weighed = (_place(license_id, customer, space, role) for role in (Role.METERED, Role.WEIGHED))
    return Meter(
        license=license_id,
        customer=customer,
        space=space,
        whole=sets.read(transaction, metered, row.bitmap),
        of_quota=sets.read(transaction, weighed, row.quota_bitmap),
    )


def write(transaction: Transaction, meter: Meter) -> None:
    """Keep a meter."""
    bitmaps = (
        sets.write(transaction, meter.place(Role.METERED), meter.operations),
        sets.write(transaction, meter.place(Role.WEIGHED), meter.weighed),
    )
    _write_row(transaction, meter, bitmaps, (len(meter.whole), len(meter.of_quota)))


def _grow(transaction: Transaction, meter: Meter, taken: Taken, *, held: bool) -> tuple[int, OperationSet]:
    """Keep a meter with what a report brought; how many operations it has then, and what of it is new."""
    added = heavier = nothing(meter.space)
    if len(taken.fresh):
        added = taken.fresh - meter.operations
    if held:
        alike = len(meter.of_quota) == len(meter.whole)  # as all that is weighed is metered
        heavier = added if alike else taken.counting() - meter.weighed
    if meter.space.listed:
        write(transaction, meter.changed(meter.operations | added, meter.weighed | heavier))
    else:
        for role, more in ((Role.METERED, added), (Role.WEIGHED, heavier)):
            kept = segments.find(transaction, meter.place(role))
            segments.append(transaction, kept, more, like=taken.grown)
        counts = (len(meter.whole) + len(added), len(meter.of_quota) + len(heavier))
        _write_row(transaction, meter, (b"", b""), counts)
    return len(meter.whole) + len(added), added


def _write_row(
    transaction: Transaction, meter: Meter, bitmaps: tuple[bytes, bytes], counts: tuple[int, int]
) -> None:
    """Keep a meter's row: of all that it has and of what is weighed, the bitmap and the number."""
    insertion = transaction.insert(meters)
    columns: dict[str, Any] = {
        "bitmap": bitmaps[0],
        "operations": counts[0],
        "quota_bitmap": bitmaps[1],
        "quota_operations": counts[1],
    }
    whose = {"license": meter.license, "customer": meter.customer, "space": str(meter.space)}
    transaction.execute(
        insertion.on_conflict_do_update(index_elements=list(whose), set_=columns), whose | columns
    )


def _place(license_id: str, customer: str, space: Space, role: Role) -> Place:
    return Place(license=license_id, holder=customer, role=role, space=space)


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
    name = lease_rows.licensee(transaction, license.id, seat)
    if name is None:
        name = transaction.execute(select(customers.c.name).where(customers.c.id == customer)).scalar_one()
    if claimed is not None and name and claimed != name:
        raise LicenseError(
            Reason.MACHINE_MISMATCH,
            f"license {license.id}: lease {seat} was given to another customer than the report names",
        )
