"""
Issuing licenses from the vendor's own keys, offline.
"""

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.keyset import seconds
from ternary_license_server.keys.sealing import seal
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import ExactPackage, PackageIdentity, PackageTerm
from ternary_sdk._internal.licensing import own_claims
from ternary_sdk._internal.licensing.claims import CONTENT_KEY_BYTES, FEATURE
from ternary_sdk._internal.licensing.license import ACTIONS, TYP, License
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import InputError, LicenseError

_RELEASED_UNTIL: Final = "released_until"


def issue(
    ring: KeyRing,
    *,
    package: PackageIdentity | Sequence[PackageTerm],
    customer: str,
    now: datetime,
    expires: datetime | None = None,
    not_before: datetime | None = None,
    grace_from: datetime | None = None,
    entitlements: Collection[str] = ACTIONS,
    unique_operations: int | None = None,
    machines: Sequence[str] | None = None,
    bound_to: PublicKey | None = None,
    lease: str | None = None,
    seats: int | None = None,
    content_keys: Mapping[str, bytes] | None = None,
    license_id: str | None = None,
    released_until: datetime | None = None,
    agreed_operations: int | None = None,
    own: Mapping[str, str] | None = None,
) -> bytes:
    """Sign a license and read it back as the customer will.

    Args:
        ring: The vendor's keys; the one of role ``license`` signs.
        package: The package whose exact digest is licensed, or terms that may also be version ranges.
        customer: Whom it is for, at most 200 characters.
        now: When it is issued, timezone-aware.
        expires: Its end, timezone-aware; None never.
        not_before: Its start, if later than ``now``.
        grace_from: When a license server renews it; from then to ``expires`` it runs on grace.
        entitlements: Which of encode, decode and sample it allows, and features of the vendor's own, ``x-…``.
        unique_operations: How many different operations, of all spaces together, it may ever return, 1 to
            2^53 - 1; None for any.
        machines: Ids of the machines it runs on, as ``ternary machine`` prints them; None for any.
        bound_to: The one installation key it is bound to; None makes a bearer license.
        lease: The number of the seat it is for, by which that seat alone can be revoked.
        seats: How many machines may hold it at once; needs ``machines`` or ``bound_to``.
        content_keys: 32 bytes by package digest, for encrypted packages; sealed to ``bound_to``, in the
            clear in a bearer license.
        license_id: The vendor's number for it; by default 96 random bits.
        released_until: It covers packages that were released until then, timezone-aware; None any. A reader
            that does not know this limit refuses the license.
        agreed_operations: The agreed quota, where ``unique_operations`` has overage too.
        own: The vendor's own claims by name, ``x-…``.
    Returns:
        The license file: a compact JWS.
    Raises:
        InputError: If an argument is out of range, or the vendor's own trust file would refuse it.
    """
    own_claims.check(own or {})
    features = sorted(name for name in entitlements if FEATURE.fullmatch(name))
    terms = [ExactPackage(digest=package.digest)] if isinstance(package, PackageIdentity) else package
    claims: dict[str, Json] = {
        "iss": ring.vendor,
        "jti": license_id or f"L-{secrets.token_hex(12)}",
        "sub": customer,
        "iat": seconds(now),
        "nbf": None if not_before is None else seconds(not_before),
        "exp": None if expires is None else seconds(expires),
        "grace": None if grace_from is None else {"from": seconds(grace_from)},
        "packages": [dict(term.to_claim()) for term in terms],
        "entitlements": [str(name) for name in sorted(entitlements) if name not in features],
        "features": [*features] or None,
        "unique_operations": unique_operations,
        "machines": None if machines is None else list(machines),
        "cnf": None if bound_to is None else {"jkt": bound_to.kid},
        "lease": lease,
        "seats": seats,
        "content_keys": None if content_keys is None else _content_keys(content_keys, bound_to),
        "agreed_operations": agreed_operations,
        _RELEASED_UNTIL: None if released_until is None else seconds(released_until),
        "critical": None if released_until is None else [_RELEASED_UNTIL],
        **(own or {}),
    }
    return _sign(ring, {name: claim for name, claim in claims.items() if claim is not None})


def reissue(ring: KeyRing, license: bytes, *, now: datetime, expires: datetime | None) -> bytes:
    """Sign a license again with a later end: the same id, customer, terms, claims and content keys.

    The end of one that keeps the packages released until then is the date until which they are.

    Its id is the same, so what was returned under it counts for its quota as before, and a revocation of the
    id ends both.

    Args:
        ring: The vendor's keys; the one of role ``license`` signs.
        license: The license as it was issued.
        now: When it is issued again, timezone-aware.
        expires: Its new end, timezone-aware; None never.
    Returns:
        The license file: a compact JWS.
    Raises:
        LicenseError: If the license is malformed, of another vendor, or revoked.
        InputError: If a license server renews it, or its end would not be later.
    """
    held = License.read(license, ring.trust)
    if held.lease is not None or held.grace_from is not None:
        raise InputError(
            f"license {held.id}: is a license server's; 'ternary server renew' gives it another end"
        )
    end = held.expires or held.released_until
    if end is None or (expires is not None and expires <= end):
        told = "never ends" if end is None else f"ends on {end:%Y-%m-%d}"
        raise InputError(f"license {held.id}: {told}, expected a later end")
    kept = jws.read(
        outer.bare(license, "license", outer.TOKEN),
        typ=TYP,
        what="license",
        key_for=lambda kid: ring.trust.candidate(kid, Role.LICENSE),
    ).claims
    if not isinstance(kept, dict):  # as License.read has found
        raise InputError("license: expected an object of claims")
    moved = {"exp"} if held.expires is not None else {_RELEASED_UNTIL, "critical"}
    claims = {name: claim for name, claim in kept.items() if name not in moved} | {"iat": seconds(now)}
    if expires is None:
        return _sign(ring, claims)
    if held.expires is not None:
        return _sign(ring, claims | {"exp": seconds(expires)})
    return _sign(ring, claims | {_RELEASED_UNTIL: seconds(expires), "critical": [_RELEASED_UNTIL]})


def _sign(ring: KeyRing, claims: Json) -> bytes:
    """The token, read back as the customer will read it."""
    token = ring.signer(Role.LICENSE).sign_token(claims, typ=TYP)
    try:
        License.read(token, ring.trust)
    except LicenseError as refusal:
        raise InputError(f"cannot issue this license: {refusal}") from None
    return token


def _content_keys(keys: Mapping[str, bytes], bound_to: PublicKey | None) -> Json:
    return [_content_key(digest, secret, bound_to) for digest, secret in keys.items()]


def _content_key(digest: str, secret: bytes, bound_to: PublicKey | None) -> Json:
    if len(secret) != CONTENT_KEY_BYTES:
        raise InputError(f"content key: {len(secret)} bytes, expected {CONTENT_KEY_BYTES}")
    if bound_to is not None:
        return {"digest": digest, "jwe": seal(secret, bound_to)}
    return {"digest": digest, "key": base64.b64encode(secret).decode()}
