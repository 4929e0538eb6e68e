"""
A customer's account of a product: the licenses that are billed together, their prices and their operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, func, or_, select

from ternary_license_server.database.schema import (
    customers,
    lease_numbers,
    licenses,
    meter_entries,
    products,
    revocations,
)
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import entries, groups, placements, price_terms, records
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.price_terms import Priced
from ternary_license_server.service.records import moment, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.pricing.invoice_claims import Customer
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

_AT_ONCE: Final = 16
"""Entries that are read at a time: one may hold millions of operations."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one customer's licenses of one product are invoiced by."""

    customer: Customer
    """Whom invoices are for."""
    product: str
    """What the licenses are of."""
    members: tuple[str, ...]
    """The customer's id, and those of customers that were merged into it, in the order of their mergers."""
    priced: tuple[Priced, ...]
    """The licenses under prices, ascending; those handed on to others too, if they were used."""
    prices: PriceList
    """The one price list of those that the customer had in the month, else of those that were handed on."""

    @property
    def licenses(self) -> tuple[str, ...]:
        """The ids of the licenses."""
        return tuple(one.license for one in self.priced)


@dataclass(frozen=True, kw_only=True)
class Metered:
    """What the meters of an account have of one space, up to a moment."""

    counts: OperationSet
    """Operations that any of its licenses returned since it has prices, less those taken back and those
    free."""
    taken_back: OperationSet
    """Operations that were taken back and that none of its licenses counts any more."""
    free: OperationSet
    """Operations that a license returned before it had prices: they are never billed."""


def find_customer(transaction: Transaction, wanted: str) -> Customer:
    """A customer by id, or by a name that only one has.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if several have this name.
    """
    this = or_(customers.c.id == wanted, customers.c.name == wanted)
    found = transaction.execute(select(customers).where(this).order_by(customers.c.id)).all()
    exact = [row for row in found if row.id == wanted] or found
    if not exact:
        raise ServiceError(Code.UNKNOWN, f"customer {wanted}: there is none of this name or id")
    if len(exact) > 1:
        ids = ", ".join(row.id for row in exact[:5])
        raise ServiceError(
            Code.CONFLICT, f"customer {wanted}: {len(exact)} have this name; take an id: {ids}"
        )
    return Customer(id=exact[0].id, name=exact[0].name)


def find_product(transaction: Transaction, customer: Customer, wanted: str | None, month: Month) -> str:
    """A product by its name, or the only one that a customer is billed for in a month.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if none is named and there are several.
    """
    if wanted is not None:
        if transaction.execute(select(products).where(products.c.name == wanted)).first() is None:
            raise ServiceError(Code.UNKNOWN, f"product {wanted}: nothing was released under this name")
        return wanted
    theirs = _of(groups.group(transaction, customer.id), month)
    query = placements.in_month(month, theirs, price_terms.has_prices())
    found = sorted({row.product for row in transaction.execute(query)})
    if not found:
        raise _nothing_priced(customer, "any product")
    if len(found) > 1:
        raise ServiceError(
            Code.CONFLICT,
            f"customer {customer.name}: is billed for {', '.join(found)}; say which product",
        )
    return str(found[0])


def find(
    transaction: Transaction, customer: Customer, product: str, month: Month, *, locked: bool
) -> Account:
    """The account of a customer and a product in a month.

    Args:
        transaction: A writing one if ``locked``.
        customer: Whose.
        product: Of which.
        month: By whose price lists.
        locked: Whether reports to its licenses wait until the transaction ends.
    Raises:
        ServiceError: CONFLICT, if no license of it has a price list, or licenses have different ones.
    """
    members = groups.group(transaction, customer.id)
    theirs = (_of(members, month), licenses.c.product == product)
    if locked:
        for row in transaction.execute(select(licenses.c.id).where(*theirs).order_by(licenses.c.id)).all():
            records.lock(transaction, row.id)
    priced = price_terms.priced(transaction, month, *theirs)
    if not priced:
        raise _nothing_priced(customer, product)
    own = _own(transaction, priced, groups.group(transaction, customer.id, before=month.end), month)
    lists = {one.prices: one.policy for one in own}
    prices = read_prices(own[0].prices)
    if len(lists) > len(set(lists.values())):
        first, second, *_ = sorted({one.prices: one.license for one in own}.values())
        raise ServiceError(
            Code.CONFLICT,
            f"customer {customer.name}: licenses of {product} under one policy, such as {first} and "
            f"{second}, have different prices: an earlier list, or overage of their own; give them the same "
            "overage, or change them to one price list",
        )
    if len(lists) > 1 or prices is None:
        raise ServiceError(
            Code.CONFLICT,
            f"customer {customer.name}: licenses of {product} are under policies of different prices "
            f"({', '.join(sorted(lists.values()))}); change them to policies of one price list",
        )
    return Account(
        customer=replace(customer, licensed_as=_licensed_as(transaction, customer, members, priced)),
        product=product,
        members=tuple(members),
        priced=tuple(priced),
        prices=prices,
    )


