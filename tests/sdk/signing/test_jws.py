import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from joserfc import jws as jose
from joserfc.jwk import ECKey

from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.license import TYP
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, SignatureError, TernaryError

# The key of RFC 6979, appendix A.2.5, so that every run has the same tokens.
PEM = b"""\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX
Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth
+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ
-----END PRIVATE KEY-----
"""
KEY = SigningKey.from_pem(PEM, "test key")
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def only(kid: str) -> PublicKey:
    if kid != KEY.kid:
        raise SignatureError(f"key {kid} is unknown")
    return KEY.public


def read(token: bytes) -> Json:
    return jws.read(token, typ=TYP, what="license", key_for=only).claims


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def forge(
    header: object | bytes = None, payload: bytes = b'{"jti":"L-1"}', signature: bytes | None = None
) -> bytes:
    """A token with any header, payload and raw signature; by default one that is valid."""
    header = {"alg": "ES256", "kid": KEY.kid, "typ": TYP} if header is None else header
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = b64(text) + b"." + b64(payload)
    if signature is None:
        r, s = decode_dss_signature(KEY.sign(signed))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return signed + b"." + b64(signature)


def refusal_of(token: bytes) -> str:
    with pytest.raises(TernaryError) as refusal:
        read(token)
    return str(refusal.value)


def test_own_token_is_read_back() -> None:
    token = KEY.sign_token({"jti": "L-1", "sub": "Zoë"}, typ=TYP)
    found = jws.read(token, typ=TYP, what="license", key_for=only)
    assert (found.kid, found.claims) == (KEY.kid, {"jti": "L-1", "sub": "Zoë"})


def test_stock_library_verifies_our_tokens() -> None:
    token = KEY.sign_token({"jti": "L-1"}, typ=TYP)
    found = jose.deserialize_compact(token, ECKey.import_key(KEY.public.jwk), algorithms=["ES256"])
    assert found.headers() == {"alg": "ES256", "kid": KEY.kid, "typ": TYP}
    assert json.loads(found.payload or b"") == {"jti": "L-1"}


def test_tokens_of_the_stock_library_are_verified_by_us() -> None:
    key = ECKey.import_key(KEY.to_pem())
    header = {"typ": TYP, "alg": "ES256", "kid": KEY.kid}
    token = jose.serialize_compact(header, b'{ "sub": "B", "jti": "L-1" }', key, algorithms=["ES256"])
    assert read(token.encode()) == {"sub": "B", "jti": "L-1"}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"alg": "none"}, "license: header.alg: 'none', expected 'ES256'"),
        ({"alg": "HS256"}, "license: header.alg: 'HS256', expected 'ES256'"),
        ({"alg": "ES384"}, "license: header.alg: 'ES384', expected 'ES256'"),
        ({"alg": "es256"}, "license: header.alg: 'es256', expected 'ES256'"),
        ({"alg": ["ES256"]}, "license: header.alg: a list, expected 'ES256'"),
        ({"typ": "JWT"}, f"license: header.typ: 'JWT', expected '{TYP}'"),
        ({"typ": "ternary-keys+jwt"}, f"license: header.typ: 'ternary-keys+jwt', expected '{TYP}'"),
        ({"typ": "application/" + TYP}, f"license: header.typ: 'application/{TYP}', expected '{TYP}'"),
        ({"kid": 7}, "license: header.kid: 7, expected a string"),
        ({"kid": "../k"}, "license: header.kid: '../k', expected text of the form [A-Za-z0-9_-]{43}"),
        ({"jwk": {}}, "license: header: unknown member 'jwk'"),
        ({"crit": ["exp"], "exp": 1}, "license: header: unknown member 'crit'"),
        ({"b64": False}, "license: header: unknown member 'b64'"),
    ],
)
def test_header_of_another_shape_is_refused(header: dict[str, object], message: str) -> None:
    assert refusal_of(forge({"alg": "ES256", "kid": KEY.kid, "typ": TYP} | header)) == message


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_header_without_a_member_is_refused(name: str) -> None:
    header = {"alg": "ES256", "kid": KEY.kid, "typ": TYP}
    del header[name]
    assert refusal_of(forge(header)) == f"license: header: member {name!r} is missing"


def test_public_key_used_as_a_shared_secret_is_refused() -> None:
    header = b64(json.dumps({"alg": "HS256", "kid": KEY.kid, "typ": TYP}).encode())
    signed = header + b"." + b64(b'{"jti":"L-1"}')
    digest = hmac.new(KEY.public.to_pem(), signed, hashlib.sha256).digest()
    assert refusal_of(signed + b"." + b64(digest)) == "license: header.alg: 'HS256', expected 'ES256'"


