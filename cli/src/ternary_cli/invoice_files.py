"""
Writing an invoice to files, each in the form that its name ends in, and printing it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ternary_cli.options import option
from ternary_sdk.errors import InputError

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.invoice import Invoice

FormsOption = Annotated[
    list[Path] | None,
    option("--out", "-o", metavar="F", text="Write F.json, F.csv, F.html or F.pdf; repeat for more."),
]

_NEEDED: Final = {".html": "jinja2", ".pdf": "fpdf"}
_FORMS: Final = (".json", ".csv", ".html", ".pdf")


def check_files(files: list[Path]) -> None:
    """Refuse files that could not be written, before anything is asked for.

    Raises:
        InputError: If a name says no form, or what draws it is not installed.
    """
    from ternary_sdk._internal.wheels import pip_install

    for file in files:
        if file.suffix not in _FORMS:
            raise InputError(f"{file}: the name says no form; expected {', '.join(_FORMS)}")
        needed = _NEEDED.get(file.suffix)
        if needed is not None and find_spec(needed) is None:
            raise InputError(
                f"{file}: {needed} is not installed; run: {pip_install('ternary-cli', 'invoice')}"
            )


def write_files(invoice: "Invoice", document: bytes, files: list[Path], *, force: bool) -> None:
    """Write an invoice in each form, or in none where one of them cannot be laid out.

    Args:
        invoice: What it states.
        document: Its signed file; of a preview what it would state.
        files: Names that ``check_files`` has passed.
        force: Whether files with other content are replaced.
    Raises:
        FileError, InputError: If one cannot be written, or has other content and is kept.
    """
    from ternary_cli.files import refuse_kept, write
    from ternary_cli.refusals import sentences

    forms = [(_form(invoice, document, file.suffix), file) for file in files]
    for form, file in forms:
        with sentences(file):
            same = file.is_file() and file.read_bytes() == form
        refuse_kept([] if same else [file], force=force)
    for form, file in forms:
        write(form, file)


def words(invoice: "Invoice") -> dict[str, str]:
    """An invoice in a few lines, its own among them."""
    from ternary_cli.invoice_table import order_words, rows

    due, prices = invoice.amount, invoice.prices
    lines = rows(invoice)
    wide = max((len(line.amount) for line in lines), default=0)
    told = {
        "invoice": invoice.number or "preview, not signed",
        "customer": f"{invoice.customer.name} ({invoice.customer.id})",
        "product": invoice.product,
        "month": str(invoice.month),
        **{f"line {place}": line.words(wide) for place, line in enumerate(lines, 1)},
        "total": f"{prices.currency} {prices.money(due.total)}",
    }
    if invoice.orders:
        told["orders"] = ", ".join(order_words(invoice))
    for joined in invoice.merged:
        told[f"with {joined.customer.id}"] = joined.customer.name
    for billed in invoice.spaces:
        changed = f"{billed.new.operations:,} new, {billed.credited.operations:,} taken back"
        for times, again in enumerate(billed.repeated, 2):
            changed += f", {again.operations:,} billed {times} times until now"
        told[f"space {billed.space}"] = f"{changed}, {billed.after.operations:,} in all"
        told[f"set {billed.space}"] = billed.after.sha256
    return told


def _form(invoice: "Invoice", document: bytes, suffix: str) -> bytes:
    if suffix == ".csv":
        from ternary_cli.invoice_table import to_csv

        return to_csv(invoice)
    if suffix == ".html":
        from ternary_cli.invoice_page import to_html

        return to_html(invoice)
    if suffix == ".pdf":
        from ternary_cli.invoice_paper import to_pdf

        return to_pdf(invoice)
    return document