def own_in(
    transaction: Transaction, customer: str, product: str, month: Month, *where: ColumnElement[bool]
) -> list[Priced]:
    """The licenses under prices that a customer, and those merged into it by then, had in a month."""
    members = groups.group(transaction, customer, before=month.end)
    theirs = (_of(members, month), licenses.c.product == product, *where)
    priced = price_terms.priced(transaction, month, *theirs)
    return [one for one in _own(transaction, priced, members, month) if one.customer in members]


def products_of(transaction: Transaction, members: Sequence[str]) -> list[str]:
    """The products of which customers have, had or used licenses."""
    theirs = _of(members, Month.parse("1970-01"))
    query = select(licenses.c.product).where(theirs).distinct().order_by(licenses.c.product)
    return [row.product for row in transaction.execute(query)]


def first_month(transaction: Transaction, account: Account) -> Month | None:
    """The month in which anything of an account was received first; None if nothing was."""
    entry = meter_entries.c
    query = select(func.min(entry.received)).where(
        entry.customer.in_(account.members), entry.license.in_(account.licenses)
    )
    first = transaction.execute(query).scalar_one()
    return None if first is None else Month.of(moment(first))


def metered(transaction: Transaction, account: Account, end: datetime) -> dict[Space, Metered]:
    """What an account's meters have of each space, by entries from before ``end``."""
    entry = meter_entries.c
    query = (
        select(
            entry.license,
            entry.customer,
            entry.space,
            entry.received,
            entry.operations,
            entry.bitmap,
            entry.gaps,
        )
        .where(
            entry.customer.in_(account.members),
            entry.license.in_(account.licenses),
            entry.received < seconds(end),
        )
        .order_by(entry.license, entry.number)
    )
    billed_from = {one.license: seconds(one.billed_from) for one in account.priced}
    alone: dict[tuple[str, str, Space, bool], OperationSet] = {}
    taken_back: dict[Space, OperationSet] = {}
    for row in transaction.execute(query.execution_options(yield_per=_AT_ONCE)):
        space = Space.parse(row.space)
        changed = entries.read(row, space)
        free = row.received < billed_from[row.license]
        for of in (True, False) if row.operations < 0 else (free,):
            whose = (row.license, row.customer, space, of)
            before = alone.get(whose, nothing(space))
            alone[whose] = before - changed if row.operations < 0 else before | changed
        if row.operations < 0:
            taken_back[space] = taken_back.get(space, nothing(space)) | changed
    together: dict[tuple[Space, bool], OperationSet] = {}
    for (_, _, space, free), operations in alone.items():
        together[space, free] = together.get((space, free), operations) | operations
    return {
        space: _metered(space, together, taken_back) for space in sorted({space for space, _ in together})
    }


def _own(
    transaction: Transaction, priced: list[Priced], members: Sequence[str], month: Month
) -> list[Priced]:
    """The licenses whose price list is the account's in a month: those that its customers had at its end.

    A license that came later, or was revoked by then, says nothing of the month; where there is no other, it
    has to.
    """
    theirs = [one for one in priced if one.customer in members]
    had = [one for one in theirs if Month.of(one.since) <= month] or theirs or priced
    revoked = _revoked(transaction, [one.license for one in had], month.end)
    standing = [one for one in had if one.license not in revoked]
    if standing or not had:
        return standing
    last = max(revoked.values())
    return [one for one in had if revoked[one.license] == last]


def _revoked(transaction: Transaction, names: Sequence[str], end: datetime) -> dict[str, int]:
    """When those of some licenses were revoked that were so before a moment."""
    here = revocations.c
    query = select(here.license, here.revoked).where(here.license.in_(names), here.revoked < seconds(end))
    return {row.license: row.revoked for row in transaction.execute(query)}


def _metered(
    space: Space, together: dict[tuple[Space, bool], OperationSet], taken_back: dict[Space, OperationSet]
) -> Metered:
    empty = nothing(space)
    counts, free = together.get((space, False), empty), together.get((space, True), empty)
    taken = taken_back.get(space, empty)
    return Metered(counts=counts - free, taken_back=taken - counts, free=free)


def _of(members: Sequence[str], month: Month) -> ColumnElement[bool]:
    """Licenses that customers have, that they handed on after a month, or that they used before."""
    used = exists().where(meter_entries.c.license == licenses.c.id, meter_entries.c.customer.in_(members))
    return or_(licenses.c.customer.in_(members), placements.had_by(members, month), used)


def _licensed_as(
    transaction: Transaction, customer: Customer, members: Sequence[str], priced: Sequence[Priced]
) -> tuple[str, ...]:
    """The names that tokens of these licenses carry, or carried, other than the customer's."""
    given = lease_numbers.c
    query = (
        select(func.coalesce(given.licensee, customers.c.name))
        .join(customers, customers.c.id == given.customer)
        .where(given.customer.in_(members), given.license.in_([one.license for one in priced]))
        .distinct()
    )
    names = {str(name) for (name,) in transaction.execute(query)}
    return tuple(sorted(names - {customer.name, ""}))


def _nothing_priced(customer: Customer, product: str) -> ServiceError:
    return ServiceError(
        Code.CONFLICT,
        f"customer {customer.name}: no license of {product} is under a policy with prices; make a policy "
        "with --prices and put the licenses under it",
    )
