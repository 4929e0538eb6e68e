"""
Which operations customers were billed for, and by which price lists: what the invoices of a product state.

These sets are kept beside the invoices and never follow from the meters again: a server that was restored may
have forgotten reports, and an operation is billed once all the same.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, and_, insert, select

from ternary_license_server.database.schema import invoice_merges, invoice_sets, invoices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import entries
from ternary_license_server.service.billing import Billing, Layer
from ternary_license_server.service.invoice_order import BY_PLACE
from ternary_license_server.service.segments import LARGEST
from ternary_sdk._internal.pricing.invoice_claims import Billed
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

NEW: Final = "new"
CREDITED: Final = "credited"
_AT_ONCE: Final = 16
"""Rows that are read at a time: one may hold millions of operations."""


@dataclass
class Bills:
    """What the invoices of one customer, and of those merged into it, bill for a product."""

    spaces: dict[Space, Billing] = field(default_factory=dict)
    """Of each space."""
    together: dict[str, set[str]] = field(default_factory=dict)
    """By customer: whom its invoices bill, itself and those that were merged into it, as far as they say
    so."""

    def of(self, customer: str) -> set[str]:
        """Whom a customer's invoices bill: itself, and those that one of its invoices says were merged."""
        return self.together.setdefault(customer, {customer})

    def join(self, customer: str, others: Iterable[str]) -> None:
        """Let a customer's invoices bill others with it from now on, each operation once."""
        theirs = self.of(customer)
        for other in others:
            theirs |= self.of(other)

    def billed(self, customers: Set[str]) -> dict[Space, OperationSet]:
        """Every operation that invoices of these customers bill, by space."""
        return {space: billing.of(customers) for space, billing in self.spaces.items()}


def so_far(transaction: Transaction, customers: Iterable[str], product: str) -> Bills:
    """What the invoices of customers and a product bill, and of those whom these invoices name as merged."""
    every, merges = _with_merged(transaction, set(customers))
    here = invoices.c
    query = (
        select(here.number.label("invoice"), here.customer, here.prices, invoice_sets)
        .outerjoin(invoice_sets, invoice_sets.c.invoice == here.number)
        .where(here.customer.in_(every), here.product == product)
        .order_by(*BY_PLACE, invoice_sets.c.kind, invoice_sets.c.part)  # credits before what is new
    )
    bills, last = Bills(), None
    for row in transaction.execute(query.execution_options(yield_per=_AT_ONCE)):
        if row.invoice != last:
            last = row.invoice
            if merges.get(last):
                bills.join(row.customer, merges[last])
                for billing in bills.spaces.values():
                    billing.bill_once(bills.of(row.customer))
        if row.space is not None:
            _replay(bills, row)
    return bills


def _replay(bills: Bills, row: Row[Any]) -> None:
    space, customers = Space.parse(row.space), bills.of(row.customer)
    billing, changed = bills.spaces.setdefault(space, Billing(space)), entries.read(row, space)
    if row.kind == NEW:
        billing.charge(Layer(row.customer, row.prices), changed, customers)
    else:
        billing.take_back(changed, customers)


def _with_merged(transaction: Transaction, customers: set[str]) -> tuple[set[str], dict[str, list[str]]]:
    """Customers, with all that their invoices name as merged; and whom each invoice names."""
    found: dict[str, list[str]] = {}
    asked = set[str]()
    while left := customers - asked:
        asked |= left
        here = and_(invoices.c.number == invoice_merges.c.invoice, invoices.c.customer.in_(left))
        for row in transaction.execute(select(invoice_merges).join(invoices, here)):
            found.setdefault(row.invoice, []).append(row.customer)
            customers.add(row.customer)
    return customers, found


def keep(transaction: Transaction, number: str, spaces: Iterable[Billed], merged: Iterable[str]) -> None:
    """Keep what an invoice bills and credits, and the customers that it bills for the first time.

    Raises:
        FormatError: If it does not carry its sets.
    """
    for customer in merged:
        transaction.execute(insert(invoice_merges), {"invoice": number, "customer": customer})
    for billed in spaces:
        for kind, stated in ((NEW, billed.new), (CREDITED, billed.credited)):
            if stated.members is None:
                raise FormatError(
                    f"invoice {number}: does not carry its set of space {billed.space}, so what it bills "
                    "cannot be known"
                )
            _write(transaction, number, kind, stated.members)


def _write(transaction: Transaction, number: str, kind: str, operations: OperationSet) -> None:
    numbers, common = operations.indices, {"invoice": number, "space": str(operations.space), "kind": kind}
    for part, start in enumerate(range(0, len(numbers), LARGEST)):
        members = numbers[start : start + LARGEST]
        row = {"part": part, "operations": len(members)} | entries.written(members, operations.space)
        transaction.execute(insert(invoice_sets), common | row)
