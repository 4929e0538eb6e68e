"""
What each lease has reported so far, and whether a report continues it.

Each space has reports of its own: sets of two spaces are never compared or joined.

Reports are ordered by the sequence number of the set that they report, never by the clock of the machine that
made them. Version 1 has no such number: there a date counts that is no later than the moment of its arrival,
so that a report from the year 9999 hides nothing that comes after it.

A report of a listed space is of the ``whole`` set, one of a vast space a difference (``differences``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, insert, select, update

from ternary_license_server.database.schema import meter_losses, meter_reports
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import sets
from ternary_license_server.service.records import seconds
from ternary_license_server.service.segments import Grown, Place, Role
from ternary_license_server.service.sets import Lazy
from ternary_sdk._internal.licensing.counted import Acknowledged, Growth
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

UNKNOWN: Final = ""
"""In the place of a lease's number, for reports that name none."""
_THIS: Final = and_(
    meter_reports.c.license == bindparam("of_license"),
    meter_reports.c.installation == bindparam("of_installation"),
    meter_reports.c.lease == bindparam("of_lease"),
    meter_reports.c.space == bindparam("of_space"),
)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One installation's reports under one lease and of one space, together."""

    license: str
    installation: str
    lease: str
    """The lease's number; empty where reports name none."""
    customer: str
    """Whose the lease is; of reports that name none, whose the installation's last lease was."""
    history: str | None
    """Of the last report; None before version 2."""
    sequence: int | None
    """Of the last report; None before version 2."""
    space: Space
    """What the operations are of."""
    whole: Lazy
    """The union of all of them."""
    left_out: Lazy
    """What of it counts no more for this customer: the vendor corrected it, or it was an earlier owner's."""
    issued: int
    """The latest date of a report, no later than its arrival."""
    base: "Base | None" = None
    """What the next difference starts from; None of a listed space, whose reports are whole."""

    @property
    def operations(self) -> OperationSet:
        """The union of all reports."""
        return self.whole.operations

    @property
    def excluded(self) -> OperationSet:
        """What of it counts no more."""
        return self.left_out.operations

    def place(self, role: Role) -> Place:
        """Where a set of it is kept, of a vast space."""
        return _place(self.license, self.installation, self.lease, self.space, role)


@dataclass(frozen=True, kw_only=True)
class Base:
    """The set of an installation as the server knows it from its last report."""

    history: str | None
    """Of that set; None if it is empty."""
    stands: Acknowledged
    """Its size and digest."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a report contradicts earlier ones."""

    lost: int
    """How many operations it lacks."""
    restarted: bool
    """Whether its set began anew, or an older copy of it went on."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a report brought."""

    reported: Reported
    """All that its lease has reported, this report included."""
    fault: Fault
    """How it contradicts earlier reports."""
    fresh: OperationSet
    """What it has that may be new to its customer: all that its meter does not have is in here."""
    counting: Callable[[], OperationSet]
    """All that the lease has reported and that counts."""
    acknowledged: Acknowledged
    """The set that came."""
    grown: Grown | None = None
    """How what the lease reported grew, in a vast space."""


def find(
    transaction: Transaction, license_id: str, installation: str, lease: str, space: Space
) -> Reported | None:
    """What came of a space so far; None if nothing did."""
    this = {
        "of_license": license_id,
        "of_installation": installation,
        "of_lease": lease,
        "of_space": str(space),
    }
    row = transaction.execute(select(meter_reports).where(_THIS), this).one_or_none()
    return None if row is None else _reported(transaction, dict(row._mapping))


def every(transaction: Transaction, license_id: str) -> list[Reported]:
    """What every lease of a license has reported, of each space."""
    rows = transaction.execute(select(meter_reports).where(meter_reports.c.license == license_id))
    return [_reported(transaction, dict(row._mapping)) for row in rows]


