"""
Reports of a listed space: the whole set each time, merged by union with what came before.
"""

from dataclasses import replace
from datetime import datetime

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import reported
from ternary_license_server.service.reported import UNKNOWN, Fault, Reported, Taken, dated
from ternary_license_server.service.sets import Lazy, nothing
from ternary_sdk._internal.licensing.counted import Acknowledged
from ternary_sdk._internal.licensing.usage import Usage


def take(
    transaction: Transaction, before: Reported | None, report: Usage, customer: str, now: datetime
) -> Taken:
    """Take in a report of a whole set.

    Args:
        transaction: With the license's row locked.
        before: What its lease has reported so far, of the same space.
        report: What came.
        customer: Whose it is.
        now: The present moment, timezone-aware.
    """
    after = _remember(transaction, before, report, customer, now)
    fresh = report.operations - after.excluded
    stands = Acknowledged(operations=len(report.operations), sha256=report.operations.digest)
    return Taken(
        reported=after,
        fault=_compare(before, report, now),
        fresh=fresh,
        counting=lambda: fresh,
        acknowledged=stands,
    )


def _compare(before: Reported | None, report: Usage, now: datetime) -> Fault:
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
        later = dated(report, now) >= before.issued
        return Fault(lost=missing if later else 0, restarted=False)
    return reported.judge(before, report.counted, missing=missing, more=more)


def _remember(
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
        space=report.operations.space,
        whole=Lazy.of(report.operations),
        left_out=Lazy.of(nothing(report.operations.space)),
        issued=dated(report, now),
    )
    if before is not None:
        after = _joined(before, after)
    reported.write(transaction, after, now, new=before is None)
    return after


def _joined(before: Reported, after: Reported) -> Reported:
    """Reports of one lease together; the later of them states the sequence."""
    same = before.history == after.history and before.sequence is not None and after.sequence is not None
    sequence = max(before.sequence or 0, after.sequence or 0) if same else after.sequence
    passed_on = before.operations if before.customer != after.customer else nothing(after.space)
    return replace(
        after,
        sequence=sequence,
        whole=Lazy.of(before.operations | after.operations),
        left_out=Lazy.of(before.excluded | passed_on),
        issued=max(before.issued, after.issued),
    )
