"""
Invoices: issued once for a customer, product and month, and then the same bytes for ever.

What an invoice bills is what the meters have and no earlier invoice billed. So a report that came late, or
came again after a restoration, is billed once, and what was taken back is a credit of the next invoice.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, func, insert, select, update

from ternary_license_server.database.schema import customers, invoices, products
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import (
    accounts,
    audit,
    billed_sets,
    computing,
    events,
    groups,
    invoice_order,
    restoring,
    succession,
)
from ternary_license_server.service.accounts import Account
from ternary_license_server.service.events import Kind
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.succession import NUMBERS
from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.pricing import invoice as documents
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.trust.trust import Role

_LISTED: Final = select(invoices, customers.c.name.label("customer_name")).join(
    customers, customers.c.id == invoices.c.customer
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which invoice is asked for."""

    customer: str
    """An id, or a name that only one has."""
    product: str | None
    """A name; None for the only one that the customer is billed for."""
    month: Month
    """Which month."""


class _Origin(NamedTuple):
    """How an invoice came, for the audit log."""

    action: str
    actor: str


def issue(
    transaction: Transaction, ring: KeyRing, wanted: Wanted, *, all_handed_in: bool, actor: str
) -> dict[str, Json]:
    """Issue an invoice; the one that was issued, where there is one.

    Args:
        transaction: A writing one.
        ring: The vendor's keys.
        wanted: Which.
        all_handed_in: In the restored mode, that every invoice issued since the backup was handed in.
        actor: Who asks.
    Returns:
        The document.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if the month is not over, an earlier one was not issued, or prices
            are missing or differ, or it would not continue the last one; TRY_LATER, in the restored mode.
        FormatError, SignatureError: If readers would refuse it, as with more than 1000 licenses.
    """
    audit.lock(transaction, NUMBERS)  # from here on no customer is merged or renamed
    customer = accounts.find_customer(transaction, wanted.customer)
    product = accounts.find_product(transaction, customer, wanted.product, wanted.month)
    known = _find(transaction, customer.id, product, wanted.month)
    if known is not None:
        return _document(known)
    groups.check_billed(transaction, customer.id)
    _check_restored(transaction, all_handed_in)
    account = accounts.find(transaction, customer, product, wanted.month, locked=True)
    _check_month(transaction, account, wanted.month)
    number = _next_number(transaction, wanted.month)
    made = computing.compute(transaction, ring.vendor, account, wanted.month, number)
    claims = made.claims()
    token = ring.signer(Role.ANSWER).sign_token(claims, typ=documents.TYP)
    data = documents.document(claims, token)
    Invoice.read(data, ring.trust)  # what a customer's reader refuses must not be kept for ever
    place = invoice_order.next_place(transaction)
    _keep(transaction, made, data, place, _Origin("invoice.issue", actor))
    events.record(transaction, Kind.INVOICE_ISSUED, number, _announced(made))
    return _document(_at(transaction, number))


def preview(transaction: Transaction, vendor: str, wanted: Wanted) -> dict[str, Json]:
    """What an invoice would state if its month were over now: without a number, and not signed.

    Raises:
        ServiceError: As ``issue``, except for the month and the restored mode.
    """
    customer = accounts.find_customer(transaction, wanted.customer)
    product = accounts.find_product(transaction, customer, wanted.product, wanted.month)
    groups.check_billed(transaction, customer.id)
    account = accounts.find(transaction, customer, product, wanted.month, locked=False)
    last = succession.last(transaction, customer.id, product)
    if last is not None and str(wanted.month) <= last.month:
        raise ServiceError(
            Code.CONFLICT, f"{_named(account, wanted.month)}: {last.month} was issued; ask for the invoice"
        )
    if last is None:
        _first_due(transaction, account, wanted.month)
    made = computing.compute(transaction, vendor, account, wanted.month, None)
    return {"format": documents.FORMAT, "invoice": made.claims()}


def hand_in(transaction: Transaction, ring: KeyRing, data: bytes, *, actor: str) -> dict[str, Json]:
    """Take in an invoice that this server issued and has forgotten, because it was restored from a backup.

    Raises:
        FormatError, SignatureError: If it is none of this vendor's.
        ServiceError: CONFLICT, if another one stands in its place; UNKNOWN, if there is no such product.
    """
    given = Invoice.read(data, ring.trust)
    number = given.number or ""
    audit.lock(transaction, NUMBERS)
    known = _find(transaction, given.customer.id, given.product, given.month)
    same_number = transaction.execute(select(invoices).where(invoices.c.number == number)).one_or_none()
    for row in (known, same_number):
        if row is not None and row.sha256 != given.sha256:
            raise ServiceError(
                Code.CONFLICT, f"invoice {number}: invoice {row.number} of {row.month} stands in its place"
            )
    if known is None:
        _check_place(transaction, given)
        place = invoice_order.place_between(transaction, given)
        _keep(transaction, given, outer.bare(data, "invoice"), place, _Origin("invoice.merge", actor))
    return _listed(transaction.execute(_LISTED.where(invoices.c.number == number)).one())


def find(transaction: Transaction, number: str) -> dict[str, Json]:
    """An issued invoice's document.

    Raises:
        ServiceError: UNKNOWN.
    """
    return _document(_at(transaction, number))


def page(transaction: Transaction, *, after: str, limit: int, customer: str | None = None) -> list[Json]:
    """Issued invoices in the order of their numbers, without their documents; names are those of today."""
    query = _LISTED.where(invoices.c.number > after).order_by(invoices.c.number).limit(limit)
    if customer is not None:
        query = query.where(groups.of_group(invoices.c.customer, customer))
    return [_listed(row) for row in transaction.execute(query)]


