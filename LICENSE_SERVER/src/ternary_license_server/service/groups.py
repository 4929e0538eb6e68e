"""
Customers that are one: a customer, and those that were merged into it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from ternary_license_server.database.schema import customers
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.refusals import Code, ServiceError


def group(transaction: Transaction, customer: str, before: datetime | None = None) -> list[str]:
    """A customer and those merged into it, or merged before a moment, in the order of their mergers."""
    here = customers.c
    query = select(here.id).where(here.merged_into == customer).order_by(here.merged, here.id)
    if before is not None:
        query = query.where(here.merged < int(before.timestamp()))
    return [customer, *(row.id for row in transaction.execute(query))]


def billed_as(transaction: Transaction, customer: str) -> str:
    """Whose invoices bill a customer: its own, or those of the one that it was merged into."""
    query = select(remaining()).where(customers.c.id == customer)
    billed: str = transaction.execute(query).scalar_one()
    return billed


def of_group(column: ColumnElement[str], customer: str) -> ColumnElement[bool]:
    """That a column names a customer, or one that was merged into it.

    The ids are one list. An OR beside it would keep PostgreSQL from using the column's index.
    """
    here = customers.c
    return column.in_(select(here.id).where(or_(here.id == customer, here.merged_into == customer)))


def remaining() -> ColumnElement[str]:
    """In a query of the customers: whom each is billed as."""
    return func.coalesce(customers.c.merged_into, customers.c.id)


def check_standing(row: Row[Any]) -> None:
    """Refuse a customer that was merged into another or anonymised.

    Raises:
        ServiceError: CONFLICT.
    """
    _check_alone(row)
    if row.anonymised is not None:
        raise ServiceError(Code.CONFLICT, f"customer {row.id}: was anonymised; make another")


def check_billed(transaction: Transaction, customer: str) -> None:
    """Refuse a customer that was merged into another: its invoices are that one's.

    One that was anonymised is billed on under its pseudonym: a machine may report after years.

    Raises:
        ServiceError: CONFLICT.
    """
    _check_alone(transaction.execute(select(customers).where(customers.c.id == customer)).one())


def _check_alone(row: Row[Any]) -> None:
    if row.merged_into is not None:
        raise ServiceError(
            Code.CONFLICT, f"customer {row.id}: was merged into {row.merged_into}; name that one"
        )
