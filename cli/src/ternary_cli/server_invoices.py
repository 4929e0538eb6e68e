"""
``ternary server invoice``, ``invoices`` and ``merge-invoice``: what customers are billed.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from ternary_cli.invoice_files import FormsOption
from ternary_cli.options import ForceOption, JsonOption, argument, option
from ternary_cli.server_names import maybe_customer
from ternary_cli.server_pages import Column, CsvOption, dated, money, one_form, pages, plain, show_list
from ternary_cli.server_restoring import KeysDirectory, keys_directory
from ternary_cli.server_terms import (
    CustomerOption,
    Database,
    TokenFile,
    Url,
    admin,
    opened_database,
)
from ternary_cli.vendor_extra import vendor_extra


def invoice(
    customer: Annotated[str, option("--customer", metavar="C", text="Its id, or a name that only one has.")],
    month: Annotated[
        str | None,
        option(
            "--month",
            metavar="M",
            text="As 2026-03, UTC; default: the last that is over, for a preview this.",
        ),
    ] = None,
    product: Annotated[
        str | None, option("--product", metavar="P", text="Default: the only one that is billed.")
    ] = None,
    preview: Annotated[
        bool, option("--preview", text="Only show what it would be now: no number, not signed.")
    ] = False,
    all_handed_in: Annotated[
        bool,
        option(
            "--all-handed-in",
            text="After a restoration: every invoice issued since the backup was handed in.",
        ),
    ] = False,
    out: FormsOption = None,
    force: ForceOption = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Issue the invoice of a month that is over; asked again, it is the same file, byte for byte."""
    from ternary_cli.invoice_files import check_files, words, write_files
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk._internal.documents import canonical
    from ternary_sdk._internal.pricing.invoice import read_claims
    from ternary_sdk._internal.pricing.month import Month

    now = Month.of(datetime.now(UTC))
    wanted = Month.parse(month) if month is not None else now if preview else now.before
    check_files(out or [])
    asked = admin(url, token_file)
    if preview:
        came = asked.get("/invoice-preview", customer=customer, product=product, month=str(wanted))
    else:
        body = {"customer": customer, "product": product, "month": str(wanted)}
        came = asked.post("/invoices", body | {"all_handed_in": all_handed_in})
    read = read_claims(came["invoice"])
    write_files(read, canonical.encode(came), out or [], force=force)
    show_json(came["invoice"]) if as_json else show(pairs(words(read)))


def invoices(
    of: CustomerOption = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List issued invoices; in --json and --csv, amounts are in the currency's smallest unit."""
    one_form(as_json, as_csv)
    asked = admin(url, token_file)
    rows = pages(asked, "/invoices", "number", customer=maybe_customer(asked, of))
    show_list(rows, _INVOICE, ("issued",), as_json=as_json, as_csv=as_csv)


_INVOICE: Final = [
    plain("number"),
    plain("customer_name", "customer"),
    plain("product"),
    plain("month"),
    dated("issued"),
    Column("total", lambda row: money(row["total"], row["exponent"])),
    plain("currency"),
]


def merge_invoice(
    file: Annotated[Path, argument("FILE", "An invoice that this server issued.")],
    keys: KeysDirectory = None,
    database: Database = None,
    as_json: JsonOption = False,
) -> None:
    """After a restoration: take in an invoice issued since the backup, while the server runs or not."""
    from ternary_cli.files import read
    from ternary_cli.server_terms import show_facts
    from ternary_sdk._internal.pricing.invoice_claims import MAX_INVOICE

    with vendor_extra("ternary server merge-invoice", extra="server"):
        from ternary_license_server.local import restoration
    data, _ = read(file, most=MAX_INVOICE)
    with opened_database(database) as found:
        show_facts(restoration.merge_invoice(found, keys_directory(keys), data), as_json)
