"""
Opening what was encrypted to this installation alone: compact JWE (RFC 7516) of one shape.

ECDH-ES+A256KW with P-256 and A256GCM. Like tokens, these have no choice of algorithm: the header can
only agree or be refused.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.jws import KID, MAX_SEALED
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError

ALGORITHM: Final = "ECDH-ES+A256KW"
ENCRYPTION: Final = "A256GCM"
KEY_BYTES: Final = 32
"""Of A256GCM's key (RFC 7518, section 5.3); the cipher itself would take a shorter one, and be AES-128."""
IV_BYTES: Final = 12
TAG_BYTES: Final = 16


def unseal(sealed: str, private: ec.EllipticCurvePrivateKey, kid: str, *, what: str) -> bytes:
    """Decrypt a compact JWE:

    1. at most 2,048 characters, five parts of canonical base64url without padding;
    2. the header has exactly ``alg``, ``enc``, ``epk`` and ``kid``, with the one algorithm and encryption,
       a point on P-256, and the name of our key;
    3. the content encryption key unwraps, is 32 bytes long, and the ciphertext authenticates, with the header
       as associated data.

    Args:
        sealed: The compact serialization.
        private: The key it was encrypted to.
        kid: Name of that key.
        what: The document's name in error messages.
    Raises:
        FormatError: Steps 1 and 2, or a key of another length.
        SignatureError: Step 3, or it names another key.
    """
    parts = sealed.split(".")
    if len(sealed) > MAX_SEALED or len(parts) != 5 or not sealed.isascii():
        raise FormatError(f"{what}: not a compact JWE of at most {MAX_SEALED} characters")
    header, wrapped, iv, ciphertext, tag = (base64url.decode(part, what) for part in parts)
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        raise FormatError(f"{what}: initialization vector or tag has the wrong length")
    point, meant_for = _header(header, what)
    if meant_for != kid:
        raise SignatureError(f"{what}: encrypted to key {meant_for}, this installation's is {kid}")
    try:
        key = aes_key_unwrap(wrapping_key(private, point), wrapped)
        if len(key) != KEY_BYTES:
            raise FormatError(f"{what}: its encryption key is {len(key)} bytes, A256GCM takes {KEY_BYTES}")
        return AESGCM(key).decrypt(iv, ciphertext + tag, parts[0].encode())
    except (InvalidUnwrap, InvalidTag, ValueError):
        raise SignatureError(f"{what}: not encrypted to this installation's key, or altered") from None


def wrapping_key(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
    """The key-wrapping key both sides derive: one round of the Concat KDF (RFC 7518, section 4.6.2)."""
    shared = private.exchange(ec.ECDH(), public)
    name = ALGORITHM.encode()
    information = len(name).to_bytes(4, "big") + name + bytes(8) + (256).to_bytes(4, "big")
    return hashlib.sha256((1).to_bytes(4, "big") + shared + information).digest()


def _header(header: bytes, what: str) -> tuple[ec.EllipticCurvePublicKey, str]:
    fields = Fields(canonical.decode_any(header, f"{what}: header"), f"{what}: header")
    fields.exactly("alg", ALGORITHM)
    fields.exactly("enc", ENCRYPTION)
    kid = fields.text("kid", pattern=KID)
    point = PublicKey.from_jwk(fields.object("epk")).point
    fields.end()
    return point, kid
