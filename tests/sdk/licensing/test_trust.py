from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.keys import keyset
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.trust.trust import FORMAT, KEY_SET, REVOCATIONS, Role, Trust
from ternary_sdk.errors import FormatError, SignatureError, TernaryError

Claims = dict[str, Json]


@pytest.fixture
def key_set(ring: KeyRing, now: datetime) -> Claims:
    """The claims of a plain key set, for a test to bend."""
    return {
        "iss": "Acme Logic",
        "version": 7,
        "iat": int(now.timestamp()),
        "keys": [
            {"kid": key.kid, "role": str(role), "key": key.jwk} for role, key in ring.trust.keys.values()
        ],
        "revoked": [],
    }


@pytest.fixture
def listed(now: datetime) -> Claims:
    """The claims of a plain revocation list."""
    return {"iss": "Acme Logic", "version": 3, "iat": int(now.timestamp()), "licenses": ["L-1", "L-2"]}


@pytest.fixture
def file(ring: KeyRing) -> Callable[..., bytes]:
    """Writes a trust file around any claims, signed as they should be."""

    def write(key_set: Claims, listed: Claims | None = None) -> bytes:
        root = ring.signer(Role.ROOT)
        value: Claims = {
            "format": FORMAT,
            "root": root.public.jwk,
            "keys": root.sign_token(key_set, typ=KEY_SET).decode(),
        }
        if listed is not None:
            signer = ring.signer(Role.LICENSE)
            value["revocations"] = signer.sign_token(listed, typ=REVOCATIONS).decode()
        return canonical.encode(value)

    return write


def refusal_of(data: bytes) -> str:
    with pytest.raises(TernaryError) as refusal:
        Trust.read(data)
    return str(refusal.value)


def test_trust_file_says_who_vouches_for_what(
    ring: KeyRing, now: datetime, key_set: Claims, listed: Claims, file: Callable[..., bytes]
) -> None:
    revoked = ring.signer(Role.ANSWER).kid
    later = now + timedelta(days=365)
    key_set |= {"exp": int(later.timestamp()), "revoked": [{"kid": revoked, "at": int(now.timestamp())}]}
    trust = Trust.read(file(key_set, listed))
    assert (trust.vendor, trust.version, trust.issued, trust.expires) == ("Acme Logic", 7, now, later)
    assert trust.root.kid == ring.signer(Role.ROOT).kid
    assert trust.revoked_keys == {revoked: now}
    assert trust.revoked_licenses == {"L-1", "L-2"}
    assert trust.key(ring.signer(Role.PACKAGE).kid, Role.PACKAGE, now) == ring.signer(Role.PACKAGE).public


def test_file_is_read_from_the_bytes_it_keeps(ring: KeyRing) -> None:
    assert Trust.read(ring.trust.data) == ring.trust


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", None),
        (b"[]", "trust file: a list, expected an object"),
        (b"{}", "trust file: member 'format' is missing"),
        (b'{"format":"ternary-trust/2"}', "trust file.format: 'ternary-trust/2', expected 'ternary-trust/1'"),
        (b'{"format": "ternary-trust/1"}', None),
        (b"[" + b" " * (12 << 20) + b"]", "trust file: 12582914 bytes, expected at most 12582912"),
    ],
)
def test_file_of_another_format_is_refused(data: bytes, message: str | None) -> None:
    found = refusal_of(data)
    assert message is None or found == message


def test_key_set_by_another_root_is_refused(ring: KeyRing, key_set: Claims) -> None:
    other, root = SigningKey.generate(), ring.signer(Role.ROOT)
    token = other.sign_token(key_set, typ=KEY_SET).decode()
    data = canonical.encode({"format": FORMAT, "root": root.public.jwk, "keys": token})
    assert refusal_of(data) == f"key set: signed by key {other.kid}, expected the root {root.kid}"


def test_license_key_cannot_sign_a_key_set(ring: KeyRing, key_set: Claims) -> None:
    signer, root = ring.signer(Role.LICENSE), ring.signer(Role.ROOT)
    token = signer.sign_token(key_set, typ=KEY_SET).decode()
    data = canonical.encode({"format": FORMAT, "root": root.public.jwk, "keys": token})
    assert refusal_of(data) == f"key set: signed by key {signer.kid}, expected the root {root.kid}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 0}, "key set.version: 0, expected an integer from 1 to 9007199254740991"),
        ({"iss": None}, "key set.iss: null, expected a string"),
        ({"extra": 1}, "key set: unknown member 'extra'"),
        ({"keys": [{"role": "root"}]}, "key set.keys[0].role: 'root', expected package, license or answer"),
        ({"keys": [{"role": "admin"}]}, "key set.keys[0].role: 'admin', expected package, license or answer"),
        (
            {"revoked": [{"kid": "A" * 43, "at": 1}]},
            "key set.revoked: an entry is repeated or names a key that is not in the set",
        ),
    ],
)
def test_key_set_of_another_shape_is_refused(
    key_set: Claims, file: Callable[..., bytes], change: Claims, message: str
) -> None:
    assert refusal_of(file(key_set | change)) == message


