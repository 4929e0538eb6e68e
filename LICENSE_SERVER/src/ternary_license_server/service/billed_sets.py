"""
Which operations a customer was billed for: what the invoices of a product billed, less what they credited.

These sets are kept beside the invoices and never follow from the meters again: a server that was restored may
have forgotten reports, and an operation is billed once all the same.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import insert, select

from ternary_license_server.database.schema import invoice_sets, invoices
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import entries
from ternary_license_server.service.segments import LARGEST
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.pricing.invoice_claims import Billed
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

NEW: Final = "new"
CREDITED: Final = "credited"
_AT_ONCE: Final = 16
"""Rows that are read at a time: one may hold millions of operations."""


def so_far(transaction: Transaction, customer: str, product: str) -> dict[Space, OperationSet]:
    """What the invoices of a customer and product bill in all, for each space."""
    query = (
        select(invoice_sets, invoices.c.month)
        .join(invoices, invoices.c.number == invoice_sets.c.invoice)
        .where(invoices.c.customer == customer, invoices.c.product == product)
        .order_by(invoices.c.month, invoice_sets.c.kind, invoice_sets.c.part)  # credits before what is new
    )
    billed: dict[Space, OperationSet] = {}
    for row in transaction.execute(query.execution_options(yield_per=_AT_ONCE)):
        space = Space.parse(row.space)
        before, changed = billed.get(space, nothing(space)), entries.read(row, space)
        billed[space] = before | changed if row.kind == NEW else before - changed
    return billed


def keep(transaction: Transaction, number: str, spaces: Iterable[Billed]) -> None:
    """Keep what an invoice bills and credits.

    Raises:
        FormatError: If it does not carry its sets.
    """
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
