"""
Compact JSON web signatures (RFC 7515) of one shape: ES256, one key, one declared type.

What a token is and who may have signed it is decided by the caller before the token is looked at; the
header can only agree or be refused. Changing what is accepted here changes which licenses are valid.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ternary_sdk._internal.documents import base64url, canonical, outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.keys import COORDINATE_BYTES, PublicKey
from ternary_sdk.errors import FormatError, SignatureError

ALGORITHM: Final = "ES256"
MAX_TOKEN: Final = 1 << 20
"""Longest token that is read, in bytes, where its kind allows no more."""

MAX_SEALED: Final = 2048
"""Longest sealed content key, in characters; here, since ``jwe`` is loaded only to open one."""

KID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MAX_HEADER: Final = 256
_HEADERS: Final = 1024
"""Headers that are remembered: whoever signs many tokens signs them with one key."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a verified token says."""

    kid: str
    """Name of the key that signed it."""
    claims: Json
    """The payload, decoded after its signature was verified; any JSON value."""


def read(
    token: bytes, *, typ: str, what: str, key_for: Callable[[str], PublicKey], longest: int = MAX_TOKEN
) -> Token:
    """Verify a compact JWS and decode its claims, in this order:

    1. at most ``longest`` bytes, three parts of canonical base64url without padding;
    2. the header has exactly ``alg``, ``kid`` and ``typ``; ``alg`` is ES256, ``typ`` the one expected;
    3. the signature is 64 bytes, r and s each from 1 to the group order less 1;
    4. the caller has a key by that name, and the signature over the received bytes is that key's;
    5. the payload is JSON without floating point and without repeated members.

    A valid signature has a second form, (r, n - s), as in every ECDSA: a token's bytes are not its
    identity; its claims are.

    Args:
        token: The compact serialization.
        typ: The one media type accepted, such as ``ternary-license+jwt``.
        what: The token's name in error messages.
        key_for: Gives the key by its kid, or raises SignatureError.
        longest: Most bytes, 1 MiB by default.
    Raises:
        FormatError: Steps 1, 2 and 5, and a signature of another length.
        SignatureError: Step 4, and r or s out of range.
    """
    signed, header, payload, signature = _split(token, what, longest)
    kid = _kid(header, typ, what)
    r, s = _scalars(signature, what)
    key_for(kid).verify(encode_dss_signature(r, s), signed, what=f"{what}: signature")
    return Token(kid=kid, claims=canonical.decode_any(payload, what))


def signing_input(claims: Json, *, typ: str, kid: str) -> bytes:
    """The bytes a signer signs: header and payload, canonical JSON, base64url, joined by a dot."""
    return f"{_header(typ, kid)}.{base64url.encode(canonical.encode(claims))}".encode()


def assemble(signed: bytes, signature: bytes) -> bytes:
    """Join what ``signing_input`` gave and its DER signature into a compact token.

    Raises:
        SignatureError: If the signature is not DER, or r or s is out of range.
    """
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        raise SignatureError("signature: not a DER sequence of two integers") from None
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        raise SignatureError("signature: r or s is outside 1 to the group order less 1")
    raw = r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")
    return signed + b"." + base64url.encode(raw).encode()


def _split(token: bytes, what: str, longest: int) -> tuple[bytes, bytes, bytes, bytes]:
    if len(token) > longest:
        raise FormatError(f"{what}: {len(token)} bytes, expected at most {longest}")
    if token.count(b".") != 2:
        found = "1 part" if b"." not in token else f"{token.count(b'.') + 1} parts"
        raise FormatError(f"{what}: {found} between dots, expected the 3 of a compact JWS")
    foreign = outer.TOKEN.search(token)
    if foreign is not None:
        raise FormatError(f"{what}: {outer.addition(token, foreign.start())}")
    parts = token.decode("ascii").split(".")
    if len(parts[0]) > _MAX_HEADER:
        raise FormatError(f"{what}: header of {len(parts[0])} characters, expected at most {_MAX_HEADER}")
    names = ("header", "payload", "signature")
    header, payload, signature = (
        base64url.decode(part, f"{what}: {name}") for part, name in zip(parts, names, strict=True)
    )
    return token[: token.rindex(b".")], header, payload, signature


@lru_cache(maxsize=_HEADERS)
def _header(typ: str, kid: str) -> str:
    header = canonical.encode({"alg": ALGORITHM, "kid": kid, "typ": typ})
    return base64url.encode(header)


@lru_cache(maxsize=_HEADERS)
def _kid(header: bytes, typ: str, what: str) -> str:
    fields = Fields(canonical.decode_any(header, f"{what}: header"), f"{what}: header")
    fields.exactly("alg", ALGORITHM)
    fields.exactly("typ", typ)
    kid = fields.text("kid", pattern=KID)
    fields.end()
    return kid


def _scalars(signature: bytes, what: str) -> tuple[int, int]:
    if len(signature) != 2 * COORDINATE_BYTES:
        raise FormatError(
            f"{what}: signature of {len(signature)} bytes, expected {2 * COORDINATE_BYTES} (r and s)"
        )
    r = int.from_bytes(signature[:COORDINATE_BYTES], "big")
    s = int.from_bytes(signature[COORDINATE_BYTES:], "big")
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        raise SignatureError(f"{what}: signature's r or s is outside 1 to the group order less 1")
    return r, s
