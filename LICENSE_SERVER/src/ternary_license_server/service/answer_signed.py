"""
Small documents that the vendor's answer key signs about this database: checkpoints and the seals of archives.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import SignatureError


class _Dated(Protocol):
    @property
    def vendor(self) -> str: ...

    @property
    def at(self) -> datetime: ...


Stated = TypeVar("Stated", bound=_Dated)


def read(
    token: bytes,
    trust: Trust,
    *,
    typ: str,
    what: str,
    stated: Callable[[Fields], Stated],
    longest: int = jws.MAX_TOKEN,
) -> Stated:
    """Verify a document's signature: a key of role ``answer`` of the trusted vendor, valid at its date.

    Args:
        token: The compact serialization.
        trust: The vendor's.
        typ: The one media type accepted.
        what: Its name in error messages.
        stated: Takes every claim.
        longest: Most bytes.
    Raises:
        FormatError: If it is not such a document.
        SignatureError: If it cannot be believed.
    """
    signed = jws.read(
        token,
        typ=typ,
        what=what,
        key_for=lambda kid: trust.candidate(kid, Role.ANSWER),
        longest=longest,
    )
    fields = Fields(signed.claims, what)
    found = stated(fields)
    fields.end()
    if found.vendor != trust.vendor:
        raise SignatureError(f"{what}: made by {found.vendor!r}, expected {trust.vendor!r}")
    trust.key(signed.kid, Role.ANSWER, found.at)
    return found
