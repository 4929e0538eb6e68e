"""
What an account must not lose: its beginning, its currency, an invoice in between, a license not yet invoiced.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select

from ternary_license_server.database.schema import customers, invoices, licenses, meter_entries
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import groups, price_terms, records
from ternary_license_server.service.accounts import Account
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.records import moment, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.pricing.invoice import read_claims
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

NUMBERS: Final = "invoices"
"""The audit stream whose lock keeps two invoices from getting one number, and customers as they are
meanwhile."""


def check_first(transaction: Transaction, account: Account, month: Month, first: Month | None) -> None:
    """Refuse to begin an account before its first license was made: every month from then on costs a fee.

    Args:
        transaction: Any.
        account: Of which nothing was invoiced yet.
        month: Which is to be invoiced.
        first: When its first operation was received; None if nothing was.
    Raises:
        ServiceError: CONFLICT.
    """
    query = select(func.min(licenses.c.created)).where(licenses.c.id.in_(account.licenses))
    made = Month.of(moment(transaction.execute(query).scalar_one()))
    if month < made and (first is None or month < first):
        raise ServiceError(
            Code.CONFLICT,
            f"invoice of {month} for {account.customer.name}, {account.product}: its first license was made "
            f"in {made}, and no month before can be invoiced",
        )


def first_due(account: Account, first: Month | None) -> Month | None:
    """The month with which an account begins at the latest: no fee is due before a license of it had prices.

    Args:
        account: Of which nothing was invoiced yet.
        first: When its first operation was received; None if nothing was.
    """
    since = Month.of(min(one.since for one in account.priced))
    return None if first is None else max(first, since)


def last(transaction: Transaction, customer: str, product: str) -> Row[Any] | None:
    """The row of a customer's own last invoice of a product; None if there is none."""
    here = invoices.c
    query = select(invoices).where(here.customer == customer, here.product == product)
    return transaction.execute(query.order_by(here.month.desc()).limit(1)).one_or_none()


def check_invoiced(transaction: Transaction, license_id: str, product: str) -> None:
    """Refuse to take a license out of its accounts while something of it was not invoiced.

    Raises:
        ServiceError: CONFLICT.
    """
    left = _not_invoiced(transaction, product, meter_entries.c.license == license_id)
    if left is not None:
        raise ServiceError(
            Code.CONFLICT,
            f"license {license_id}: operations of customer {left.customer} received in "
            f"{Month.of(moment(left.received))} are not invoiced, and without prices they never would be; "
            "invoice them first, or issue another license",
        )


def check_month_kept(transaction: Transaction, license_id: str, product: str, prices: str) -> None:
    """Refuse to put a license under other prices while a month that is over was not invoiced.

    Where an account is under several lists it cannot be invoiced at all before they are one, so there the
    vendor's choice holds for that month too.

    Args:
        transaction: Any.
        license_id: The license.
        product: What it is of.
        prices: The list that it would get, as canonical JSON.
    Raises:
        ServiceError: CONFLICT.
    """
    over = meter_entries.c.received < seconds(Month.of(transaction.now).start)
    left = _not_invoiced(transaction, product, meter_entries.c.license == license_id, over)
    if left is None:
        return
    month = Month.of(moment(left.received))
    theirs = (groups.of_group(licenses.c.customer, left.billed), licenses.c.product == product)
    before = price_terms.priced(transaction, month, licenses.c.id == license_id)
    lists = {one.prices for one in price_terms.priced(transaction, month, *theirs)}
    if before and before[0].prices != prices and len(lists) <= 1:
        raise ServiceError(
            Code.CONFLICT,
            f"license {license_id}: operations of customer {left.customer} received in {month} are not "
            "invoiced, and would be billed at the new prices; invoice them first",
        )


def invoiced_before(transaction: Transaction, account: Account) -> dict[str, Month]:
    """By member of an account: the month of its own last invoice, where it has one."""
    here = invoices.c
    query = (
        select(here.customer, func.max(here.month).label("month"))
        .where(here.customer.in_(account.members), here.product == account.product)
        .group_by(here.customer)
    )
    return {row.customer: Month.parse(row.month) for row in transaction.execute(query)}


def check_all_invoiced(transaction: Transaction, customer: str, members: Sequence[str]) -> None:
    """Refuse to anonymise a customer while something of it was not invoiced.

    Raises:
        ServiceError: CONFLICT.
    """
    used = select(meter_entries.c.license).where(meter_entries.c.customer.in_(members))
    month = Month.of(transaction.now)
    for one in price_terms.priced(transaction, month, licenses.c.id.in_(used)):
        license = records.find(transaction, one.license)
        mine = (
            meter_entries.c.license == one.license,
            meter_entries.c.customer.in_(members),
            meter_entries.c.received >= seconds(one.billed_from),
        )
        left = _not_invoiced(transaction, license.product, *mine)
        if left is not None:
            raise ServiceError(
                Code.CONFLICT,
                f"customer {customer}: operations of license {one.license} received in "
                f"{Month.of(moment(left.received))} are not invoiced; invoice them first",
            )


def _not_invoiced(transaction: Transaction, product: str, *where: ColumnElement[bool]) -> Row[Any] | None:
    """Of entries the last one of the first customer for whom it was not invoiced; None if all were."""
    entry = meter_entries.c
    query = (
        select(entry.customer, groups.remaining().label("billed"), func.max(entry.received).label("received"))
        .join(customers, customers.c.id == entry.customer)
        .where(*where)
        .group_by(entry.customer, groups.remaining())
        .order_by(entry.customer)
    )
    for row in transaction.execute(query).all():
        whose = (invoices.c.customer.in_([row.customer, row.billed]), invoices.c.product == product)
        month = transaction.execute(select(func.max(invoices.c.month)).where(*whose)).scalar_one()
        if month is None or row.received >= seconds(Month.parse(month).end):
            return row
    return None


def check_follows(last: Row[Any], account: Account, billed: dict[Space, OperationSet]) -> None:
    """Refuse an invoice that would not continue the last one.

    A credit is limited by what was charged so far, so both must be in one currency. An operation of an
    invoice that this server has forgotten would be billed again.

    Args:
        last: The row of the last invoice.
        account: Whose.
        billed: What the invoices that are here bill in all.
    Raises:
        ServiceError: CONFLICT.
    """
    before, now = read_prices(last.prices), account.prices
    if before is not None and (before.currency, before.exponent) != (now.currency, now.exponent):
        raise ServiceError(
            Code.CONFLICT,
            f"customer {account.customer.name}: invoice {last.number} is in {before.currency} with "
            f"{before.exponent} decimals, prices of {account.product} are now in {now.currency} with "
            f"{now.exponent}; an account has one currency",
        )
    what = f"invoice {last.number}"
    claims = Fields(canonical.decode(bytes(last.document), what), what).value("invoice")
    for of in read_claims(claims).spaces:
        if billed.get(of.space, nothing(of.space)).digest != of.after.sha256:
            raise ServiceError(
                Code.CONFLICT,
                f"{what}: bills operations of space {of.space} that an earlier invoice billed, and this "
                "server does not have that one; hand it in with 'ternary server merge-invoice'",
            )
