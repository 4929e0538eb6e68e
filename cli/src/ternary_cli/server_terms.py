"""
What all ``ternary server`` commands share: their options, the server's address and token, how facts look.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.dates import duration
from ternary_cli.options import argument, option
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_cli.admin import Admin
    from ternary_license_server.database.engine import Database as OpenDatabase

Url = Annotated[
    str | None, option("--server", metavar="URL", text="Default: $TERNARY_SERVER_URL, else this machine's.")
]
TokenFile = Annotated[
    Path | None, option("--token-file", metavar="F", text="Default: the token in $TERNARY_SERVER_TOKEN.")
]
LicenseId = Annotated[str, argument("LICENSE", "Its id, or its key.")]
CustomerOption = Annotated[
    str | None,
    option("--customer", metavar="C", text="Of this customer alone: an id, or a name that only one has."),
]


Database = Annotated[
    str | None, option("--database", metavar="URL", text="sqlite:///FILE or postgresql://USER@HOST/NAME.")
]


@contextmanager
def opened_database(address: str | None) -> "Iterator[OpenDatabase]":
    """The server's database itself, by option or TERNARY_SERVER_DATABASE: for who has rights on it."""
    with vendor_extra("ternary server", extra="server"):
        from ternary_license_server.database.engine import Database as OpenDatabase
        from ternary_license_server.settings import read_database
    given = {} if address is None else {"TERNARY_SERVER_DATABASE": address}
    database = OpenDatabase(read_database(dict(os.environ) | given))
    try:
        yield database
    finally:
        database.close()


def admin(url: str | None, token_file: Path | None) -> "Admin":
    """The server that options or environment name."""
    with vendor_extra("ternary server", extra="server"):
        from ternary_cli.admin import Admin
    return Admin(url, token_file)


def show_leased(admin: "Admin", path: str, as_json: bool) -> None:
    """Print a license and all of its leases, which the server gives page by page."""
    facts = admin.get(path, limit=1000)
    leases = page = facts["leases"]
    while page:
        page = admin.get(path, limit=1000, after=page[-1]["installation"])["leases"]
        leases.extend(page)
    show_facts(facts | {"leases": leases}, as_json)


def show_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Print one object."""
    from ternary_cli.terminal import pairs, show_json
    from ternary_cli.terminal import show as show_lines

    if as_json:
        show_json(facts)
        return
    leases, spaces = facts.pop("leases", []), facts.pop("spaces", [])
    show_lines(pairs({name: _word(value, name) for name, value in facts.items()}))
    if len(spaces) > 1:  # of one alone, the sums say the same
        show_lines(["  ".join(f"{name} {value}" for name, value in of_space.items()) for of_space in spaces])
    if leases:
        show_lines([_seat(lease) for lease in leases])


def _seat(lease: dict[str, Any]) -> str:
    if lease["live"]:
        standing = f"held until {_word(lease['ends'], 'ends')}"
    elif lease["released"] is not None:
        standing = f"free since {_word(lease['released'], 'released')}"
    else:
        standing = f"ended {_word(lease['ends'], 'ends')}"
    offline = ", offline" if lease["offline"] else ""
    return f"seat {lease['seat']}  {standing}{offline}  machine {_word(lease['machine'])}"


def _word(value: Any, name: str = "") -> str:
    if value is None:
        return "never" if name == "expires" else "-"
    if name in (
        "created",
        "starts",
        "expires",
        "revoked",
        "ends",
        "released",
        "started",
        "clock",
        "newest",
        "begun",
        "until",
        "merged",
        "anonymised",
        "ended",
    ):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if name == "prices":
        return _price_words(value)
    if name == "later_prices":
        return "; ".join(_later_words(one) for one in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={said}" for key, said in value.items()) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in ("term", "lease", "grace", "offline") and isinstance(value, int):
        return duration(value)
    return (",".join(map(str, value)) or "-") if isinstance(value, list) else str(value)


def _later_words(stated: Any) -> str:
    kept = "" if stated["existing"] else ", not for older licenses"
    return f"from {stated['month']}{kept}: {_price_words(stated['prices'])}"


def _price_words(stated: Any) -> str:
    from ternary_sdk._internal.pricing.price_list import PriceList

    return PriceList.read(stated).words()


def checked_id(text: str) -> str:
    """An id that may stand in a path."""
    from ternary_sdk._internal.identity import LICENSE_ID
    from ternary_sdk.errors import InputError

    if not LICENSE_ID.fullmatch(text):
        raise InputError(f"id: {text[:80]!r}, expected letters, digits, '.', '_' and '-'")
    return text


def checked_name(text: str, what: str = "policy") -> str:
    """A policy's or a product's name."""
    from ternary_sdk._internal.identity import NAME
    from ternary_sdk.errors import InputError

    if not NAME.fullmatch(text):
        raise InputError(f"{what}: {text[:80]!r}, expected lowercase letters, digits and hyphens")
    return text


def checked_version(text: str | None) -> str | None:
    """A version as the server takes it."""
    from ternary_sdk._internal.identity import format_version, parse_version

    return None if text is None else format_version(parse_version(text))


def day(text: str) -> datetime:
    """The beginning of a day, UTC."""
    from ternary_sdk.errors import InputError

    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"date: {text[:40]!r}, expected one such as 2026-12-31") from None
