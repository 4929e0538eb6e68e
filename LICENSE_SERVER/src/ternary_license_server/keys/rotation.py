"""
Changing what the root vouches for: new keys, revoked keys, revoked licenses, a new end.

Each function signs the next version and writes it before it returns; clients get it as a trust file.
A key is retired by rotation and stays good for what it signed; a revoked key is good for nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ternary_license_server.keys import keyset
from ternary_license_server.keys.keyring import KeyRing, save
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.trust.trust import REVOCATIONS, Role, Trust
from ternary_sdk.errors import InputError


def rotate(ring: KeyRing, role: Role, now: datetime) -> KeyRing:
    """Make a new key for a role; it signs from now on, and the old private key is destroyed.

    Of the private keys only the root's is needed: the old one may be lost, damaged or elsewhere.

    Raises:
        InputError: If the role is root, the root's key is not here, or a file cannot be written.
    """
    if role is Role.ROOT:
        raise InputError(
            "role root: clients pin this key; to replace it, make new keys with 'ternary keys init' "
            "and have every client pin the new trust file"
        )
    key = SigningKey.generate()
    keys = dict(ring.trust.keys) | {key.kid: (role, key.public)}
    trust = _sign(ring, replace(ring.trust, keys=keys), now)
    faults = {of: fault for of, fault in ring.faults.items() if of is not role}
    return save(replace(ring, trust=trust, keys={**ring.keys, role: key}, faults=faults), role)


def revoke_key(ring: KeyRing, kid: str, now: datetime) -> KeyRing:
    """Declare a key stolen: nothing it signed is valid any more, whatever date it bears.

    Its private part need not be here. The revocation list is signed again where that key had signed it,
    which needs the new key of role ``license``. Licenses and packages that it signed must be issued again.

    Raises:
        InputError: If no such key is in the set, it is revoked already or still signs.
    """
    if kid == ring.trust.root.kid:
        raise InputError(
            f"key {kid}: this is the root, which no key set can revoke; make new keys with "
            "'ternary keys init' and have every client pin the new trust file"
        )
    if kid not in ring.trust.keys:
        raise InputError(f"key {kid}: not in the key set of {ring.vendor} (version {ring.trust.version})")
    if kid in ring.trust.revoked_keys:
        raise InputError(f"key {kid}: revoked already, on {ring.trust.revoked_keys[kid]:%Y-%m-%d}")
    role, _ = ring.trust.keys[kid]
    if kid == ring.trust.newest(role) or ring.signs(kid):
        raise InputError(f"key {kid}: it signs for role {role} now; run 'ternary keys rotate {role}' first")
    revoked = dict(ring.trust.revoked_keys) | {kid: now}
    trust = _sign(
        ring, replace(ring.trust, revoked_keys=revoked), now, relist=kid == _signer_of_list(ring.trust)
    )
    return save(replace(ring, trust=trust))


def revoke_license(ring: KeyRing, license_id: str, now: datetime) -> KeyRing:
    """Withdraw one license. Needs the key of role ``license``, not the root.

    Raises:
        InputError: If the id is no license id or is withdrawn already, or the directory's list is full.
    """
    if not LICENSE_ID.fullmatch(license_id):
        raise InputError(f"license id: {license_id[:80]!r}, expected text of the form {LICENSE_ID.pattern}")
    if license_id in ring.trust.revoked_licenses:
        raise InputError(f"license {license_id}: revoked already")
    if len(ring.trust.revoked_licenses) >= keyset.MAX_OWN:
        raise InputError(
            f"license {license_id}: the list of these keys has {len(ring.trust.revoked_licenses)} names and "
            f"holds at most {keyset.MAX_OWN}; a license server's own list holds more"
        )
    listed = _sign_list(ring, ring.trust.revoked_licenses | {license_id}, now)
    trust = keyset.trust_file(ring.trust.root, _key_set_token(ring.trust), listed)
    return save(replace(ring, trust=trust))


def extend(ring: KeyRing, expires: datetime | None, now: datetime) -> KeyRing:
    """Sign the key set again with another end; None is never."""
    return save(replace(ring, trust=_sign(ring, replace(ring.trust, expires=expires), now)))


def _sign(ring: KeyRing, wanted: Trust, now: datetime, *, relist: bool = False) -> Trust:
    if now < ring.trust.issued:
        raise InputError(
            f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, before the current key set was signed "
            f"({ring.trust.issued:%Y-%m-%d %H:%M:%S} UTC); set the clock right"
        )
    key_set = keyset.sign_key_set(
        ring.signer(Role.ROOT),
        vendor=wanted.vendor,
        version=ring.trust.version + 1,
        keys=wanted.keys.values(),
        revoked=wanted.revoked_keys,
        expires=wanted.expires,
        now=now,
    )
    listed = _members(ring.trust).get("revocations")
    if listed is not None and relist:
        listed = _sign_list(ring, ring.trust.revoked_licenses, now).decode()
    return keyset.trust_file(wanted.root, key_set, listed.encode() if listed is not None else None)


def _sign_list(ring: KeyRing, licenses: frozenset[str], now: datetime) -> bytes:
    current, end = ring.trust.revocations, ring.trust.expires
    if end is not None and now > end:
        raise InputError(
            f"the key set of {ring.vendor} ended on {end:%Y-%m-%d} and vouches for nothing signed since; "
            "run 'ternary keys extend' first"
        )
    return keyset.sign_revocations(
        ring.signer(Role.LICENSE),
        vendor=ring.vendor,
        version=current.version + 1 if current else 1,
        licenses=licenses,
        now=now,
    )


def _signer_of_list(trust: Trust) -> str | None:
    """Thumbprint of the key that signed the revocation list; None where there is no list."""
    token = _members(trust).get("revocations")
    if token is None:
        return None
    return jws.read(
        token.encode(),
        typ=REVOCATIONS,
        what="revocation list",
        key_for=lambda kid: trust.candidate(kid, Role.LICENSE),
    ).kid


def _key_set_token(trust: Trust) -> bytes:
    return _members(trust)["keys"].encode()


def _members(trust: Trust) -> Mapping[str, str]:
    fields = Fields(canonical.decode(trust.data, "trust file"), "trust file")
    return {name: fields.text(name, longest=1 << 20) for name in ("keys", "revocations") if name in fields}