def judge(before: Reported, counted: Growth, *, missing: int, more: int) -> Fault:
    """How a set contradicts what came before.

    Args:
        before: What its lease has reported so far, of the same space.
        counted: The set's history and sequence number.
        missing: How many operations of that the set lacks.
        more: How many it has that were never reported.
    """
    if before.sequence is None:
        return Fault(lost=missing, restarted=False)
    if counted.history != before.history:
        return Fault(lost=missing, restarted=before.sequence > 0)
    if counted.sequence > before.sequence:
        return Fault(lost=missing, restarted=False)
    late = counted.sequence < before.sequence
    return Fault(lost=0 if late else missing, restarted=more > 0)


def exclude(transaction: Transaction, reported: Reported, operations: OperationSet, now: datetime) -> None:
    """Let operations of a lease count no more for its customer."""
    changed = replace(reported, left_out=Lazy.of(reported.excluded | operations))
    write(transaction, changed, now, new=False)
    if not reported.space.listed:
        sets.write(transaction, reported.place(Role.EXCLUDED), changed.excluded)


def flag(transaction: Transaction, reported: Reported, fault: Fault, now: datetime) -> None:
    """Keep a fault with its moment, its customer and its space; of one second, the greatest."""
    this = {
        "license": reported.license,
        "installation": reported.installation,
        "customer": reported.customer,
        "space": str(reported.space),
        "received": seconds(now),
    }
    row = and_(*(meter_losses.c[name] == value for name, value in this.items()))
    known = transaction.execute(select(meter_losses).where(row)).one_or_none()
    if known is None:
        transaction.execute(insert(meter_losses), this | vars(fault))
    else:
        worst = {"lost": max(fault.lost, known.lost), "restarted": fault.restarted or known.restarted}
        transaction.execute(update(meter_losses).where(row).values(**worst))


def dated(report: Usage, now: datetime) -> int:
    """When a report was made, in seconds; no later than its arrival."""
    return min(seconds(report.issued), seconds(now))


def write(transaction: Transaction, reported: Reported, now: datetime, *, new: bool) -> None:
    """Keep what a lease has reported; of a vast space all but the sets, which are segments."""
    space, base = reported.space, reported.base
    values: dict[str, Any] = {
        "license": reported.license,
        "installation": reported.installation,
        "lease": reported.lease,
        "space": str(space),
        "customer": reported.customer,
        "history": reported.history,
        "sequence": reported.sequence,
        "bitmap": reported.operations.to_bytes() if space.listed else b"",
        "issued": reported.issued,
        "received": seconds(now),
        "base_history": base and base.history,
        "base_operations": base and base.stands.operations,
        "base_sha256": base and base.stands.sha256,
    }
    values["excluded"] = reported.excluded.to_bytes() if len(reported.left_out) and space.listed else None
    if new:
        transaction.execute(insert(meter_reports), values)
        return
    this = {f"of_{name}": values[name] for name in ("license", "installation", "lease", "space")}
    transaction.execute(update(meter_reports).where(_THIS), this | values)


def _reported(transaction: Transaction, row: dict[str, Any]) -> Reported:
    row.pop("received")
    space, bitmap, excluded = Space.parse(row.pop("space")), row.pop("bitmap"), row.pop("excluded")
    history, operations, sha256 = (row.pop(f"base_{name}") for name in ("history", "operations", "sha256"))
    base = None
    if sha256 is not None:
        base = Base(history=history, stands=Acknowledged(operations=operations, sha256=sha256))
    whose = (row["license"], row["installation"], row["lease"], space)
    return Reported(
        **row,
        space=space,
        whole=sets.read(transaction, _place(*whose, Role.REPORTED), bitmap),
        left_out=sets.read(transaction, _place(*whose, Role.EXCLUDED), excluded),
        base=base,
    )


def _place(license: str, installation: str, lease: str, space: Space, role: Role) -> Place:
    return Place(license=license, holder=f"{installation} {lease}", role=role, space=space)
