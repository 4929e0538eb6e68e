"""
Customers after they were made: renamed, merged into another, anonymised.

Licenses and reports name a customer as it was called when the license was given, so a new name is for
licenses that are given later. A merged customer keeps its row, its licenses and its reports: only its
invoices are from then on those of the customer that it was merged into. An issued invoice never changes.
"""

from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update

from ternary_license_server.database.schema import customers, invoices, lease_numbers, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, erasure, groups, records, succession
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.records import State, seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.pricing.invoice_claims import pseudonym

ANY_NAME: Final = ""
"""In the place of the name that a lease was given under: it is not known any more."""


def edit(
    transaction: Transaction, customer: str, changes: dict[str, str | None], *, actor: str
) -> dict[str, Json]:
    """Give a customer another name or contact.

    Licenses that are there go on under the name that they have; a transfer to the same customer gives them
    the new one.

    Args:
        transaction: A writing one.
        customer: Its id.
        changes: Of ``name`` and ``contact`` those that change; None for no contact.
        actor: Who asks.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it was merged or anonymised.
    """
    row = _locked(transaction, customer)
    if changes.get("name", row.name) != row.name:
        _keep_name(transaction, row)
    before: dict[str, Json] = {name: row._mapping[name] for name in changes}
    transaction.execute(update(customers).where(customers.c.id == customer).values(**changes))
    detail: dict[str, Json] = {"from": before, "to": dict[str, Json](changes), "salt": audit.salt()}
    _audit(transaction, customer, actor, "customer.edit", detail)
    return facts(_row(transaction, customer))


def merge(transaction: Transaction, customer: str, into: str, *, actor: str) -> dict[str, Json]:
    """Let a customer be billed as another one from now on.

    What both were billed for is given back with the next invoice, once, at the price of the later one.

    Args:
        transaction: A writing one.
        customer: Who is merged.
        into: Who remains.
        actor: Who asks.
    Returns:
        The customer that was merged.
    Raises:
        ServiceError: UNKNOWN; CONFLICT, if they are one, one of them was merged or anonymised before, they
            were invoiced in different currencies, or a month before this one is due from who is merged.
    """
    if customer == into:
        raise ServiceError(Code.CONFLICT, f"customer {customer}: cannot be merged into itself")
    audit.lock(transaction, succession.NUMBERS)
    for one in (customer, into):
        _standing(transaction, one)
    _check_currencies(transaction, customer, into)
    succession.check_ready_to_merge(transaction, customer)
    now = seconds(transaction.now)
    theirs = or_(customers.c.id == customer, customers.c.merged_into == customer)
    transaction.execute(update(customers).where(theirs).values(merged_into=into, merged=now))
    _audit(transaction, customer, actor, "customer.merge", {"into": into})
    _audit(transaction, into, actor, "customer.merge", {"merged": customer})
    return facts(_row(transaction, customer))


def anonymise(transaction: Transaction, customer: str, *, actor: str) -> dict[str, Json]:
    """Erase a customer's name and contact, here and in the audit log, and those of customers merged into it.

    Issued invoices keep the name: they are documents that never change. Licenses that were given out keep it
    too.

    Raises:
        ServiceError: UNKNOWN; CONFLICT, if it was merged or anonymised, a license of it has not ended, or
            something is not invoiced.
    """
    row = _locked(transaction, customer)
    every = groups.group(transaction, customer)
    _check_ended(transaction, row, every)
    now = seconds(transaction.now)
    for one in every:
        theirs = licenses.c.customer == one
        transaction.execute(update(licenses).where(theirs).values(licensee=None, notes=None))
        given = lease_numbers.c.customer == one
        transaction.execute(update(lease_numbers).where(given).values(licensee=ANY_NAME))
        erased = {"name": pseudonym(one), "contact": None, "anonymised": now}
        transaction.execute(update(customers).where(customers.c.id == one).values(**erased))
        detail = erasure.erase(transaction, f"customer {one}")
        _audit(transaction, one, actor, erasure.ACTION, detail)
    return facts(_row(transaction, customer))


def facts(row: Row[Any]) -> dict[str, Json]:
    """A customer as JSON."""
    return dict(row._mapping)


def _locked(transaction: Transaction, customer: str) -> Row[Any]:
    """A customer that stands; no invoice is issued, and no license of it changes, until the transaction
    ends."""
    audit.lock(transaction, succession.NUMBERS)
    row = _standing(transaction, customer)
    query = (
        select(licenses.c.id).where(groups.of_group(licenses.c.customer, customer)).order_by(licenses.c.id)
    )
    for license in transaction.execute(query).all():
        records.lock(transaction, license.id)
    return row


def _standing(transaction: Transaction, customer: str) -> Row[Any]:
    row = _row(transaction, customer)
    groups.check_standing(row)
    return row


def _row(transaction: Transaction, customer: str) -> Row[Any]:
    row = transaction.execute(select(customers).where(customers.c.id == customer)).one_or_none()
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"customer {customer}: there is none of this id")
    return row


def _keep_name(transaction: Transaction, row: Row[Any]) -> None:
    """Let what was given under a name go on under it."""
    for table in (licenses, lease_numbers):
        present = and_(table.c.customer == row.id, table.c.licensee.is_(None))
        transaction.execute(update(table).where(present).values(licensee=row.name))


def _check_currencies(transaction: Transaction, customer: str, into: str) -> None:
    """Refuse accounts whose invoices could not be continued as one."""
    both, here = (customer, into), invoices.c
    query = select(here.product, here.number, here.prices).where(here.customer.in_(both))
    first: dict[str, Any] = {}
    for row in transaction.execute(query.order_by(here.month, here.number)):
        other = first.setdefault(row.product, row)
        (one, another) = (read_prices(each.prices) for each in (other, row))
        if one and another and (one.currency, one.exponent) != (another.currency, another.exponent):
            raise ServiceError(
                Code.CONFLICT,
                f"customer {customer}: invoices {other.number} and {row.number} for {row.product} are in "
                f"{one.currency} and {another.currency}; an account has one currency",
            )


def _check_ended(transaction: Transaction, row: Row[Any], every: list[str]) -> None:
    here, now = licenses.c, seconds(transaction.now)
    query = select(here.id, here.product, here.state, here.expires, here.perpetual).where(
        here.customer.in_(every)
    )
    for license in transaction.execute(query.order_by(here.id)).all():
        ended = license.expires is not None and license.expires <= now and not license.perpetual
        if license.state != State.REVOKED and not ended:
            raise ServiceError(
                Code.CONFLICT,
                f"customer {row.id}: license {license.id} has not ended, and its machines state the name; "
                "revoke it or give it to another customer first",
            )
    succession.check_all_invoiced(transaction, row.id, every)


def _audit(transaction: Transaction, customer: str, actor: str, action: str, detail: dict[str, Json]) -> None:
    audit.append(transaction, f"customer {customer}", actor=actor, action=action, detail=detail)
