"""
The vendor's own claims of a license, ``x-…``: an order number, a project, what the vendor wants to read back.

They never decide about a call. So a reader passes over those that do not have this form, and who signs a
license refuses them. Licenses already issued are read by these rules for as long as they run.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.legible import is_name
from ternary_sdk.errors import InputError

NAME: Final = re.compile(r"x-[a-z0-9][a-z0-9-]{0,61}")
MOST: Final = 16
"""How many a license may carry."""
LONGEST: Final = 200
"""Characters of a value."""


def read(claims: Json) -> tuple[tuple[str, str], ...]:
    """Those among a license's claims that have the form, ascending by name; none of the others."""
    if not isinstance(claims, dict):
        return ()
    return tuple(
        (name, value)
        for name, value in sorted(claims.items())
        if NAME.fullmatch(name) and isinstance(value, str) and is_name(value, LONGEST)
    )


def check(claims: Mapping[str, str]) -> None:
    """Refuse claims that no license may be issued with.

    Raises:
        InputError: If there are too many, or a name or a value does not have the form.
    """
    if len(claims) > MOST:
        raise InputError(f"claims: {len(claims)} of the vendor's own, expected at most {MOST}")
    for name, value in claims.items():
        if not NAME.fullmatch(name):
            raise InputError(
                f"claim {name[:80]!r}: expected x- and then lowercase letters, digits and hyphens, "
                "64 characters at most"
            )
        if not is_name(value, LONGEST):
            raise InputError(
                f"claim {name}: {value[:40]!r}, expected one line of 1 to {LONGEST} printable characters"
            )


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Read claims as they are typed, ``x-order=PO-4711``.

    Raises:
        InputError: If one has another form, or a name is repeated.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"claim {text[:80]!r}: expected NAME=VALUE, such as x-order=PO-4711")
        if name in found:
            raise InputError(f"claim {name[:80]}: is given twice")
        found[name] = value
    check(found)
    return found
