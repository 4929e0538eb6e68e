"""
An invoice as a table: what each of its lines says, for CSV, HTML and PDF alike.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ternary_cli.spreadsheets import as_text
from ternary_sdk._internal.pricing.amount import Kind

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.amount import Line
    from ternary_sdk._internal.pricing.invoice import Invoice

COLUMNS: Final = (
    "number",
    "month",
    "customer",
    "customer_name",
    "product",
    "kind",
    "space",
    "tier",
    "operations",
    "currency",
    "amount",
    "minor_units",
    "set_sha256",
)
"""The columns of a CSV. ``set_sha256`` is the digest of what is billed in all, in lines of a space."""
_WORDS: Final = {
    Kind.BASE: "Base fee",
    Kind.INCLUDED: "New operations, included",
    Kind.USAGE: "New operations",
    Kind.CAP: "Above the cap of the month",
    Kind.MINIMUM: "Up to the minimum of the month",
    Kind.CREDIT: "Operations given back",
    Kind.CREDIT_LIMIT: "Given back, but never charged",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line for people."""

    what: str
    """What it is for."""
    price: str
    """By which price; empty where there is none."""
    operations: str
    """How many operations; empty where there are none."""
    amount: str
    """In the currency's unit, without its name."""

    def words(self, wide: int) -> str:
        """The line as text, its amount so wide."""
        detail = ", ".join(part for part in (self.operations, self.price) if part)
        return f"{self.amount:>{wide}}  {self.what}" + (f": {detail}" if detail else "")


def rows(invoice: "Invoice") -> list[Row]:
    """The lines of an invoice, in its order."""
    return [_row(invoice, line) for line in invoice.amount.lines]


def to_csv(invoice: "Invoice") -> bytes:
    """The lines of an invoice and its total as CSV (RFC 4180), UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_records(invoice))
    return text.getvalue().encode()


def order_words(invoice: "Invoice") -> list[str]:
    """The numbers of the orders that an invoice is for, each with its license where it bills several."""
    alone = len(invoice.licenses) == 1
    return [order if alone else f"{order} ({license_id})" for license_id, order in invoice.orders]


def _records(invoice: "Invoice") -> Iterator[list[str]]:
    due, prices = invoice.amount, invoice.prices
    digests = {str(billed.space): billed.after.sha256 for billed in invoice.spaces}
    whose = [
        invoice.number or "preview",
        str(invoice.month),
        invoice.customer.id,
        as_text(invoice.customer.name),
        invoice.product,
    ]
    for line in due.lines:
        facts = {name: "" if value is None else str(value) for name, value in line.to_json().items()}
        yield [
            *whose,
            *(facts[name] for name in ("kind", "space", "tier", "operations")),
            prices.currency,
            prices.money(line.amount),
            str(line.amount),
            digests.get(facts["space"], ""),
        ]
    yield [*whose, "total", "", "", "", prices.currency, prices.money(due.total), str(due.total), ""]


def _row(invoice: "Invoice", line: "Line") -> Row:
    several = len(invoice.spaces) > 1 and line.space is not None
    return Row(
        what=_WORDS[line.kind] + (f", space {line.space}" if several else ""),
        price=_price(invoice, line),
        operations="" if line.operations is None else f"{line.operations:,}",
        amount=invoice.prices.money(line.amount),
    )


def _price(invoice: "Invoice", line: "Line") -> str:
    """By which price a line is computed; empty where there is none."""
    if line.tier is None:
        return ""
    if line.earlier is None:
        return invoice.prices.tier_words(line.tier)
    return f"earlier price: {invoice.earlier_prices[line.earlier].tier_words(line.tier)}"
