"""
What an invoice needs: what was newly used in a period, of which license, which customer and which space, and
whose meters lost something in it.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, case, func, select

from ternary_license_server.database.schema import customers, licenses, meter_entries, meter_losses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import entries
from ternary_license_server.service.groups import of_group, remaining
from ternary_license_server.service.records import seconds
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

_AT_ONCE: Final = 16
"""Entries that are read at a time: one may hold millions of operations."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an invoice's annex: of one license, one customer and one space."""

    license: str
    customer: str
    customer_name: str
    space: Space
    operations: int
    """Different operations newly returned in the period."""
    late: int
    """How many of them came from leases that were not held any more: they do not count for the quota."""
    taken_back: int
    """How many operations the vendor took back in the period by corrections."""
    total: int
    """Different operations of the space that this customer returned under the license up to the end of the
    period, less those taken back."""
    all_spaces: int
    """The totals of all spaces added up, those without a line in the period included."""
    quota: int | None
    """How many operations of all spaces together the license allows."""

    def facts(self) -> dict[str, Json]:
        """The line as JSON; shares are decimal strings with six places, rounded down.

        ``share_of_space`` is the total's, ``share_of_quota`` that of all spaces: the same in each line of a
        license and customer.
        """
        return {
            "license": self.license,
            "customer": self.customer,
            "customer_name": self.customer_name,
            "space": str(self.space),
            "operations": self.operations,
            "late": self.late,
            "taken_back": self.taken_back,
            "total": self.total,
            "share_of_space": _share(self.total, self.space.size),
            "all_spaces": self.all_spaces,
            "quota": self.quota,
            "share_of_quota": _share(self.all_spaces, self.quota) if self.quota else None,
        }


def lines(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
) -> list[Line]:
    """What was newly returned from ``start`` up to, not including, ``end``, for each license with any.

    A license that changed hands has lines for each customer, one that is used for several spaces for each.
    """
    entry = meter_entries.c
    before_end = (
        select(entry.license, entry.customer, entry.space, func.sum(entry.operations).label("total"))
        .where(entry.received < seconds(end))
        .group_by(entry.license, entry.customer, entry.space)
        .cte("before_end")
    )
    added_up = (
        select(before_end.c.license, before_end.c.customer, func.sum(before_end.c.total).label("total"))
        .group_by(before_end.c.license, before_end.c.customer)
        .subquery()
    )
    whose = (entry.license, entry.customer, entry.space)
    query = (
        select(
            *whose,
            customers.c.name,
            _sum(entry.operations > 0, entry.operations).label("operations"),
            _sum(and_(entry.late, entry.operations > 0), entry.operations).label("late"),
            _sum(entry.operations < 0, -entry.operations).label("taken_back"),
            before_end.c.total,
            added_up.c.total.label("all_spaces"),
            licenses.c.unique_operations,
        )
        .join(
            before_end,
            and_(
                before_end.c.license == entry.license,
                before_end.c.customer == entry.customer,
                before_end.c.space == entry.space,
            ),
        )
        .join(added_up, and_(added_up.c.license == entry.license, added_up.c.customer == entry.customer))
        .join(licenses, licenses.c.id == entry.license)
        .join(customers, customers.c.id == entry.customer)
        .where(entry.received >= seconds(start), entry.received < seconds(end))
        .group_by(
            *whose, customers.c.name, before_end.c.total, added_up.c.total, licenses.c.unique_operations
        )
        .order_by(entry.customer, entry.license, entry.space)
    )
    if license_id is not None:
        query = query.where(entry.license == license_id)
    if customer is not None:
        query = query.where(of_group(entry.customer, customer))
    return [
        Line(
            license=row.license,
            customer=row.customer,
            customer_name=row.name,
            space=Space.parse(row.space),
            operations=int(row.operations),
            late=int(row.late),
            taken_back=int(row.taken_back),
            total=int(row.total),
            all_spaces=int(row.all_spaces),
            quota=row.unique_operations,
        )
        for row in transaction.execute(query)
    ]


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
            "share_of_space": _share(self.total, self.space.size),
        }