def _announced(made: Invoice) -> dict[str, Json]:
    """What the event of an invoice says of it."""
    return {
        "invoice": made.number,
        "customer": made.customer.id,
        "product": made.product,
        "month": str(made.month),
        "currency": made.prices.currency,
        "total": made.amount.total,
    }


def _check_month(transaction: Transaction, account: Account, month: Month) -> None:
    """Refuse a month that is not over, or that is not the next one."""
    named = _named(account, month)
    if transaction.now < month.end:
        raise ServiceError(
            Code.CONFLICT, f"{named}: the month ends on {month.end:%Y-%m-%d}; until then it can be previewed"
        )
    last = succession.last(transaction, account.customer.id, account.product)
    if last is None:
        due = _first_due(transaction, account, month)
    else:
        due = Month.parse(last.month).next
        if month < due:
            raise ServiceError(
                Code.CONFLICT, f"{named}: {last.month} was issued, and no month before it can be"
            )
        while due < month and succession.may_be_left_out(transaction, account, due):
            due = due.next
    if due < month:
        raise ServiceError(Code.CONFLICT, f"{named}: {due} was not issued; issue it first")


def _first_due(transaction: Transaction, account: Account, month: Month) -> Month:
    """The month with which an account without an invoice begins; ``month``, if that may be chosen.

    Customers that were merged into it and have invoices paid for their months: it begins after these, unless
    others have operations of before.
    """
    invoiced = succession.invoiced_before(transaction, account)
    others = replace(account, members=tuple(one for one in account.members if one not in invoiced))
    first = accounts.first_month(transaction, others)
    succession.check_first(transaction, account, month, first)
    due = succession.first_due(account, first)
    if not invoiced:
        return due or month
    last = max(invoiced.values())
    due = last.next if due is None else min(due, last.next)
    if month < due:
        raise ServiceError(
            Code.CONFLICT,
            f"{_named(account, month)}: customers that were merged into it were invoiced up to {last}, and "
            f"no month before {due} can be",
        )
    return due


def _check_restored(transaction: Transaction, all_handed_in: bool) -> None:
    mode = restoring.current(transaction)
    if mode is not None and not all_handed_in:
        raise ServiceError(
            Code.TRY_LATER,
            "this server was restored from a backup and may have forgotten invoices; hand in those that were "
            "issued since with 'ternary server merge-invoice', then say --all-handed-in",
        )


def _check_place(transaction: Transaction, given: Invoice) -> None:
    """Make the customers of an invoice that is handed in, where the backup does not know them or their
    merger."""
    if transaction.execute(select(products).where(products.c.name == given.product)).first() is None:
        raise ServiceError(
            Code.UNKNOWN, f"product {given.product}: nothing was released under this name; release it first"
        )
    now = seconds(transaction.now)
    for one in (given.customer, *(joined.customer for joined in given.merged)):
        this = customers.c.id == one.id
        if transaction.execute(select(customers.c.id).where(this)).first() is None:
            transaction.execute(insert(customers), {"id": one.id, "name": one.name, "created": now})
    for joined in given.merged:
        alone = (customers.c.id == joined.customer.id) & customers.c.merged_into.is_(None)
        moved = {"merged_into": given.customer.id, "merged": now}
        transaction.execute(update(customers).where(alone).values(**moved))


def _keep(transaction: Transaction, made: Invoice, document: bytes, place: int, origin: _Origin) -> None:
    due = made.amount
    row = {
        "number": made.number,
        "customer": made.customer.id,
        "product": made.product,
        "month": str(made.month),
        "issued": seconds(made.issued),
        "currency": made.prices.currency,
        "total": due.total,
        "charged": due.charged,
        "sha256": made.sha256,
    }
    prices = canonical.encode(made.prices.to_json()).decode()
    transaction.execute(insert(invoices), row | {"prices": prices, "document": document, "place": place})
    merged = [joined.customer.id for joined in made.merged]
    billed_sets.keep(transaction, str(made.number), made.spaces, merged)
    for stream, detail in ((f"customer {made.customer.id}", row), (NUMBERS, {"number": made.number})):
        audit.append(transaction, stream, actor=origin.actor, action=origin.action, detail=detail)


def _next_number(transaction: Transaction, month: Month) -> str:
    number = func.max(invoices.c.number)
    last = transaction.execute(select(number).where(invoices.c.month == str(month))).scalar_one()
    return f"{month}-{1 + (int(last[8:]) if last else 0):06d}"


def _find(transaction: Transaction, customer: str, product: str, month: Month) -> Row[Any] | None:
    entry = invoices.c
    this = (entry.customer == customer, entry.product == product, entry.month == str(month))
    return transaction.execute(select(invoices).where(*this)).one_or_none()


def _at(transaction: Transaction, number: str) -> Row[Any]:
    row = transaction.execute(select(invoices).where(invoices.c.number == number)).one_or_none()
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"invoice {number}: there is none of this number")
    return row


def _document(row: Row[Any]) -> dict[str, Json]:
    found: Any = canonical.decode(bytes(row.document), f"invoice {row.number}")
    return dict(found)


def _listed(row: Row[Any]) -> dict[str, Json]:
    hidden = ("document", "prices", "charged", "place")
    shown = {name: value for name, value in row._mapping.items() if name not in hidden}
    prices = read_prices(row.prices)
    return shown | {"exponent": 0 if prices is None else prices.exponent}


def _named(account: Account, month: Month) -> str:
    return f"invoice of {month} for {account.customer.name}, {account.product}"
