"""
What the root vouches for: key sets, revocation lists, and the trust file that carries both to clients.

Versions only rise. Everything built here is read back by the client's own reader before it is returned,
so a vendor cannot publish what clients would refuse.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import FORMAT, KEY_SET, REVOCATIONS, Role, Trust
from ternary_sdk.errors import InputError

MAX_OWN: Final = 1_000
"""Most names that a key directory may put on the revocation list. A server keeps as many places for them."""


def seconds(moment: datetime) -> int:
    """A timezone-aware moment as a NumericDate, whole seconds rounded down."""
    if moment.tzinfo is None:
        raise InputError(f"moment {moment.isoformat()} has no time zone, expected UTC")
    return int(moment.timestamp())


def sign_key_set(
    root: SigningKey,
    *,
    vendor: str,
    version: int,
    keys: Iterable[tuple[Role, PublicKey]],
    revoked: Mapping[str, datetime],
    expires: datetime | None,
    now: datetime,
) -> bytes:
    """The key set token: every key that ever had a role, and which of them are revoked.

    Args:
        root: The vendor's root key.
        vendor: The name that every token of this vendor repeats as ``iss``.
        version: One more than the last set's.
        keys: Public keys with their roles, retired ones included; never the root's.
        revoked: Moment of revocation by kid.
        expires: When the set ends; None never.
        now: When it is signed.
    """
    claims: dict[str, Json] = {
        "iss": vendor,
        "version": version,
        "iat": seconds(now),
        "keys": [{"kid": key.kid, "role": str(role), "key": key.jwk} for role, key in keys],
        "revoked": [{"kid": kid, "at": seconds(at)} for kid, at in revoked.items()],
    }
    if expires is not None:
        claims["exp"] = seconds(expires)
    return root.sign_token(claims, typ=KEY_SET)


def sign_revocations(
    key: SigningKey, *, vendor: str, version: int, licenses: Iterable[str], now: datetime
) -> bytes:
    """The revocation list token, signed by the current key of role ``license``."""
    claims: Json = {
        "iss": vendor,
        "version": version,
        "iat": seconds(now),
        "licenses": [str(license_id) for license_id in sorted(licenses)],
    }
    return key.sign_token(claims, typ=REVOCATIONS)


def trust_file(root: PublicKey, key_set: bytes, revocations: bytes | None) -> Trust:
    """The file that clients pin, read back as they will read it.

    Raises:
        FormatError, SignatureError: If clients would refuse it.
    """
    value: dict[str, Json] = {"format": FORMAT, "root": root.jwk, "keys": key_set.decode()}
    if revocations is not None:
        value["revocations"] = revocations.decode()
    return Trust.read(canonical.encode(value))
