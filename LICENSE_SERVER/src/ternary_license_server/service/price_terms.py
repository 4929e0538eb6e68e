"""
Which price list holds for a license in a month, and since when it is billed.

A policy's first list is in its row; later ones are added, each from a month on, and never changed. A list may
be for licenses that come later alone: those that are there keep theirs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, exists, or_, select

from ternary_license_server.database.schema import policies, policy_prices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import overage, placements
from ternary_license_server.service.records import moment
from ternary_license_server.service.terms import Terms
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A license under prices."""

    license: str
    """Its id."""
    customer: str
    """Who had it at the end of the month; who has it now, if the month is not over."""
    policy: str
    """By whose list."""
    prices: str
    """The list with the license's overage, as canonical JSON."""
    since: datetime
    """Since when it is under prices: no month before costs a fee."""
    billed_from: datetime
    """Operations that the server received earlier are not billed."""


def has_prices() -> ColumnElement[bool]:
    """Policies that have a price list, now or from some month on; a condition on a query of them."""
    later = exists().where(policy_prices.c.policy == policies.c.name)
    return or_(policies.c.prices.is_not(None), later)


def priced(transaction: Transaction, month: Month, *where: ColumnElement[bool]) -> list[Priced]:
    """Licenses for which a list holds in a month, ascending by id; as they were in that month.

    Args:
        transaction: Any.
        month: Which.
        where: Conditions on the licenses as they are now.
    """
    found = transaction.execute(placements.in_month(month, has_prices(), *where)).all()
    lists = _lists(transaction, {row.policy for row in found})
    every = (_priced(row, lists.get(row.policy, []), month) for row in found)
    return [one for one in every if one is not None]


def in_force(
    transaction: Transaction, policy: str, month: Month, first: str | None, terms: Terms
) -> str | None:
    """The list that a license gets which comes under a policy in a month; None if that has none then.

    Args:
        transaction: Any.
        policy: Its name.
        month: Which.
        first: The list of the policy's row.
        terms: The license's.
    """
    return overage.effective(of_policy(transaction, policy, month, first), terms)


def of_policy(transaction: Transaction, policy: str, month: Month, first: str | None) -> str | None:
    """The list of a policy in a month, for whoever comes under it then; without anybody's overage."""
    later = [row for row in _lists(transaction, {policy}).get(policy, []) if row.month <= str(month)]
    return str(later[-1].prices) if later else first


def first_list(transaction: Transaction, policy: str) -> str | None:
    """The price list with which a policy was made, as canonical JSON."""
    query = select(policies.c.prices).where(policies.c.name == policy)
    first: str | None = transaction.execute(query).scalar_one()
    return first


def every_list(transaction: Transaction, policy: str) -> list[PriceList]:
    """A policy's price lists: the first, if it had one, and those that it got later."""
    later, first = policy_prices.c, first_list(transaction, policy)
    query = select(later.prices).where(later.policy == policy).order_by(later.number)
    texts = ([] if first is None else [first]) + list(transaction.execute(query).scalars())
    return [PriceList.read(canonical.decode(text.encode(), "price list")) for text in texts]


def _lists(transaction: Transaction, names: set[str]) -> dict[str, list[Row[Any]]]:
    """The later lists of policies, in the order in which they come into force."""
    found: dict[str, list[Row[Any]]] = {}
    here = policy_prices.c
    query = select(policy_prices).where(here.policy.in_(names)).order_by(here.month, here.number)
    for row in transaction.execute(query):
        found.setdefault(row.policy, []).append(row)
    return found


def _priced(license: Any, lists: list[Row[Any]], month: Month) -> Priced | None:
    placed = license.created if license.placed is None else license.placed
    theirs = [row for row in lists if row.existing or placed >= row.created]
    due = [row for row in theirs if row.month <= str(month)]
    prices = overage.effective(due[-1].prices if due else license.prices, license)
    if prices is None:
        return None
    since, billed_from = license.priced, license.billed_from
    if since is None:  # it was free when it came under its policy
        start = Month.parse(theirs[0].month).start
        begins = max(start, moment(placed))
        earlier = theirs[0].bill_earlier
        return _made(license, prices, begins, ALWAYS if earlier else begins)
    return _made(license, prices, moment(since), moment(billed_from))


def _made(license: Any, prices: str, since: datetime, billed_from: datetime) -> Priced:
    return Priced(
        license=license.id,
        customer=license.customer,
        policy=license.policy,
        prices=prices,
        since=since,
        billed_from=billed_from,
    )
