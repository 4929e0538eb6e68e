"""
What all licenses of a customer together newly used in a period, each operation once.

The sets are those of the meters, from which every entry since is taken back in turn. So only customers that
have an entry in the period are read, and of them what their meters hold and what came since its beginning.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, tuple_

from ternary_license_server.database.schema import customers, meter_entries, meters
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import entries, metering
from ternary_license_server.service.groups import of_group, remaining
from ternary_license_server.service.invoicing import chosen, share
from ternary_license_server.service.records import seconds
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

_AT_ONCE: Final = 16
"""Entries that are read at a time: one may hold millions of operations."""


@dataclass(frozen=True, kw_only=True)
class CustomerLine:
    """All of a customer's licenses together, for one space, and of those merged into it: an operation that
    several of them returned counts once."""

    customer: str
    space: Space
    operations: int
    """Different operations that none of them had returned before the period."""
    taken_back: int
    """Operations that they had returned before the period and that were taken back in it."""
    total: int
    """Different operations that they returned up to the end of the period, less those taken back."""

    def facts(self) -> dict[str, Json]:
        """The line as JSON."""
        return {
            "customer": self.customer,
            "space": str(self.space),
            "operations": self.operations,
            "taken_back": self.taken_back,
            "total": self.total,
            "share_of_space": share(self.total, self.space.size),
        }


def customer_lines(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
    after: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> Iterator[CustomerLine]:
    """The union over each customer's licenses, or over the one asked for, where a license has a line.

    Each space has a line of its own; operations of two spaces are never the same.
    The lines are read as they are taken, within the transaction: at most ``limit``, after the one of a
    customer and space.
    """
    query = customers_query(seconds(start), seconds(end), license_id, customer).limit(limit)
    if after is not None:
        query = query.where(tuple_(remaining(), meter_entries.c.space) > tuple_(*after))
    for row in transaction.stream(query, _AT_ONCE):
        theirs = _meters(transaction, row, license_id)
        if len(theirs) == 1 and row.least >= 0:
            yield _alone(transaction, row, theirs[0], seconds(end))
        else:
            yield _together(transaction, row, theirs, seconds(start), seconds(end))


def customers_query(start: int, end: int, license_id: str | None, customer: str | None) -> Select[Any]:
    """Customers and spaces that have entries in a period; a merged customer is the one that remains."""
    entry = meter_entries.c
    return (
        select(
            remaining().label("customer"),
            entry.space,
            func.min(entry.operations).label("least"),
            func.sum(entry.operations).label("operations"),
        )
        .join(customers, customers.c.id == entry.customer)
        .where(entry.received >= start, entry.received < end, *chosen(license_id, customer))
        .group_by(remaining(), entry.space)
        .order_by(remaining(), entry.space)
    )


def _meters(transaction: Transaction, row: Row[Any], license_id: str | None) -> Sequence[Row[Any]]:
    """The meters of a customer, and of those merged into it, of a space: under which license, for whom."""
    query = meters_query(row.customer, row.space)
    if license_id is not None:
        query = query.where(meters.c.license == license_id)
    return transaction.execute(query).all()


def meters_query(customer: str, space: str) -> Select[Any]:
    """Under which licenses a customer, or one merged into it, has a meter of a space."""
    return (
        select(meters.c.license, meters.c.customer)
        .where(of_group(meters.c.customer, customer), meters.c.space == space)
        .order_by(meters.c.license, meters.c.customer)
    )


def _alone(transaction: Transaction, row: Row[Any], mine: Row[Any], end: int) -> CustomerLine:
    """The line of one meter of which nothing was taken back: its entries are disjoint, so they add up."""
    space = Space.parse(row.space)
    since = _since(mine, row.space, end).with_only_columns(
        func.coalesce(func.sum(meter_entries.c.operations), 0)
    )
    meter = metering.find(transaction, mine.license, mine.customer, space)
    return CustomerLine(
        customer=row.customer,
        space=space,
        operations=int(row.operations),
        taken_back=0,
        total=len(meter.whole) - int(transaction.execute(since).scalar_one()),
    )


def _together(
    transaction: Transaction, row: Row[Any], theirs: Sequence[Row[Any]], start: int, end: int
) -> CustomerLine:
    """The union of a customer's licenses for a space, from the sets themselves."""
    space = Space.parse(row.space)
    before = after = nothing(space)
    for mine in theirs:
        known = during = metering.find(transaction, mine.license, mine.customer, space).operations
        entry = meter_entries.c
        columns = entry.received, entry.operations, entry.bitmap, entry.gaps
        query = _since(mine, row.space, start).with_only_columns(*columns).order_by(entry.number.desc())
        for one in transaction.stream(query, _AT_ONCE):
            known = _without(known, one)
            during = during if one.received < end else known
        before, after = before | known, after | during
    return CustomerLine(
        customer=row.customer,
        space=space,
        operations=len(after - before),
        taken_back=len(before - after),
        total=len(after),
    )


def _since(mine: Row[Any], space: str, moment: int) -> Select[Any]:
    """A meter's entries from a moment on."""
    entry = meter_entries.c
    return select(meter_entries).where(
        entry.license == mine.license,
        entry.customer == mine.customer,
        entry.space == space,
        entry.received >= moment,
    )


def _without(operations: OperationSet, row: Any) -> OperationSet:
    """A set before an entry: without what it added, or with what it took back."""
    changed = entries.read(row, operations.space)
    return operations | changed if row.operations < 0 else operations - changed
