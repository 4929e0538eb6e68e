"""
What a quota allows: how many different operations the sets of a license have, those of an owner together.
"""

import sqlite3
from collections.abc import Sequence

from ternary_sdk._internal.licensing import ledger_rows
from ternary_sdk._internal.licensing.ledger_sets import Row
from ternary_sdk.errors import LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


def count(
    connection: sqlite3.Connection,
    license_id: str,
    rows: Sequence[Row],
    quota: int,
    operations: OperationSet,
    lease: str | None,
    owner: str | None,
) -> None:
    """Grow the set of a lease by what it lacks, if the quota allows it.

    Args:
        connection: The meter, in a transaction that may write.
        license_id: The license.
        rows: All its sets.
        quota: How many different operations it may return to one owner.
        operations: What is about to be returned.
        lease: The lease's number; None if the license has none.
        owner: The customer that the license names.
    Raises:
        LicenseError: QUOTA_EXHAUSTED; nothing is written then.
    """
    theirs = of_owner(rows, owner)
    before = ledger_rows.chosen(rows, lease, owner, operations.space)
    missing = before.members.lacking(operations) if before else operations
    more = len(lacking([row for row in theirs if row is not before], missing))
    # Sets of several leases may share operations, so their sizes together are only an upper bound, but one
    # that costs nothing.
    if more and sum(len(row.members) for row in theirs) + more > quota:
        total = sum(totals(theirs).values())
        if total + more > quota:
            _refuse(license_id, quota, total, more)
    if len(missing):
        ledger_rows.grow(connection, license_id, before, missing, lease=lease, owner=owner)


def of_owner(rows: Sequence[Row], owner: str | None) -> list[Row]:
    """What was returned to one owner, or to one that is not known; to all if none is given."""
    return [row for row in rows if owner is None or row.owner in (owner, None)]


def lacking(rows: Sequence[Row], operations: OperationSet) -> OperationSet:
    """Those of some operations that no set has."""
    for row in rows:
        if row.space == operations.space:
            operations = row.members.lacking(operations)
    return operations


def union(rows: Sequence[Row], space: Space) -> OperationSet:
    """The operations of a space that any set has."""
    together = OperationSet.of([], space)
    for row in rows:
        if row.space == space:
            together |= row.members.operations
    return together


def totals(rows: Sequence[Row]) -> dict[Space, int]:
    """How many different operations there are of each space."""
    spaces: dict[Space, list[Row]] = {}
    for row in rows:
        spaces.setdefault(row.space, []).append(row)
    return {
        space: len(some[0].members) if len(some) == 1 else len(union(some, space))
        for space, some in sorted(spaces.items())
    }


def _refuse(license_id: str, quota: int, before: int, more: int) -> None:
    raise LicenseError(
        Reason.QUOTA_EXHAUSTED,
        f"license {license_id} allows {quota} different operations; {before} are drawn and this call "
        f"would draw {more} more; ask for fewer, or ask the vendor for a larger quota",
    )