def customer_lines(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
) -> list[CustomerLine]:
    """The union over each customer's licenses, or over the one asked for, where a license has a line.

    Each space has a line of its own; operations of two spaces are never the same.
    """
    entry = meter_entries.c
    within = entry.received >= seconds(start)
    query = (
        select(
            remaining().label("customer"),
            entry.space,
            func.count(entry.license.distinct()).label("licenses"),
            func.count(entry.customer.distinct()).label("customers"),
            func.min(entry.operations).label("least"),
            _sum(within, entry.operations).label("operations"),
            func.sum(entry.operations).label("total"),
        )
        .join(customers, customers.c.id == entry.customer)
        .where(entry.received < seconds(end))
        .group_by(remaining(), entry.space)
        .having(func.max(entry.received) >= seconds(start))
        .order_by(remaining(), entry.space)
    )
    chosen = []
    if license_id is not None:
        chosen.append(entry.license == license_id)
    if customer is not None:
        chosen.append(of_group(entry.customer, customer))
    return [
        _alone(row)
        if row.licenses == row.customers == 1 and row.least >= 0
        else _together(transaction, row.customer, Space.parse(row.space), start, end, chosen)
        for row in transaction.execute(query.where(*chosen)).all()
    ]


def _alone(row: Row[Any]) -> CustomerLine:
    """The line of one license of which nothing was taken back: its entries are disjoint, so they add up."""
    return CustomerLine(
        customer=row.customer,
        space=Space.parse(row.space),
        operations=int(row.operations),
        taken_back=0,
        total=int(row.total),
    )


def _together(
    transaction: Transaction,
    customer: str,
    space: Space,
    start: datetime,
    end: datetime,
    chosen: list[ColumnElement[bool]],
) -> CustomerLine:
    """The union of a customer's licenses for a space, from the sets themselves."""
    entry = meter_entries.c
    query = (
        select(entry.license, entry.customer, entry.received, entry.operations, entry.bitmap, entry.gaps)
        .where(
            of_group(entry.customer, customer),
            entry.space == str(space),
            entry.received < seconds(end),
            *chosen,
        )
        .order_by(entry.license, entry.customer, entry.number)
    )
    before = after = nothing(space)
    every = transaction.execute(query.execution_options(yield_per=_AT_ONCE))
    for _, of_license in groupby(every, key=lambda row: (row.license, row.customer)):
        known = during = nothing(space)
        for row in of_license:
            during = _entered(during, row)
            if row.received < seconds(start):
                known = _entered(known, row)
        before, after = before | known, after | during
    return CustomerLine(
        customer=customer,
        space=space,
        operations=len(after - before),
        taken_back=len(before - after),
        total=len(after),
    )


def _entered(operations: OperationSet, row: Any) -> OperationSet:
    """A set after an entry: with what was added, or without what was taken back."""
    changed = entries.read(row, operations.space)
    return operations - changed if row.operations < 0 else operations | changed


def _sum(where: ColumnElement[bool], what: ColumnElement[int]) -> ColumnElement[int]:
    return func.sum(case((where, what), else_=0))


def flagged(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
) -> list[dict[str, Json]]:
    """Installations that in a period sent a report which lacked what an earlier one had.

    Each stands with the customer whose lease it was, the space, the most that a report lacked, whether a set
    began anew, and the moment of the last such report.
    """
    loss = meter_losses.c
    holder = (loss.license, loss.installation, loss.customer, loss.space)
    query = (
        select(
            *holder,
            func.max(loss.lost).label("lost"),
            func.max(case((loss.restarted, 1), else_=0)).label("restarted"),
            func.max(loss.received).label("received"),
        )
        .where(loss.received >= seconds(start), loss.received < seconds(end))
        .group_by(*holder)
        .order_by(*holder)
    )
    if license_id is not None:
        query = query.where(loss.license == license_id)
    if customer is not None:
        query = query.where(of_group(loss.customer, customer))
    return [dict(row._mapping) | {"restarted": bool(row.restarted)} for row in transaction.execute(query)]


def _share(part: int, whole: int) -> str:
    millionths = part * 1_000_000 // whole
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
