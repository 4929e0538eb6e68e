import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey

from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError

# RFC 7517, appendix A.1, the P-256 key.
X, Y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
JWK = {"kty": "EC", "crv": "P-256", "x": X, "y": Y}
# The key of RFC 6979, appendix A.2.5, so that every run has the same tokens.
PEM = b"""\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX
Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth
+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ
-----END PRIVATE KEY-----
"""
KEY = SigningKey.from_pem(PEM, "test key")


def read(jwk: object) -> PublicKey:
    return PublicKey.from_jwk(Fields(jwk, "root"))  # type: ignore[arg-type]


def test_kid_is_the_rfc_7638_thumbprint() -> None:
    text = json.dumps(JWK, sort_keys=True, separators=(",", ":")).encode()
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
    assert read(JWK).kid == thumbprint == ECKey.import_key(JWK).thumbprint()


def test_jwk_and_pem_give_the_same_key_back() -> None:
    key = read(JWK)
    assert key.jwk == JWK
    assert PublicKey.from_pem(key.to_pem(), "root.pem") == key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kty": "OKP"}, "root.kty: 'OKP', expected 'EC'"),
        ({"crv": "P-384"}, "root.crv: 'P-384', expected 'P-256'"),
        ({"x": X[:-1]}, "root.x: not canonical base64url without padding"),
        ({"x": X[:-1] + "5"}, "root.x: not canonical base64url without padding"),
        ({"x": X[:-3]}, "root.x: 30 bytes, expected 32"),
        ({"y": X}, "root: x and y are not a point on P-256"),
        ({"d": X}, "root: unknown member 'd'"),
        ({"alg": "none"}, "root: unknown member 'alg'"),
        ({"x": 7}, "root.x: 7, expected a string"),
    ],
)
def test_jwk_of_another_shape_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError) as refusal:
        read(JWK | change)
    assert str(refusal.value) == message


def test_pem_of_another_kind_of_key_is_refused() -> None:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    others = (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate())
    for other in others:
        with pytest.raises(FormatError) as refusal:
            PublicKey.from_pem(other.public_key().public_bytes(*form), "k.pem")
        assert str(refusal.value) == "k.pem: not a P-256 key"
    with pytest.raises(FormatError) as refusal:
        PublicKey.from_pem(b"-----BEGIN PUBLIC KEY-----\n", "k.pem")
    assert str(refusal.value) == "k.pem: not a PEM public key"


def test_signature_verifies_over_its_message_and_no_other() -> None:
    signature = KEY.sign(b"message")
    KEY.public.verify(signature, b"message")
    for wrong_signature, message in (
        (signature, b"massage"),
        (signature[:-1], b"message"),
        (b"", b"message"),
    ):
        with pytest.raises(SignatureError) as refusal:
            KEY.public.verify(wrong_signature, message, what="model.sig")
        assert str(refusal.value) == f"model.sig: not made by key {KEY.kid} over these bytes"


def test_signature_is_the_one_of_rfc_6979() -> None:
    r, s = decode_dss_signature(KEY.sign(b"sample"))
    assert f"{r:X}" == "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    assert f"{s:X}" == "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
