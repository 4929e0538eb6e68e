"""
What an invoice needs: what was newly used in a period, of which license, customer and space, and whose meters
lost something in it.

Meters hold what is used by now. A total at the end of a period is what the meter holds, less what came since.
So a question costs what came in the period, and what came since then of the same licenses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, and_, case, func, select, tuple_

from ternary_license_server.database.schema import customers, licenses, meter_entries, meter_losses, meters
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.groups import of_group
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.space import Space

_AT_ONCE: Final = 500
"""Lines that are read at a time."""


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
            "share_of_space": share(self.total, self.space.size),
            "all_spaces": self.all_spaces,
            "quota": self.quota,
            "share_of_quota": share(self.all_spaces, self.quota) if self.quota else None,
        }


def lines(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
    after: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> Iterator[Line]:
    """What was newly returned from ``start`` up to, not including, ``end``, for each license with any.

    A license that changed hands has lines for each customer, one that is used for several spaces for each.
    The lines are read as they are taken, within the transaction: at most ``limit``, after the one of a
    customer, license and space.
    """
    query = lines_query(seconds(start), seconds(end), license_id, customer, after=after, limit=limit)
    for row in transaction.stream(query, _AT_ONCE):
        yield Line(
            license=row.license,
            customer=row.customer,
            customer_name=row.name,
            space=Space.parse(row.space),
            operations=int(row.operations),
            late=int(row.late),
            taken_back=int(row.taken_back),
            total=int(row.held - row.since),
            all_spaces=int(row.held_of_all - row.since_of_all),
            quota=row.unique_operations,
        )


def lines_query(
    start: int,
    end: int,
    license_id: str | None,
    customer: str | None,
    *,
    after: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """The lines of a period: its entries by an index, then one meter and what came since for each line."""
    entry = meter_entries.c
    place = entry.customer, entry.license, entry.space
    period = (
        select(
            entry.license,
            entry.customer,
            entry.space,
            _sum(entry.operations > 0, entry.operations).label("operations"),
            _sum(and_(entry.late, entry.operations > 0), entry.operations).label("late"),
            _sum(entry.operations < 0, -entry.operations).label("taken_back"),
        )
        .where(entry.received >= start, entry.received < end, *chosen(license_id, customer))
        .where(*_behind(place, after))
        .group_by(*place)
        .order_by(*place)
        .limit(limit)
        .cte("period")
    )
    whose = and_(meters.c.license == period.c.license, meters.c.customer == period.c.customer)
    later = meter_entries.alias("later")
    of_theirs = and_(
        later.c.license == period.c.license, later.c.customer == period.c.customer, later.c.received >= end
    )
    spaces = meters.alias("spaces")
    of_all = and_(spaces.c.license == period.c.license, spaces.c.customer == period.c.customer)
    held = select(func.sum(spaces.c.operations)).where(of_all)
    since = select(func.coalesce(func.sum(later.c.operations), 0)).where(of_theirs)
    return (
        select(
            period,
            meters.c.operations.label("held"),
            since.where(later.c.space == period.c.space).scalar_subquery().label("since"),
            held.scalar_subquery().label("held_of_all"),
            since.scalar_subquery().label("since_of_all"),
            licenses.c.unique_operations,
            customers.c.name,
        )
        .join(meters, and_(whose, meters.c.space == period.c.space))
        .join(licenses, licenses.c.id == period.c.license)
        .join(customers, customers.c.id == period.c.customer)
        .order_by(period.c.customer, period.c.license, period.c.space)
    )


def chosen(license_id: str | None, customer: str | None) -> list[ColumnElement[bool]]:
    """Conditions on entries: of one license, of one customer and those merged into it, or none."""
    entry, found = meter_entries.c, list[ColumnElement[bool]]()
    if license_id is not None:
        found.append(entry.license == license_id)
    if customer is not None:
        found.append(of_group(entry.customer, customer))
    return found


def flagged(
    transaction: Transaction,
    *,
    start: datetime,
    end: datetime,
    license_id: str | None = None,
    customer: str | None = None,
    after: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> Iterator[dict[str, Json]]:
    """Installations that in a period sent a report which lacked what an earlier one had.

    Each stands with the customer whose lease it was, the space, the most that a report lacked, whether a set
    began anew, and the moment of the last such report. At most ``limit``, after the one of a license,
    installation, customer and space.
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
        .where(loss.received >= seconds(start), loss.received < seconds(end), *_behind(holder, after))
        .group_by(*holder)
        .order_by(*holder)
        .limit(limit)
    )
    if license_id is not None:
        query = query.where(loss.license == license_id)
    if customer is not None:
        query = query.where(of_group(loss.customer, customer))
    for row in transaction.stream(query, _AT_ONCE):
        yield dict(row._mapping) | {"restarted": bool(row.restarted)}


def _behind(place: Sequence[Column[Any]], after: tuple[str, ...] | None) -> list[ColumnElement[bool]]:
    """That a row comes after another one, by the columns that order them."""
    return [] if after is None else [tuple_(*place) > tuple_(*after)]


def _sum(where: ColumnElement[bool], what: ColumnElement[int]) -> ColumnElement[int]:
    return func.sum(case((where, what), else_=0))


def share(part: int, whole: int) -> str:
    """A share as a decimal string with six places, rounded down."""
    millionths = part * 1_000_000 // whole
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
