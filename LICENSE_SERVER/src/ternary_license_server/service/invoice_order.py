"""
The order in which invoices were issued, as a running number: their ``place``.

What an invoice bills follows from those before it, and dates cannot tell which came first within a second.
So the order is a fact of its own. All functions here need the lock of the invoices' numbers.
"""

from typing import Final

from sqlalchemy import ColumnElement, func, select, update

from ternary_license_server.database.schema import invoices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.pricing.invoice import Invoice

_HERE: Final = invoices.c
BY_PLACE: Final = (_HERE.place.is_(None), _HERE.place, _HERE.issued, _HERE.month, _HERE.number)
"""Invoices in their order; those that a server of an earlier release has just issued come last."""


def next_place(transaction: Transaction) -> int:
    """The place of an invoice that is issued now: the last."""
    last = _last(transaction)
    unplaced = select(_HERE.number).where(_HERE.place.is_(None)).order_by(*BY_PLACE)
    for row in transaction.execute(unplaced).all():
        last += 1
        transaction.execute(update(invoices).where(_HERE.number == row.number).values(place=last))
    return last + 1


def place_between(transaction: Transaction, given: Invoice) -> int:
    """The place of an invoice that was issued before, and is handed in; later ones move on by one.

    It comes after those of earlier dates. Of those of its second it comes after those that it names, and
    after lower numbers of its month.
    """
    next_place(transaction)
    named = [one.number for one in (given.previous, *(one.previous for one in given.merged)) if one]
    issued, month = seconds(given.issued), str(given.month)
    lower = (_HERE.issued == issued) & (_HERE.month == month) & (_HERE.number < given.number)
    place = 1 + _last(transaction, (_HERE.issued < issued) | _HERE.number.in_(named) | lower)
    later = update(invoices).where(_HERE.place >= place)
    transaction.execute(later.values(place=_HERE.place + 1))
    return place


def _last(transaction: Transaction, *where: ColumnElement[bool]) -> int:
    return transaction.execute(select(func.max(_HERE.place)).where(*where)).scalar_one() or 0
