from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from joserfc import jwe as jose
from joserfc.jwk import ECKey

from ternary_license_server.keys.sealing import seal
from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.signing import jwe
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError, TernaryError

PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
PUBLIC = PublicKey.of(PRIVATE.public_key())
SECRET = bytes(range(32))
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def unseal(sealed: str) -> bytes:
    return jwe.unseal(sealed, PRIVATE, PUBLIC.kid, what="content key")


def refusal_of(sealed: str) -> str:
    with pytest.raises(TernaryError) as refusal:
        unseal(sealed)
    return str(refusal.value)


def test_what_is_sealed_to_a_key_is_opened_with_it() -> None:
    assert unseal(seal(SECRET, PUBLIC)) == SECRET


def test_two_seals_of_one_secret_differ() -> None:
    assert seal(SECRET, PUBLIC) != seal(SECRET, PUBLIC)


def test_stock_library_opens_what_we_seal() -> None:
    pem = PRIVATE.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found = jose.decrypt_compact(seal(SECRET, PUBLIC), ECKey.import_key(pem), algorithms=ALGORITHMS)
    assert found.plaintext == SECRET


def test_we_open_what_the_stock_library_seals() -> None:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": PUBLIC.kid}
    sealed = jose.encrypt_compact(header, SECRET, ECKey.import_key(PUBLIC.jwk), algorithms=ALGORITHMS)
    assert unseal(sealed) == SECRET


def test_another_key_opens_nothing() -> None:
    other = ec.derive_private_key(8, ec.SECP256R1())
    with pytest.raises(SignatureError) as refusal:
        jwe.unseal(seal(SECRET, PUBLIC), other, PUBLIC.kid, what="content key")
    assert str(refusal.value) == "content key: not encrypted to this installation's key, or altered"
    kid = PublicKey.of(other.public_key()).kid
    with pytest.raises(SignatureError) as refusal:
        jwe.unseal(seal(SECRET, PUBLIC), other, kid, what="content key")
    assert str(refusal.value) == (f"content key: encrypted to key {PUBLIC.kid}, this installation's is {kid}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alg": "dir"}, "content key: header.alg: 'dir', expected 'ECDH-ES+A256KW'"),
        ({"alg": "ECDH-ES"}, "content key: header.alg: 'ECDH-ES', expected 'ECDH-ES+A256KW'"),
        ({"enc": "A128CBC-HS256"}, "content key: header.enc: 'A128CBC-HS256', expected 'A256GCM'"),
        ({"zip": "DEF"}, "content key: header: unknown member 'zip'"),
        ({"apu": "QQ"}, "content key: header: unknown member 'apu'"),
        ({"epk": {}}, "content key: header.epk: member 'kty' is missing"),
    ],
)
def test_header_of_another_shape_is_refused(change: dict[str, canonical.Json], message: str) -> None:
    header, _, rest = seal(SECRET, PUBLIC).partition(".")
    fields = canonical.decode(base64url.decode(header, "header"), "header")
    assert isinstance(fields, dict)
    assert refusal_of(f"{base64url.encode(canonical.encode(fields | change))}.{rest}") == message


def test_point_off_the_curve_is_refused() -> None:
    header, _, rest = seal(SECRET, PUBLIC).partition(".")
    fields = canonical.decode(base64url.decode(header, "header"), "header")
    assert isinstance(fields, dict)
    fields["epk"] = PUBLIC.jwk | {"y": PUBLIC.jwk["x"]}
    assert refusal_of(f"{base64url.encode(canonical.encode(fields))}.{rest}") == (
        "content key: header.epk: x and y are not a point on P-256"
    )


@pytest.mark.parametrize("text", ["", "a.b.c.d", "é.a.a.a.a", "A" * 2049])
def test_text_that_is_no_jwe_is_refused(text: str) -> None:
    assert refusal_of(text) == "content key: not a compact JWE of at most 2048 characters"


@pytest.mark.parametrize("shorten", [lambda p: [*p[:2], p[2][:-4], *p[3:]], lambda p: [*p[:4], p[4][:-6]]])
def test_short_vector_or_tag_is_refused(shorten: Callable[[list[str]], list[str]]) -> None:
    parts = seal(SECRET, PUBLIC).split(".")
    with pytest.raises((FormatError, SignatureError)):
        unseal(".".join(shorten(parts)))


def test_every_flipped_bit_is_refused() -> None:
    sealed = seal(SECRET, PUBLIC).encode()
    for position in range(8 * len(sealed)):
        altered = bytearray(sealed)
        altered[position // 8] ^= 1 << position % 8
        with pytest.raises((FormatError, SignatureError)):
            unseal(altered.decode("latin-1"))


@pytest.mark.parametrize("size", [16, 24])
def test_an_encryption_key_of_another_length_is_refused(size: int) -> None:
    """The cipher would take it as AES-128 or AES-192, which nobody asked for."""
    ephemeral, key, iv = ec.generate_private_key(ec.SECP256R1()), bytes(range(size)), bytes(12)
    header: dict[str, canonical.Json] = {
        "alg": "ECDH-ES+A256KW",
        "enc": "A256GCM",
        "epk": PublicKey.of(ephemeral.public_key()).jwk,
        "kid": PUBLIC.kid,
    }
    encoded = base64url.encode(canonical.encode(header))
    wrapped = aes_key_wrap(jwe.wrapping_key(ephemeral, PUBLIC.point), key)
    sealed = AESGCM(key).encrypt(iv, SECRET, encoded.encode())
    parts = [encoded, *map(base64url.encode, (wrapped, iv, sealed[:-16], sealed[-16:]))]
    assert refusal_of(".".join(parts)) == f"content key: its encryption key is {size} bytes, A256GCM takes 32"
