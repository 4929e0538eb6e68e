"""
What an account must not lose: its beginning, its currency, an invoice in between, a license not yet invoiced.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from ternary_license_server.database.schema import (
    invoice_merges,
    invoices,
    licenses,
    meter_entries,
    revocations,
)
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import accounts, groups, price_terms, records
from ternary_license_server.service.accounts import Account
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.records import LicenseRecord, moment, seconds
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


def holds_from(transaction: Transaction, license: LicenseRecord) -> Month:
    """The first month for which another policy of a license holds: the present one.

    A month that is over keeps its prices. But an account that was under several lists cannot be invoiced for
    that month, so there the vendor's choice holds for it too.
    """
    customer, now = groups.billed_as(transaction, license.customer), Month.of(transaction.now)
    row = last(transaction, customer, license.product)
    month = Month.of(license.created) if row is None else Month.parse(row.month).next
    while month < now:
        own = accounts.own_in(transaction, customer, license.product, month)
        if len({one.prices for one in own}) > 1:
            return month
        month = month.next
    return now


def check_ready_to_merge(transaction: Transaction, customer: str) -> None:
    """Refuse to merge a customer while a month before this one is due: it would be billed as another's.

    Raises:
        ServiceError: CONFLICT.
    """
    members = groups.group(transaction, customer)
    for product in accounts.products_of(transaction, members):
        due = _due(transaction, customer, members, product)
        if due is not None:
            raise ServiceError(
                Code.CONFLICT,
                f"customer {customer}: {due} is not invoiced for {product}, and a month before a merger is "
                f"each customer's own; first run {_command(customer, product, due)}",
            )


def _command(customer: str, product: str, month: Month) -> str:
    return f"'ternary server invoice --customer {customer} --product {product} --month {month}'"


def _due(transaction: Transaction, customer: str, members: Sequence[str], product: str) -> Month | None:
    """The first month before this one that is to be invoiced; None if all are."""
    now, row = Month.of(transaction.now), last(transaction, customer, product)
    left = _first_left(transaction, members, product, now)
    if row is None:
        return left if left is not None and left < now else None
    due = Month.parse(row.month).next
    if due < now and (left is not None or _stood_under_prices(transaction, customer, product, due)):
        return due
    return None


def _first_left(
    transaction: Transaction, members: Sequence[str], product: str, before: Month
) -> Month | None:
    """The month that begins the invoices of what these customers returned before a month, as far as it is
    not invoiced."""
    entry, found = meter_entries.c, list[Month]()
    used = select(entry.license).where(entry.customer.in_(members))
    for one in price_terms.priced(
        transaction, before.before, licenses.c.product == product, licenses.c.id.in_(used)
    ):
        mine = (
            entry.license == one.license,
            entry.customer.in_(members),
            entry.received >= seconds(one.billed_from),
            entry.received < seconds(before.start),
        )
        if _not_invoiced(transaction, product, *mine) is not None:
            first = transaction.execute(select(func.min(entry.received)).where(*mine)).scalar_one()
            found.append(max(Month.of(moment(first)), Month.of(one.since)))
    return min(found, default=None)


def may_be_left_out(transaction: Transaction, account: Account, month: Month) -> bool:
    """Whether a month costs nothing: no license of an account stood in it, and nothing was received."""
    entry = meter_entries.c
    received = (
        entry.customer.in_(account.members),
        entry.license.in_(account.licenses),
        entry.received >= seconds(month.start),
        entry.received < seconds(month.end),
    )
    if transaction.execute(select(entry.license).where(*received).limit(1)).first() is not None:
        return False
    return not _stood_under_prices(transaction, account.customer.id, account.product, month)


def _stood_under_prices(transaction: Transaction, customer: str, product: str, month: Month) -> bool:
    """Whether a customer had a license under prices in a month that had not ended before it."""
    start = seconds(month.start)
    gone = select(revocations.c.license).where(revocations.c.revoked < start)
    stood = and_(or_(licenses.c.expires.is_(None), licenses.c.expires > start), licenses.c.id.not_in(gone))
    own = accounts.own_in(transaction, customer, product, month, stood)
    return any(Month.of(one.since) <= month for one in own)


def invoiced_before(transaction: Transaction, account: Account) -> dict[str, Month]:
    """By member of an account: the month up to which it was invoiced, by whichever customer's invoices."""
    found = {}
    for member in account.members:
        month = _invoiced_up_to(transaction, member, account.product)
        if month is not None:
            found[member] = Month.parse(month)
    return found


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
            received = Month.of(moment(left.received))
            raise ServiceError(
                Code.CONFLICT,
                f"customer {customer}: operations of license {one.license} received in {received} are not "
                f"invoiced; first run {_command(customer, license.product, received)}, when it is over",
            )


def _not_invoiced(transaction: Transaction, product: str, *where: ColumnElement[bool]) -> Row[Any] | None:
    """Of entries the last one of the first customer for whom it was not invoiced; None if all were."""
    entry = meter_entries.c
    query: Select[Any] = (
        select(entry.customer, func.max(entry.received).label("received"))
        .where(*where)
        .group_by(entry.customer)
        .order_by(entry.customer)
    )
    for row in transaction.execute(query).all():
        month = _invoiced_up_to(transaction, row.customer, product)
        if month is None or row.received >= seconds(Month.parse(month).end):
            return row
    return None


def _invoiced_up_to(transaction: Transaction, customer: str, product: str) -> str | None:
    """The last month of the invoices that bill a customer: its own, and of those that it was merged into."""
    here, billers, asked = invoices.c, {customer}, set[str]()
    while left := billers - asked:
        asked |= left
        named = select(invoice_merges.c.invoice).where(invoice_merges.c.customer.in_(left))
        query = select(here.customer).where(here.number.in_(named), here.product == product)
        billers.update(row.customer for row in transaction.execute(query))
    whose = here.customer.in_(billers), here.product == product
    month: str | None = transaction.execute(select(func.max(here.month)).where(*whose)).scalar_one()
    return month


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
