"""
Customers by id or name, licenses by id, key or machine: whatever somebody has at hand.
"""

import re
from typing import TYPE_CHECKING, Any, Final

from ternary_cli.server_terms import checked_id
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk.errors import InputError

if TYPE_CHECKING:
    from ternary_cli.admin import Admin

_CUSTOMER: Final = re.compile(r"C-[0-9a-f]{16}")
_KEY: Final = re.compile(r"(?:[0-9A-Za-z]{5}[- ]){4}[0-9A-Za-z]{5}|[0-9A-Za-z]{25}")
_LONGEST: Final = 200
_CANDIDATES: Final = 10


def customer_id(admin: "Admin", text: str) -> str:
    """The id of a customer, given as an id or as a name that only one has.

    Raises:
        InputError: If no customer has this name, or several have.
        ServerError: If the server cannot be reached or refuses.
    """
    if _CUSTOMER.fullmatch(text):
        return text
    if not 0 < len(text) <= _LONGEST:
        raise InputError(f"customer: {len(text)} characters, expected a name or an id")
    found = admin.get("/customers", name=text, limit=1000)
    if not found:
        raise InputError(
            f"customer {text!r}: there is none of this name; 'ternary server customers' lists all"
        )
    if len(found) > 1:
        raise InputError(
            f"customer {text!r}: {len(found)} have this name: {_listed(found, _made)}; take an id"
        )
    return str(found[0]["id"])


def maybe_customer(admin: "Admin", text: str | None) -> str | None:
    """The same of an option that may be left out."""
    return None if text is None else customer_id(admin, text)


def license_id(admin: "Admin", text: str, *, machines: bool = False) -> str:
    """The id of a license, given as an id or as its key; of what only shows something, also as a machine.

    A key never leaves this machine: the server is asked for its digest.

    Args:
        admin: The server.
        text: What was typed.
        machines: Whether it may be a machine's id, an installation or a seat, of now or of before.
    Raises:
        InputError: If it is none, or a machine has had seats of several licenses.
        ServerError: If the server cannot be reached or refuses.
    """
    if _KEY.fullmatch(text):
        return _of_key(admin, text)
    if machines and not text.startswith("L-") and 0 < len(text) <= _LONGEST:
        found = admin.get("/licenses", holder=text, limit=1000)
        if len(found) > 1:
            raise InputError(
                f"machine {text!r}: has or had seats of {len(found)} licenses: {_listed(found, _whose)}; "
                "take an id"
            )
        if found:
            return str(found[0]["id"])
        if not LICENSE_ID.fullmatch(text):
            raise InputError(
                f"machine {text!r}: has and had no seat of any license; 'ternary machine' prints its id there"
            )
    return checked_id(text)


def _of_key(admin: "Admin", text: str) -> str:
    from ternary_sdk._internal.online import key

    found = admin.get("/licenses", key_digest=key.digest(text), limit=2)
    if not found:
        raise InputError("license key: this server has no license with this key; a transfer replaces it")
    return str(found[0]["id"])


def _listed(rows: list[dict[str, Any]], what: Any) -> str:
    more = f" and {len(rows) - _CANDIDATES} more" if len(rows) > _CANDIDATES else ""
    return ", ".join(f"{row['id']} ({what(row)})" for row in rows[:_CANDIDATES]) + more


def _made(row: dict[str, Any]) -> str:
    from ternary_cli.server_pages import minute

    return f"made {minute(row['created'])}"


def _whose(row: dict[str, Any]) -> str:
    return f"{row['customer_name']}, {row['state']}"
