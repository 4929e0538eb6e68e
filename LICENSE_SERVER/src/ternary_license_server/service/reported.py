"""
What each lease has reported so far, and whether a report continues it.

Each space has reports of its own: sets of two spaces are never compared or joined.

Reports are ordered by the sequence number of the set that they report, never by the clock of the machine that
made them. Version 1 has no such number: there a date counts that is no later than the moment of its arrival,
so that a report from the year 9999 hides nothing that comes after it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, insert, select, update

from ternary_license_server.database.schema import meter_losses, meter_reports
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import seconds
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
    operations: OperationSet
    """The union of all of them."""
    excluded: OperationSet
    """What of it counts no more for this customer: the vendor corrected it, or it was an earlier owner's."""
    issued: int
    """The latest date of a report, no later than its arrival."""

    @property
    def space(self) -> Space:
        """What its operations are of."""
        return self.operations.space


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a report contradicts earlier ones."""

    lost: int
    """How many operations it lacks."""
    restarted: bool
    """Whether its set began anew, or an older copy of it went on."""


def nothing(space: Space) -> OperationSet:
    """The empty set of a space."""
    return OperationSet.of([], space)


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
    return None if row is None else _reported(dict(row._mapping))


def every(transaction: Transaction, license_id: str) -> list[Reported]:
    """What every lease of a license has reported, of each space."""
    rows = transaction.execute(select(meter_reports).where(meter_reports.c.license == license_id))
    return [_reported(dict(row._mapping)) for row in rows]


def compare(before: Reported | None, report: Usage, now: datetime) -> Fault:
    """How a report contradicts what came before; not at all if it is an earlier one that comes late.

    Args:
        before: What its lease has reported so far, of the same space.
        report: What came.
        now: The present moment, timezone-aware.
    """
    if before is None:
        return Fault(lost=0, restarted=False)
    missing, more = len(before.operations - report.operations), len(report.operations - before.operations)
    if report.counted is None:
        later = _dated(report, now) >= before.issued
        return Fault(lost=missing if later else 0, restarted=False)
    if before.sequence is None:
        return Fault(lost=missing, restarted=False)
    if report.counted.history != before.history:
        return Fault(lost=missing, restarted=before.sequence > 0)
    if report.counted.sequence > before.sequence:
        return Fault(lost=missing, restarted=False)
    late = report.counted.sequence < before.sequence
    return Fault(lost=0 if late else missing, restarted=more > 0)


def remember(
    transaction: Transaction, before: Reported | None, report: Usage, customer: str, now: datetime
) -> Reported:
    """Keep the union of what a lease reported.

    Where reports name no lease, what an earlier owner's machine had reported stays that owner's.

    Args:
        transaction: With the license's row locked.
        before: What its lease has reported so far, of the same space.
        report: What came.
        customer: Whose it is.
        now: The present moment, timezone-aware.
    Returns:
        All of it, this report included.
    """
    counted = report.counted
    after = Reported(
        license=report.license_id,
        installation=report.installation.kid,
        lease=report.lease or UNKNOWN,
        customer=customer,
        history=counted.history if counted else None,
        sequence=counted.sequence if counted else None,
        operations=report.operations,
        excluded=nothing(report.operations.space),
        issued=_dated(report, now),
    )
    if before is not None:
        after = _joined(before, after)
    _write(transaction, after, now, new=before is None)
    return after


def exclude(transaction: Transaction, reported: Reported, operations: OperationSet, now: datetime) -> None:
    """Let operations of a lease count no more for its customer."""
    changed = replace(reported, excluded=reported.excluded | operations)
    _write(transaction, changed, now, new=False)


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


def _joined(before: Reported, after: Reported) -> Reported:
    """Reports of one lease together; the later of them states the sequence."""
    same = before.history == after.history and before.sequence is not None and after.sequence is not None
    sequence = max(before.sequence or 0, after.sequence or 0) if same else after.sequence
    passed_on = before.operations if before.customer != after.customer else nothing(after.space)
    return replace(
        after,
        sequence=sequence,
        operations=before.operations | after.operations,
        excluded=before.excluded | passed_on,
        issued=max(before.issued, after.issued),
    )


def _dated(report: Usage, now: datetime) -> int:
    return min(seconds(report.issued), seconds(now))


def _write(transaction: Transaction, reported: Reported, now: datetime, *, new: bool) -> None:
    values = {name: value for name, value in vars(reported).items() if name not in ("operations", "excluded")}
    values["space"] = str(reported.space)
    values["bitmap"] = reported.operations.to_bytes()
    values["excluded"] = reported.excluded.to_bytes() if len(reported.excluded) else None
    values["received"] = seconds(now)
    if new:
        transaction.execute(insert(meter_reports), values)
        return
    this = {f"of_{name}": values[name] for name in ("license", "installation", "lease", "space")}
    transaction.execute(update(meter_reports).where(_THIS), this | values)


def _reported(row: dict[str, Any]) -> Reported:
    bitmap, excluded = row.pop("bitmap"), row.pop("excluded")
    row.pop("received")
    space = Space.parse(row.pop("space"))
    return Reported(
        **row,
        operations=OperationSet.from_bytes(bytes(bitmap), space),
        excluded=nothing(space) if excluded is None else OperationSet.from_bytes(bytes(excluded), space),
    )
