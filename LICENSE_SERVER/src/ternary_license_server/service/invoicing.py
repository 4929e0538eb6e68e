"""
What an invoice needs: what was newly used in a period, of which license and of which customer, and whose
meters lost something in it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ternary_license_server.database.schema import licenses, meter_entries, meter_losses
from ternary_license_server.service.records import seconds
from ternary_sdk.documents.canonical import Json
from ternary_sdk.operations import OPERATIONS


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
    transaction: Connection,
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


def flagged(
    transaction: Connection,
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
