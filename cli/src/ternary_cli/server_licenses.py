"""
``ternary server issue`` and what else happens in a license's life.
"""

from typing import Annotated

from ternary_cli.options import JsonOption, argument, option
from ternary_cli.server_terms import (
    CustomerOption,
    LicenseId,
    TokenFile,
    Url,
    admin,
    checked_id,
    day,
    show_every,
    show_facts,
    show_leased,
)


def issue(
    to: Annotated[str, option("--to", metavar="C", text="The customer's id.")],
    by: Annotated[str, option("--policy", metavar="NAME", text="The policy.")],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a license; its key is shown once."""
    show_facts(admin(url, token_file).post("/licenses", {"customer": to, "policy": by}), as_json)


def licenses(
    of: CustomerOption = None, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """List licenses."""
    show_every(admin(url, token_file), "/licenses", as_json, "id", customer=of)


def show(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Show a license, its leases and how many operations it has returned."""
    show_leased(admin(url, token_file), f"/licenses/{checked_id(license)}", as_json)


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
    show_facts(
        admin(url, token_file).post(f"/licenses/{checked_id(license)}/renew", {"expires": end}), as_json
    )


def change(
    license: LicenseId,
    to: Annotated[str, option("--policy", metavar="NAME", text="Another policy of its product.")],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Put a license under another policy: its terms from now on; its end stays."""
    show_facts(
        admin(url, token_file).post(f"/licenses/{checked_id(license)}/policy", {"policy": to}), as_json
    )


def suspend(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Pause a license."""
    show_facts(admin(url, token_file).post(f"/licenses/{checked_id(license)}/suspend"), as_json)


def reinstate(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """End a license's pause."""
    show_facts(admin(url, token_file).post(f"/licenses/{checked_id(license)}/reinstate"), as_json)


def revoke(
    license: LicenseId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Withdraw a license for good."""
    show_facts(admin(url, token_file).post(f"/licenses/{checked_id(license)}/revoke"), as_json)


def transfer(
    license: LicenseId,
    to: Annotated[
        str, option("--to", metavar="C", text="The receiving customer's id; the same for a new key.")
    ],
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a license to another customer, under a new key that is shown once."""
    show_facts(
        admin(url, token_file).post(f"/licenses/{checked_id(license)}/transfer", {"customer": to}), as_json
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
    path = f"/licenses/{checked_id(license)}/seats/{checked_id(seat)}/free"
    show_facts(admin(url, token_file).post(path, {"reason": reason}), as_json)


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
    path = f"/licenses/{checked_id(license)}/leases/{checked_id(lease)}/correct"
    show_facts(admin(url, token_file).post(path, {"reason": reason}), as_json)
