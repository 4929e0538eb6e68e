"""
Reports of a vast space: what a set has more than the server last acknowledged.

For each lease and owner the server knows the set that the last report ended with, its *base*: history, size
and digest. A report is taken in by these rules, the first that holds:

1. it ends with the base: it came before, and changes nothing;
2. it starts from nothing: the set is exactly what it has;
3. it starts from the base: the set is the base with what it adds, and must be the one that it says;
4. it starts from anything else: refused with SEND_ALL, and the client sends the whole set, from nothing.

Beside the base stands all that the lease ever reported. That only grows, and is what is billed, so a set that
comes again in any order, or after either side was restored from a backup, adds only what never came. The base
lacks nothing of it unless the client's meter lost something.

A large difference comes in parts. Only with the last one is the set complete: then what it lacks is lost, and
only then its history and sequence number count.
"""

from dataclasses import replace
from datetime import datetime

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import reported, segments, sets
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.reported import UNKNOWN, Base, Fault, Reported, Taken, dated
from ternary_license_server.service.segments import Grown, Kept, Role
from ternary_license_server.service.sets import Lazy, nothing
from ternary_sdk._internal.licensing.counted import Acknowledged, Growth
from ternary_sdk._internal.licensing.usage import Difference, Usage
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet


def take(
    transaction: Transaction, before: Reported | None, report: Usage, customer: str, now: datetime
) -> Taken:
    """Take in a report of a vast space.

    Args:
        transaction: With the license's row locked.
        before: What its lease has reported so far, of the same space.
        report: What came.
        customer: Whose it is.
        now: The present moment, timezone-aware.
    Raises:
        ServiceError: SEND_ALL.
        FormatError: If base and difference are not the set that the report states.
    """
    counted, difference = _stated(report)
    first, before = before is None, before or _nothing_yet(report, customer)
    if before.base == Base(history=counted.history, stands=difference.after):
        kept = _kept(transaction, before)
        grown = Grown(before=kept, more=nothing(before.space), after=kept)
        whole = before.whole  # not read: whoever has nothing new reports as often as others
    else:
        grown = _grow(transaction, before, report)
        whole = Lazy.of(segments.load(transaction, grown.after))
    fault = Fault(lost=0, restarted=False)
    if difference.complete:  # a set that began anew would else be flagged with each of its parts
        missing = len(whole) - difference.after.operations
        fault = reported.judge(before, counted, missing=missing, more=len(grown.more))
    after = _after(before, report, customer, whole, now)
    reported.write(transaction, after, now, new=first)
    if len(after.left_out) > len(before.left_out):
        sets.write(transaction, after.place(Role.EXCLUDED), after.excluded)
    return Taken(
        reported=after,
        fault=fault,
        fresh=grown.more,
        counting=lambda: after.operations - after.excluded,
        acknowledged=difference.after,
        grown=grown,
    )


def _grow(transaction: Transaction, before: Reported, report: Usage) -> Grown:
    """Add to all that a lease ever reported what a report has, and let its set be the base."""
    counted, difference = _stated(report)
    start = _start(transaction, before, counted)
    more = report.operations - before.operations
    grown = segments.append(transaction, _kept(transaction, before), more)
    union = segments.load(transaction, grown.after)
    reached = union if start is before.operations else start | report.operations
    _check(reached, difference)
    _keep_base(transaction, before, reached, union)
    return grown


def _kept(transaction: Transaction, before: Reported) -> Kept:
    return segments.find(transaction, before.place(Role.REPORTED))


def _stated(report: Usage) -> tuple[Growth, Difference]:
    if report.counted is None or report.difference is None:
        raise FormatError("usage report.set: is whole, expected a difference")
    return report.counted, report.difference


def _nothing_yet(report: Usage, customer: str) -> Reported:
    empty = nothing(report.operations.space)
    return Reported(
        license=report.license_id,
        installation=report.installation.kid,
        lease=report.lease or UNKNOWN,
        customer=customer,
        history=None,
        sequence=0,
        space=empty.space,
        whole=Lazy.of(empty),
        left_out=Lazy.of(empty),
        issued=0,
    )


def _start(transaction: Transaction, before: Reported, counted: Growth) -> OperationSet:
    """The set that a report starts from: nothing, or the base.

    The base is not kept beside all that the lease ever reported while it is the same.
    """
    stands = counted.acknowledged
    if stands is None or not stands.operations:
        return nothing(before.space)
    if before.base != Base(history=counted.history, stands=stands):
        raise ServiceError(
            Code.SEND_ALL,
            f"license {before.license}: the report starts from {stands.operations:,} operations that are not "
            "what the server has from this meter; send the whole set, from nothing",
        )
    if stands.operations == len(before.whole):
        return before.operations
    return segments.load(transaction, segments.find(transaction, before.place(Role.BASE)))


def _check(reached: OperationSet, difference: Difference) -> None:
    """Refuse a difference that does not lead to the set that it states."""
    found = Acknowledged.of(reached)
    if found != difference.after:
        raise FormatError(
            f"usage report.set: its base and what it adds are {found.operations:,} operations with sha256 "
            f"{found.sha256}, it says {difference.after.operations:,} with {difference.after.sha256}"
        )


def _keep_base(
    transaction: Transaction, before: Reported, reached: OperationSet, union: OperationSet
) -> None:
    """Keep the set that the next difference starts from, unless it is all that the lease ever reported."""
    kept = segments.find(transaction, before.place(Role.BASE))
    known = segments.load(transaction, kept)
    if len(reached) == len(union):
        segments.rewrite(transaction, kept, nothing(before.space))
    elif len(known) and known <= reached:
        segments.append(transaction, kept, reached - known)
    else:
        segments.rewrite(transaction, kept, reached)


def _after(before: Reported, report: Usage, customer: str, whole: Lazy, now: datetime) -> Reported:
    """All that a lease has reported, with a report: a complete one states the sequence."""
    counted, difference = _stated(report)
    history, sequence = before.history, before.sequence
    if difference.complete:
        same = history == counted.history
        history, sequence = (
            counted.history,
            max(sequence or 0, counted.sequence) if same else counted.sequence,
        )
    passed_on = before.customer != customer
    return replace(
        before,
        customer=customer,
        history=history,
        sequence=sequence,
        whole=whole,
        left_out=Lazy.of(before.excluded | before.operations) if passed_on else before.left_out,
        issued=max(before.issued, dated(report, now)),
        base=Base(history=counted.history, stands=difference.after),
    )