def test_key_under_another_name_is_refused(
    ring: KeyRing, key_set: Claims, file: Callable[..., bytes]
) -> None:
    key = ring.signer(Role.PACKAGE).public
    key_set["keys"] = [{"kid": "A" * 43, "role": "package", "key": key.jwk}]
    assert refusal_of(file(key_set)) == (
        f"key set.keys[0].kid: {'A' * 43}, the key's thumbprint is {key.kid}"
    )


@pytest.mark.parametrize("name", [Role.PACKAGE, Role.ROOT])
def test_key_in_two_roles_is_refused(
    ring: KeyRing, key_set: Claims, file: Callable[..., bytes], name: Role
) -> None:
    key = ring.signer(name).public
    extra: Json = [{"kid": key.kid, "role": "license", "key": key.jwk}]
    key_set["keys"] = [*key_set["keys"], *extra]  # type: ignore[misc]
    assert refusal_of(file(key_set)) == "key set: a key appears twice; each key has one role"


def test_revocation_list_of_another_vendor_is_refused(
    key_set: Claims, listed: Claims, file: Callable[..., bytes]
) -> None:
    assert refusal_of(file(key_set, listed | {"iss": "Acme"})) == (
        "revocation list.iss: 'Acme', expected 'Acme Logic'"
    )


def test_revocation_list_by_a_revoked_key_is_refused(
    ring: KeyRing, now: datetime, key_set: Claims, listed: Claims, file: Callable[..., bytes]
) -> None:
    kid = ring.signer(Role.LICENSE).kid
    key_set["revoked"] = [{"kid": kid, "at": int(now.timestamp())}]
    assert refusal_of(file(key_set, listed)) == (
        f"revocation list: key {kid} was revoked by Acme Logic on 2026-03-01; nothing it signed is valid"
    )


def test_license_is_no_revocation_list(
    ring: KeyRing, key_set: Claims, listed: Claims, file: Callable[..., bytes]
) -> None:
    fields = dict(canonical.decode(file(key_set), "trust file"))  # type: ignore[arg-type]
    token = ring.signer(Role.LICENSE).sign_token(listed, typ="ternary-license+jwt")
    fields["revocations"] = token.decode()
    assert refusal_of(canonical.encode(fields)) == (
        f"revocation list: header.typ: 'ternary-license+jwt', expected '{REVOCATIONS}'"
    )


def test_unknown_key_and_wrong_role_are_refused(ring: KeyRing, now: datetime) -> None:
    kid = ring.signer(Role.PACKAGE).kid
    with pytest.raises(SignatureError) as refusal:
        ring.trust.key("A" * 43, Role.PACKAGE, now)
    assert str(refusal.value) == (
        f"key {'A' * 43} is not in the key set of Acme Logic (version 1); if Acme Logic has "
        "changed its keys, "
        "get its newest trust file and run 'ternary trust update FILE'"
    )
    with pytest.raises(SignatureError) as refusal:
        ring.trust.key(kid, Role.ANSWER, now)
    assert str(refusal.value) == f"key {kid} has role package, expected answer"


def test_ended_key_set_still_vouches_for_what_is_older(
    ring: KeyRing, now: datetime, key_set: Claims, file: Callable[..., bytes]
) -> None:
    kid = ring.signer(Role.PACKAGE).kid
    trust = Trust.read(file(key_set | {"exp": int(now.timestamp())}))
    assert trust.key(kid, Role.PACKAGE, now).kid == kid
    with pytest.raises(SignatureError) as refusal:
        trust.key(kid, Role.PACKAGE, now + timedelta(seconds=1))
    assert str(refusal.value) == (
        "issued on 2026-03-01, after the key set of Acme Logic ended on 2026-03-01; get the vendor's newer "
        "trust file and run 'ternary trust update FILE'"
    )


def test_every_flipped_bit_of_a_trust_file_is_refused_or_changes_the_root(
    ring: KeyRing, now: datetime
) -> None:
    listed = keyset.sign_revocations(
        ring.signer(Role.LICENSE), vendor=ring.vendor, version=1, licenses=["L-1"], now=datetime.now(UTC)
    )
    key_set = canonical.decode(ring.trust.data, "trust file")["keys"].encode()  # type: ignore[index,call-overload,union-attr]
    trust = keyset.trust_file(ring.trust.root, key_set, listed)
    for position in range(8 * len(trust.data)):
        altered = bytearray(trust.data)
        altered[position // 8] ^= 1 << position % 8
        with pytest.raises((FormatError, SignatureError)):
            Trust.read(bytes(altered))
