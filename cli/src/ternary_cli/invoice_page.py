"""
An invoice as one self-contained HTML page: no script, nothing fetched, for screen and paper.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

from ternary_cli.invoice_table import order_words, rows

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.invoice import Invoice


def to_html(invoice: "Invoice") -> bytes:
    """Lay out an invoice as a page, UTF-8."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(files("ternary_cli").joinpath("invoice.html").read_text("utf-8"))
    return template.render(
        invoice=invoice,
        orders=order_words(invoice),
        rows=rows(invoice),
        total=invoice.prices.money(invoice.amount.total),
    ).encode()
