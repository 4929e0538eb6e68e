"""
What an invoice needs: what was newly used in a period, of which license and of which customer, and whose
meters lost something in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select

from ternary_license_server.database.schema import licenses, meter_entries, meter_losses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import seconds
from ternary_sdk.documents.canonical import Json
from ternary_sdk.operations import OPERATIONS, OperationSet


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an invoice's annex."""

    license: str
    customer: str
    operations: int
    """Different operations newly returned in the period."""
    total: int
    """Different operations returned under the license up to the end of the period."""
    quota: int | None
    """How many it allows."""

    def facts(self) -> dict[str, Json]:
        """The line as JSON; shares are decimal strings with six places, rounded down."""
        return {
            "license": self.license,
            "customer": self.customer,
            "operations": self.operations,
            "total": self.total,
            "share_of_space": _share(self.total, OPERATIONS),
            "quota": self.quota,
            "share_of_quota": _share(self.total, self.quota) if self.quota else None,
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

    A license that changed hands has a line for each customer.
    """
    entry = meter_entries.c
    before_end = (
        select(entry.license, func.sum(entry.operations).label("total"))
        .where(entry.received < seconds(end))
        .group_by(entry.license)
        .subquery()
    )
    query = (
        select(
            entry.license,
            entry.customer,
            func.sum(entry.operations).label("operations"),
            before_end.c.total,
            licenses.c.unique_operations,
        )
        .join(before_end, before_end.c.license == entry.license)
        .join(licenses, licenses.c.id == entry.license)
        .where(entry.received >= seconds(start), entry.received < seconds(end))
        .group_by(entry.license, entry.customer, before_end.c.total, licenses.c.unique_operations)
        .order_by(entry.customer, entry.license)
    )
    if license_id is not None:
        query = query.where(entry.license == license_id)
    if customer is not None:
        query = query.where(entry.customer == customer)
    return [
        Line(
            license=row.license,
            customer=row.customer,
            operations=int(row.operations),
            total=int(row.total),
            quota=row.unique_operations,
        )
        for row in transaction.execute(query)
    ]


@dataclass(frozen=True, kw_only=True)
class CustomerLine:
    """All of a customer's licenses together: an operation that several of them returned counts once."""

    customer: str
    operations: int
    """Different operations that none of them had returned before the period."""
    total: int
    """Different operations that they returned up to the end of the period."""

    def facts(self) -> dict[str, Json]:
        """The line as JSON."""
        return {
            "customer": self.customer,
            "operations": self.operations,
            "total": self.total,
            "share_of_space": _share(self.total, OPERATIONS),
        }


def customer_lines(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
) -> list[CustomerLine]:
    """The union over each customer's licenses, or over the one asked for, where a license has a line."""
    entry = meter_entries.c
    query = (
        select(entry.customer, entry.received, entry.bitmap)
        .where(entry.received < seconds(end))
        .order_by(entry.customer)
    )
    if license_id is not None:
        query = query.where(entry.license == license_id)
    if customer is not None:
        query = query.where(entry.customer == customer)
    every = groupby(transaction.execute(query), key=lambda row: str(row.customer))
    found = (
        _together(name, ((row.received >= seconds(start), bytes(row.bitmap)) for row in rows))
        for name, rows in every
    )
    return [line for line in found if line is not None]


def _together(customer: str, entries: Iterable[tuple[bool, bytes]]) -> CustomerLine | None:
    """The union of entries, each with whether it is of the period; None if none is."""
    parts = {False: OperationSet.of([]), True: OperationSet.of([])}
    for within, bitmap in entries:
        parts[within] |= OperationSet.from_bytes(bitmap)
    before, during = parts[False], parts[True]
    if not len(during):
        return None
    return CustomerLine(customer=customer, operations=len(during - before), total=len(before | during))


def flagged(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
) -> list[dict[str, Json]]:
    """Installations that in a period sent a report which lacked what an earlier one had.

    Each stands with the customer whose license it was then, the most that a report lacked, and the moment of
    the last such report.
    """
    loss = meter_losses.c
    holder = (loss.license, loss.installation, loss.customer)
    query = (
        select(*holder, func.max(loss.lost).label("lost"), func.max(loss.received).label("received"))
        .where(loss.received >= seconds(start), loss.received < seconds(end))
        .group_by(*holder)
        .order_by(*holder)
    )
    if license_id is not None:
        query = query.where(loss.license == license_id)
    if customer is not None:
        query = query.where(loss.customer == customer)
    return [dict(row._mapping) for row in transaction.execute(query)]


def _share(part: int, whole: int) -> str:
    millionths = part * 1_000_000 // whole
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
