"""
``ternary license statement`` and ``license invoice``: what machines drew, and what was billed for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.invoice_files import FormsOption
from ternary_cli.options import ForceOption, JsonOption, StateOption, TrustOption, argument, option

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.amount import Amount
    from ternary_sdk._internal.pricing.comparison import Merged
    from ternary_sdk._internal.pricing.invoice import Invoice
    from ternary_sdk._internal.pricing.price_list import PriceList
    from ternary_sdk._internal.pricing.statement import Statement
    from ternary_sdk.operations import OperationSet
    from ternary_sdk.space import Space


def invoice(
    file: Annotated[Path, argument("FILE", "The signed invoice, .json.")],
    out: FormsOption = None,
    force: ForceOption = False,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify an invoice without a network: who signed it, and that its amounts follow from its numbers."""
    from ternary_cli.invoice_files import check_files, words, write_files
    from ternary_cli.terminal import pairs, show, show_json

    check_files(out or [])
    read, document = _read_invoice(file, trust, state)
    write_files(read, document, out or [], force=force)
    if as_json:
        show_json(read.claims())
    else:
        show(pairs(words(read) | {"signed by": read.vendor, "sha256": read.sha256}))


def statement(
    files: Annotated[
        list[Path], argument("FILE…", "What 'ternary license usage --statement' wrote on each machine.")
    ],
    invoice: Annotated[
        Path | None, option("--invoice", metavar="F", text="Compare with this invoice, .json.")
    ] = None,
    prices: Annotated[
        Path | None,
        option("--prices", metavar="F", text="What all of it costs in one month, by these prices."),
    ] = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the statements of a customer's machines, and compare them with an invoice."""
    from ternary_cli.price_lists import read_prices
    from ternary_sdk._internal.pricing import comparison
    from ternary_sdk._internal.pricing.amount import Movement, amount
    from ternary_sdk.errors import InputError

    if invoice is not None and prices is not None:
        raise InputError("--prices cannot be used with --invoice: the invoice states its prices")
    merged = comparison.merge([_read_statement(file) for file in files])
    if invoice is not None:
        _compare(merged, _read_invoice(invoice, trust, state)[0], as_json)
        return
    comparison.one_customer(merged)
    told, total = None, None
    if prices is not None:
        told = read_prices(prices)
        moved = [
            Movement(space=space, before=0, credited=0, new=len(one)) for space, one in merged.sets.items()
        ]
        total = amount(told, moved)
    _show(_facts(merged, merged.sets, told, total), as_json)


def _compare(merged: "Merged", invoice: "Invoice", as_json: bool) -> None:
    """Print what the statements give, and refuse where the invoice bills something else."""
    from ternary_cli.refusals import FoundWrongError
    from ternary_sdk._internal.pricing import comparison

    found = comparison.compare(merged, invoice)
    facts = _facts(merged, found.billable, invoice.prices, found.amount)
    facts |= {"invoice": invoice.number, "agrees": not found.differences}
    if not (as_json and found.differences):
        _show(facts, as_json)
    if found.differences:
        sentences = "; ".join(difference.sentence() for difference in found.differences)
        raise FoundWrongError(f"invoice {invoice.number} differs from the statements: {sentences}", facts)


def _facts(
    merged: "Merged",
    sets: "dict[Space, OperationSet]",
    prices: "PriceList | None",
    due: "Amount | None",
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "customer": " and ".join(merged.customers),
        "licenses": list(merged.licenses),
        "spaces": [
            {"space": str(space), "operations": len(members), "sha256": members.digest}
            for space, members in sets.items()
        ],
    }
    if prices is not None and due is not None:
        facts["total"] = f"{prices.currency} {prices.money(due.total)}"
        facts["minor_units"] = due.total
    return facts


def _show(facts: dict[str, Any], as_json: bool) -> None:
    from ternary_cli.terminal import pairs, show, show_json

    if as_json:
        show_json(facts)
        return
    told = {"customer": facts["customer"], "licenses": ", ".join(facts["licenses"])}
    for of in facts["spaces"]:
        told[f"space {of['space']}"] = f"{of['operations']:,} operations"
        told[f"set {of['space']}"] = of["sha256"]
    if "total" in facts:
        told["total"] = facts["total"]
    if "agrees" in facts:
        told["invoice"] = f"{facts['invoice']}: {'agrees' if facts['agrees'] else 'differs'}"
    show(pairs(told))


def _read_statement(file: Path) -> "Statement":
    from ternary_cli.files import read
    from ternary_sdk._internal.pricing.statement import MAX_STATEMENT, Statement
    from ternary_sdk.errors import FormatError, SignatureError

    data, name = read(file, most=MAX_STATEMENT)
    try:
        return Statement.read(data)
    except (FormatError, SignatureError) as refusal:
        raise type(refusal)(f"{name}: {refusal}") from None


def _read_invoice(file: Path, trust: Path | None, state: Path | None) -> "tuple[Invoice, bytes]":
    from ternary_cli.files import read
    from ternary_cli.selection import select_trust
    from ternary_sdk._internal.documents import outer
    from ternary_sdk._internal.pricing.invoice import Invoice
    from ternary_sdk._internal.pricing.invoice_claims import MAX_INVOICE
    from ternary_sdk.errors import FormatError, SignatureError

    trusted = select_trust(trust, state=state)
    data, name = read(file, most=MAX_INVOICE)
    try:
        return Invoice.read(data, trusted), outer.bare(data, name)
    except (FormatError, SignatureError) as refusal:
        raise type(refusal)(f"{name}: {refusal}") from None
