"""
``ternary server edit-customer``, ``merge-customer``, ``anonymise-customer``, ``change-policy``,
``price-policy`` and ``end-policy``: customers and policies after they were made.
"""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ternary_cli.options import JsonOption, argument, option, whole
from ternary_cli.server_deals import OveragePrice, OverageUpTo, SeatsUpTo, overage
from ternary_cli.server_names import customer_id
from ternary_cli.server_terms import TokenFile, Url, admin, checked_name, show_facts

CustomerArgument = Annotated[str, argument("CUSTOMER", "An id, or a name that only one has.")]
PolicyArgument = Annotated[str, argument("POLICY", "Its name.")]


class Existing(StrEnum):
    """What licenses do that are there already."""

    KEEP = "keep"
    TAKE = "take"


ExistingOption = Annotated[
    Existing, option("--existing", text="Whether licenses that are there keep what they have, or take this.")
]


def edit_customer(
    customer: CustomerArgument,
    name: Annotated[
        str | None, option("--name", metavar="N", text="What licenses given from now on name.")
    ] = None,
    contact: Annotated[
        str | None, option("--contact", metavar="T", text="Whom to write to; '' for nobody.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a customer another name or contact; licenses that are there keep the name that they have."""
    if name is None and contact is None:
        raise typer.BadParameter("Nothing to change; add --name or --contact.")
    asked = admin(url, token_file)
    changes = {"name": name} if name is not None else {}
    body: dict[str, Any] = changes | ({} if contact is None else {"contact": contact or None})
    show_facts(asked.post(f"/customers/{customer_id(asked, customer)}/edit", body), as_json)


def merge_customer(
    customer: CustomerArgument,
    into: Annotated[str, option("--into", metavar="C", text="Who remains, by id or name.")],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Bill a customer as another one from now on; what both were billed for is given back once."""
    asked = admin(url, token_file)
    body = {"into": customer_id(asked, into)}
    show_facts(asked.post(f"/customers/{customer_id(asked, customer)}/merge", body), as_json)


def anonymise_customer(
    customer: CustomerArgument, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Erase a customer's name and contact for good, in the audit log too; issued invoices keep them."""
    asked = admin(url, token_file)
    show_facts(asked.post(f"/customers/{customer_id(asked, customer)}/anonymise"), as_json)


def change_policy(
    policy: PolicyArgument,
    existing: ExistingOption,
    seats: Annotated[int | None, whole("--seats", metavar="N", text="Machines at once.")] = None,
    unique_operations: Annotated[
        int | None, whole("--unique-operations", metavar="N", text="Quota, over all spaces.")
    ] = None,
    seats_up_to: SeatsUpTo = None,
    overage_up_to: OverageUpTo = None,
    overage_price: OveragePrice = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a policy other seats, another quota or other overage from now on."""
    given = {"seats": seats, "unique_operations": unique_operations}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changes |= overage(seats_up_to, overage_up_to, overage_price)
    if not changes:
        raise typer.BadParameter("Nothing to change; add --seats, --unique-operations or overage.")
    body = changes | {"existing": existing is Existing.TAKE}
    show_facts(admin(url, token_file).post(f"/policies/{checked_name(policy)}/change", body), as_json)


def price_policy(
    policy: PolicyArgument,
    prices: Annotated[Path, option("--prices", metavar="F", text="The price list, .toml or .json.")],
    existing: ExistingOption,
    since: Annotated[
        str | None,
        option("--since", metavar="M", text="First month invoiced by it, as 2026-05; default: the next."),
    ] = None,
    bill_earlier: Annotated[
        bool,
        option("--bill-earlier", text="Bill licenses without prices for what they returned before, too."),
    ] = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a policy a price list from a month on."""
    from ternary_cli.price_lists import read_prices
    from ternary_sdk._internal.pricing.month import Month

    month = Month.of(datetime.now(UTC)).next if since is None else Month.parse(since)
    body = {
        "prices": read_prices(prices).to_json(),
        "month": str(month),
        "existing": existing is Existing.TAKE,
        "bill_earlier": bill_earlier,
    }
    show_facts(admin(url, token_file).post(f"/policies/{checked_name(policy)}/prices", body), as_json)


def end_policy(
    policy: PolicyArgument, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Let a policy issue no license any more; its licenses run on and can be renewed."""
    show_facts(admin(url, token_file).post(f"/policies/{checked_name(policy)}/end"), as_json)
