"""
Whose a license was, and under which policy, in a month that is over.

A license has its present customer and policy in its row. When one of them changes, what was before is kept
with the month of the change: it holds for the months before that one. So a month that is invoiced late is
invoiced by the prices that it had.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, and_, exists, func, insert, select, union_all, update

from ternary_license_server.database.schema import licenses, placements, policies, policy_prices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import LicenseRecord, moment
from ternary_sdk._internal.pricing.month import Month

_OWN: Final = (
    "customer",
    "policy",
    "placed",
    "priced",
    "billed_from",
    "unique_operations",
    "overage_amount",
    "overage_per",
)
"""Columns of a license that a placement keeps."""


def keep(transaction: Transaction, license: LicenseRecord, until: Month) -> None:
    """Keep whose a license is, and under which policy, for the months before ``until``.

    Args:
        transaction: With the license's row locked, before it changes.
        license: As it is before the change.
        until: The first month for which the change holds.
    """
    here = placements.c
    mine = and_(here.license == license.id, here.customer == license.customer, here.until > str(until))
    transaction.execute(update(placements).where(mine).values(until=str(until)))
    last = select(func.max(here.number)).where(here.license == license.id)
    number = 1 + (transaction.execute(last).scalar_one() or 0)
    columns = license.columns()
    row: dict[str, Any] = {name: columns[name] for name in _OWN}
    named = {"license": license.id, "number": number, "until": str(until)}
    transaction.execute(insert(placements), row | named)


def placed_now(transaction: Transaction, policy: str) -> datetime:
    """The moment at which a license comes under a policy: no earlier than the policy's last list.

    A list for licenses that come later is dated after those that are there, be it by a second.
    """
    last = select(func.max(policy_prices.c.created)).where(policy_prices.c.policy == policy)
    now = transaction.now.replace(microsecond=0)
    return max(now, moment(transaction.execute(last).scalar_one() or 0))


def after_all(transaction: Transaction, policy: str) -> datetime:
    """The moment of a list that is not for licenses that a policy has already."""
    here = licenses.c
    placed = select(func.max(func.coalesce(here.placed, here.created))).where(here.policy == policy)
    now = transaction.now.replace(microsecond=0)
    return max(now, moment(1 + (transaction.execute(placed).scalar_one() or 0)))


def in_month(month: Month, *where: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Licenses as they were at the end of a month, and ``prices``, the first list of their policy then.

    Args:
        month: Which.
        where: Conditions on ``licenses`` as they are now, and on ``policies`` as they were.
    """
    before = _before(month)
    always = licenses.c.id, licenses.c.product, licenses.c.created, policies.c.prices
    past = (
        select(*always, *(placements.c[name] for name in _OWN))
        .select_from(licenses)
        .join(placements, before)
        .join(policies, policies.c.name == placements.c.policy)
    )
    now = (
        select(*always, *(licenses.c[name] for name in _OWN))
        .join(policies, policies.c.name == licenses.c.policy)
        .where(~exists().where(before))
    )
    return union_all(past.where(*where), now.where(*where)).order_by("id")


def had_by(customers: Sequence[str], month: Month) -> ColumnElement[bool]:
    """Licenses that customers handed on after a month."""
    here = placements.c
    had = select(here.license).where(here.customer.in_(customers), here.until > str(month))
    return licenses.c.id.in_(had)


def _before(month: Month) -> ColumnElement[bool]:
    """The placement of a license that held in a month: the first that was left after it."""
    other = placements.alias("other")
    first = select(func.min(other.c.number)).where(
        other.c.license == licenses.c.id, other.c.until > str(month)
    )
    return and_(placements.c.license == licenses.c.id, placements.c.number == first.scalar_subquery())