FOLDED = "the file was folded, as mail does: send it as an attachment"
LAID_OUT = "the file was laid out anew, as editors and formatters do: take it as it was sent"
ALTERED = "it was altered on the way: take it as it was sent"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (b"", "license: 1 part between dots, expected the 3 of a compact JWS"),
        (b"a.b", "license: 2 parts between dots, expected the 3 of a compact JWS"),
        (forge() + b".", "license: 4 parts between dots, expected the 3 of a compact JWS"),
        (b"\xff" + forge(), f"license: the byte 0xff, which is not UTF-8, at byte 0; {ALTERED}"),
        (forge().replace(b".", b"=.", 1), f"license: '=' at byte {forge().index(b'.')}; {ALTERED}"),
        (b" " + forge(), f"license: a space at byte 0; {LAID_OUT}"),
        (forge() + b"==", f"license: '=' at byte {len(forge())}; {ALTERED}"),
        (forge() + b"\n", f"license: a line feed at byte {len(forge())}; {FOLDED}"),
        (forge(b"[]"), "license: header: a list, expected an object"),
        (forge(b"\xff"), None),
        (
            forge(b'{"alg":"none","alg":"ES256"}'),
            "license: header: member 'alg' appears twice",
        ),
        (b"A" * 300 + b"..", "license: header of 300 characters, expected at most 256"),
        (b"A" * ((1 << 20) + 1), "license: 1048577 bytes, expected at most 1048576"),
    ],
)
def test_token_of_another_shape_is_refused(token: bytes, message: str | None) -> None:
    found = refusal_of(token)
    assert found == message if message else found.startswith("license: header: not JSON")


def test_unused_low_bits_of_the_last_character_are_refused() -> None:
    token = forge()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(token[-1]) | 1]
    assert twin != token[-1]
    assert refusal_of(token[:-1] + bytes([twin])) == (
        "license: signature: not canonical base64url without padding"
    )


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (0, 0), (N, 1), (1, N), (2**256 - 1, 2**256 - 1)], ids=str
)
def test_signature_scalar_out_of_range_is_refused(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    message = "license: signature's r or s is outside 1 to the group order less 1"
    assert refusal_of(forge(signature=raw)) == message


@pytest.mark.parametrize("length", [0, 63, 65, 70])
def test_signature_of_another_length_is_refused(length: int) -> None:
    message = f"license: signature of {length} bytes, expected 64 (r and s)"
    assert refusal_of(forge(signature=bytes(length))) == message


def test_signature_by_another_key_is_refused() -> None:
    other = SigningKey.generate()
    signed = jws.signing_input({"jti": "L-1"}, typ=TYP, kid=KEY.kid)
    message = f"license: signature: not made by key {KEY.kid} over these bytes"
    assert refusal_of(jws.assemble(signed, other.sign(signed))) == message
    assert refusal_of(other.sign_token({}, typ=TYP)) == f"key {other.kid} is unknown"


def test_signatures_second_form_is_as_valid_because_bytes_are_no_identity() -> None:
    signed, _, signature = forge().rpartition(b".")
    raw = base64.urlsafe_b64decode(signature + b"==")
    twin = raw[:32] + (N - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert read(signed + b"." + b64(twin)) == {"jti": "L-1"}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b'{"jti":"L-1","jti":"L-2"}', "license: member 'jti' appears twice"),
        (b'{"exp":1e9}', "license: number 1e9 is not an integer"),
        (b'{"exp":NaN}', "license: number NaN is not an integer"),
        (b"[" * 20 + b"]" * 20, None),
        (b"[" * 5000, None),
        (b"{}{}", None),
        (b"\xef\xbb\xbf{}", None),
        (b"", None),
    ],
)
def test_payload_that_is_not_plain_json_is_refused(payload: bytes, message: str | None) -> None:
    with pytest.raises(FormatError) as refusal:
        read(forge(payload=payload))
    assert message is None or str(refusal.value) == message


def test_payload_is_not_parsed_before_its_signature_is_verified() -> None:
    message = f"license: signature: not made by key {KEY.kid} over these bytes"
    assert refusal_of(forge(payload=b"not json", signature=bytes(31) + b"\1" + bytes(31) + b"\1")) == message


def test_every_flipped_bit_of_a_license_is_refused(
    ring: KeyRing, sign: Callable[[Json], bytes], claims: dict[str, Json]
) -> None:
    token = sign(claims)

    def vendor_key(kid: str) -> PublicKey:
        return ring.trust.candidate(kid, Role.LICENSE)

    jws.read(token, typ=TYP, what="license", key_for=vendor_key)
    for position in range(8 * len(token)):
        altered = bytearray(token)
        altered[position // 8] ^= 1 << position % 8
        with pytest.raises((FormatError, SignatureError)):
            jws.read(bytes(altered), typ=TYP, what="license", key_for=vendor_key)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (b"", "signature: not a DER sequence of two integers"),
        (KEY.sign(b"x")[:-1], "signature: not a DER sequence of two integers"),
        (encode_dss_signature(1, N), "signature: r or s is outside 1 to the group order less 1"),
        (encode_dss_signature(1, 2**300), "signature: r or s is outside 1 to the group order less 1"),
    ],
)
def test_signer_that_returns_no_signature_is_refused(signature: bytes, message: str) -> None:
    with pytest.raises(SignatureError) as refusal:
        jws.assemble(jws.signing_input({}, typ=TYP, kid=KEY.kid), signature)
    assert str(refusal.value) == message
