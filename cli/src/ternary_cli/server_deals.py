"""
``ternary server issue`` and ``edit``: what is agreed for one license, and what is noted beside it.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ternary_cli.options import ClaimOption, JsonOption, option, whole
from ternary_cli.server_names import customer_id, license_id
from ternary_cli.server_terms import LicenseId, TokenFile, Url, admin, show_facts

SeatsUpTo = Annotated[
    int | None, whole("--seats-up-to", metavar="N", text="Machines at once if more are needed than --seats.")
]
OverageUpTo = Annotated[
    int | None, whole("--overage-up-to", metavar="N", text="Operations if more are needed than the quota.")
]
OveragePrice = Annotated[
    str | None,
    option(
        "--overage-price", metavar="A[/N]", text="Minor units for each of them, or for N; default: as others."
    ),
]
Seats = Annotated[int | None, whole("--seats", metavar="N", text="Machines at once.")]
Quota = Annotated[int | None, whole("--unique-operations", metavar="N", text="Quota, over all spaces.")]
Allow = Annotated[
    str | None,
    option("--allow", metavar="LIST", text="Of encode,decode,sample, and your own, x-NAME."),
]
Perpetual = Annotated[
    bool, option("--perpetual", text="Versions released until its end stay usable for ever.")
]
Order = Annotated[
    str | None,
    option("--order", metavar="TEXT", text="The order's number, for invoices too; '' for none."),
]
Notes = Annotated[str | None, option("--notes", metavar="TEXT", text="For yourself alone; '' for none.")]


def issue(
    to: Annotated[str, option("--to", metavar="C", text="The customer: an id, or a name that only one has.")],
    by: Annotated[str, option("--policy", metavar="NAME", text="The policy.")],
    expires: Annotated[
        str | None, option("--expires", metavar="DATE", text="Its last day, UTC; default: the policy's term.")
    ] = None,
    seats: Seats = None,
    seats_up_to: SeatsUpTo = None,
    unique_operations: Quota = None,
    overage_up_to: OverageUpTo = None,
    overage_price: OveragePrice = None,
    allow: Allow = None,
    perpetual: Perpetual = False,
    order: Order = None,
    notes: Notes = None,
    claim: ClaimOption = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a license, with terms of its own where they are given; its key is shown once."""
    from ternary_cli.dates import end_after
    from ternary_sdk._internal.licensing import own_claims

    agreed = _terms(seats, seats_up_to, unique_operations, overage_up_to, overage_price, allow, perpetual)
    body: dict[str, Any] = agreed | _noted(order, notes)
    if claim:
        body["claims"] = own_claims.parse(claim)
    end = None if expires is None else end_after(expires, datetime.now(UTC))
    if end is not None:
        body["expires"] = int(end.timestamp())
    asked = admin(url, token_file)
    show_facts(asked.post("/licenses", body | {"customer": customer_id(asked, to), "policy": by}), as_json)


def edit(
    license: LicenseId,
    seats: Seats = None,
    seats_up_to: SeatsUpTo = None,
    unique_operations: Quota = None,
    overage_up_to: OverageUpTo = None,
    overage_price: OveragePrice = None,
    no_overage: Annotated[
        bool, option("--no-overage", text="Seats and quota are not exceeded any more.")
    ] = False,
    allow: Allow = None,
    perpetual: Perpetual = False,
    order: Order = None,
    notes: Notes = None,
    claim: ClaimOption = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Agree on other terms for one license, or note something else; 'x-NAME=' takes a claim away.

    Machines get terms and claims with their next renewal.
    """
    agreed = _terms(seats, seats_up_to, unique_operations, overage_up_to, overage_price, allow, perpetual)
    if no_overage:
        if {name for name in agreed if name.startswith("overage")}:
            raise typer.BadParameter("--no-overage cannot be used with --seats-up-to or --overage-….")
        agreed |= dict.fromkeys(("overage_seats", "overage_operations", "overage_amount", "overage_per"))
    body: dict[str, Any] = agreed | _noted(order, notes)
    if not body and not claim:
        raise typer.BadParameter("Nothing to change; add a term, --order, --notes or --claim.")
    asked = admin(url, token_file)
    path = f"/licenses/{license_id(asked, license)}"
    if claim:
        body["claims"] = _claims(asked.get(path, limit=1)["claims"], claim)
    show_facts(asked.post(f"{path}/edit", body), as_json)


def overage(seats: int | None, operations: int | None, price: str | None) -> dict[str, Any]:
    """Ceilings and price of overage, as the interface takes them; those that were given."""
    from ternary_sdk.errors import InputError

    found: dict[str, Any] = {}
    if seats is not None:
        found["overage_seats"] = seats
    if operations is not None:
        found["overage_operations"] = operations
    if price is not None:
        read = re.fullmatch(r"(0|[1-9][0-9]{0,12})(?:/([1-9][0-9]{0,12}))?", price)
        if read is None:
            raise InputError(
                f"--overage-price: {price[:40]!r}, expected minor units, as 25, or for so many, as 250/10"
            )
        found |= {"overage_amount": int(read[1]), "overage_per": int(read[2] or 1)}
    return found


def _terms(
    seats: int | None,
    seats_up_to: int | None,
    unique_operations: int | None,
    overage_up_to: int | None,
    overage_price: str | None,
    allow: str | None,
    perpetual: bool,
) -> dict[str, Any]:
    given = {
        "seats": seats,
        "unique_operations": unique_operations,
        "entitlements": None if allow is None else [word.strip() for word in allow.split(",")],
        "perpetual": perpetual or None,
    }
    kept = {name: value for name, value in given.items() if value is not None}
    return kept | overage(seats_up_to, overage_up_to, overage_price)


def _noted(order: str | None, notes: str | None) -> dict[str, Any]:
    given = {"order_number": order, "notes": notes}
    return {name: value or None for name, value in given.items() if value is not None}


def _claims(held: dict[str, str], given: list[str]) -> dict[str, str]:
    """The claims that a license has then: those given take the place of those of their names."""
    from ternary_sdk._internal.licensing import own_claims

    gone = {text.removesuffix("=") for text in given if text.endswith("=") and text.count("=") == 1}
    left = {name: value for name, value in held.items() if name not in gone}
    return left | own_claims.parse(text for text in given if text.removesuffix("=") not in gone)
