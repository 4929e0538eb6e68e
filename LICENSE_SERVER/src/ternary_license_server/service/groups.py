"""
Customers that are one: a customer, and those that were merged into it.
"""

from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from ternary_license_server.database.schema import customers
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.refusals import Code, ServiceError


def group(transaction: Transaction, customer: str) -> list[str]:
    """A customer and those that are merged into it, in the order in which they were merged."""
    here = customers.c
    query = select(here.id).where(here.merged_into == customer).order_by(here.merged, here.id)
    return [customer, *(row.id for row in transaction.execute(query))]


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
    if row.merged_into is not None:
        raise ServiceError(
            Code.CONFLICT, f"customer {row.id}: was merged into {row.merged_into}; name that one"
        )
    if row.anonymised is not None:
        raise ServiceError(Code.CONFLICT, f"customer {row.id}: was anonymised; make another")


def check_stands(transaction: Transaction, customer: str) -> None:
    """As ``check_standing``, by the id of a customer that is there."""
    check_standing(transaction.execute(select(customers).where(customers.c.id == customer)).one())
