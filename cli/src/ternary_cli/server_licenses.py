"""
``ternary server licenses``, ``show`` and what happens in a license's life after it was issued.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from ternary_cli.dates import duration
from ternary_cli.options import JsonOption, argument, option, span
from ternary_cli.server_names import customer_id, license_id, maybe_customer
from ternary_cli.server_pages import Column, CsvOption, dated, one_form, pages, plain, show_list
from ternary_cli.server_terms import (
    CustomerOption,
    LicenseId,
    TokenFile,
    Url,
    admin,
    checked_id,
    day,
    show_facts,
    show_leased,
)


class StateName(StrEnum):
    """What the vendor has decided about a license."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


def licenses(
    of: CustomerOption = None,
    state: Annotated[StateName | None, option("--state", text="Only those in this state.")] = None,
    ending_within: Annotated[
        int | None,
        span("--ending-within", metavar="30d", text="Active ones that end in so many days or weeks."),
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List licenses."""
    one_form(as_json, as_csv)
    asked, now = admin(url, token_file), int(datetime.now(UTC).timestamp())
    query: dict[str, str | int | None] = {"customer": maybe_customer(asked, of), "state": state}
    if ending_within is not None:
        query |= {"state": state or "active", "ends_from": now, "ends_before": now + ending_within}
    rows = pages(asked, "/licenses", "id", **query)
    show_list(rows, _columns(now), ("starts", "expires", "created"), as_json=as_json, as_csv=as_csv)


def _columns(now: int) -> list[Column]:
    return [
        plain("id"),
        plain("customer_name", "customer"),
        plain("product"),
        plain("policy"),
        Column("state", lambda row: _state(row, now)),
        dated("starts"),
        dated("expires", "ends", none="never"),
        Column("seats", lambda row: _up_to(row["seats"], row["overage_seats"], "any")),
        Column("quota", lambda row: _up_to(row["unique_operations"], row["overage_operations"], "none")),
        plain("trial"),
        plain("order_number", "order"),
    ]


def _up_to(agreed: int | None, ceiling: int | None, none: str) -> str:
    """A number and, where it may be exceeded, up to how many."""
    if agreed is None:
        return none
    return f"{agreed:,}" if ceiling is None else f"{agreed:,} up to {ceiling:,}"


def _state(row: dict[str, Any], now: int) -> str:
    over = row["state"] == "active" and row["expires"] is not None and row["expires"] <= now
    if over and row["perpetual"]:
        return "perpetual"
    return "ended" if over else str(row["state"])


def show(
    license: Annotated[
        str, argument("LICENSE", "Its id, its key, or a machine, installation or seat that has or had it.")
    ],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Show a license, its leases and how many operations it has returned."""
    asked = admin(url, token_file)
    show_leased(asked, f"/licenses/{license_id(asked, license, machines=True)}", as_json)


def renew(
    license: LicenseId,
    expires: Annotated[
        str | None, option("--expires", metavar="DATE", text="Its new last day, UTC; default: one more term.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a license another end."""
    end = None if expires is None else int(day(expires).timestamp()) + 86_399
    asked = admin(url, token_file)
    show_facts(asked.post(f"/licenses/{license_id(asked, license)}/renew", {"expires": end}), as_json)


def change(
    license: LicenseId,
    to: Annotated[str, option("--policy", metavar="NAME", text="Another policy of its product.")],
    bill_earlier: Annotated[
        bool,
        option("--bill-earlier", text="If it had no prices: bill what it returned until now, too."),
    ] = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Put a license under another policy: its terms from now on; its end stays."""
    asked, body = admin(url, token_file), {"policy": to, "bill_earlier": bill_earlier}
    show_facts(asked.post(f"/licenses/{license_id(asked, license)}/policy", body), as_json)


def suspend(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Pause a license."""
    asked = admin(url, token_file)
    show_facts(asked.post(f"/licenses/{license_id(asked, license)}/suspend"), as_json)


def reinstate(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """End a license's pause."""
    asked = admin(url, token_file)
    show_facts(asked.post(f"/licenses/{license_id(asked, license)}/reinstate"), as_json)


def revoke(
    license: LicenseId,
    reason: Annotated[str | None, option("--reason", metavar="TEXT", text="Why, for the audit log.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a license for good, and say when its machines notice."""
    from ternary_cli.terminal import note

    asked = admin(url, token_file)
    path = f"/licenses/{license_id(asked, license)}/revoke"
    facts = asked.post(path, None if reason is None else {"reason": reason})
    show_facts(facts, as_json)
    note(_what_happens(facts))


def _what_happens(facts: dict[str, Any]) -> str:
    renewal, alone = duration(facts["lease"]), duration(facts["lease"] + facts["grace"])
    files = (
        f"; offline files run on until their own end, in {duration(facts['offline'])} at the latest"
        if facts["offline"]
        else ""
    )
    return (
        "from now on no machine gets a seat, and each renewal is denied; machines that reach the server stop "
        f"within {renewal}, others within {alone}{files}; a machine that takes the newest trust file "
        "('ternary trust update') stops at once"
    )


def transfer(
    license: LicenseId,
    to: Annotated[
        str, option("--to", metavar="C", text="Who receives it, by id or name; the same for a new key.")
    ],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a license to another customer, under a new key that is shown once."""
    asked = admin(url, token_file)
    show_facts(
        asked.post(f"/licenses/{license_id(asked, license)}/transfer", {"customer": customer_id(asked, to)}),
        as_json,
    )


def free_seat(
    license: LicenseId,
    seat: Annotated[str, argument("SEAT", "Its number, S-…; 'ternary server show LICENSE' lists them.")],
    reason: Annotated[
        str, option("--reason", metavar="TEXT", text="How the machine was lost, for the audit log.")
    ],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Free a lost machine's seat at once, and revoke what that machine holds."""
    asked = admin(url, token_file)
    path = f"/licenses/{license_id(asked, license)}/seats/{checked_id(seat)}/free"
    show_facts(asked.post(path, {"reason": reason}), as_json)


def correct(
    license: LicenseId,
    lease: Annotated[
        str, argument("LEASE", "Its number, S-…; 'ternary server show' and 'server audit' list them.")
    ],
    reason: Annotated[
        str, option("--reason", metavar="TEXT", text="Why it does not count, for the audit log.")
    ],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what a lease alone has reported so far, of all spaces, from its customer's invoice."""
    asked = admin(url, token_file)
    path = f"/licenses/{license_id(asked, license)}/leases/{checked_id(lease)}/correct"
    show_facts(asked.post(path, {"reason": reason}), as_json)
