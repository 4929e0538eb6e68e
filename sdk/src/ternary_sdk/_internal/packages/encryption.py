"""
Encrypted graphs: AES-256-GCM under a package's content key, bound to the member's name and plaintext.

The nonce follows from the key, the name and the plaintext's digest, so building stays deterministic and a
nonce is never used for two plaintexts. Changing any of this orphans every encrypted package ever sold.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ternary_sdk.errors import FormatError, InputError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_NONCE_LABEL: Final = b"ternary-nonce-v1"


def associated_data(name: str, plaintext_digest: str) -> bytes:
    """What a ciphertext is bound to: the member's name, a zero byte, its plaintext's SHA-256 in 32 bytes."""
    return name.encode() + b"\0" + bytes.fromhex(plaintext_digest)


def nonce(key: bytes, associated: bytes) -> bytes:
    """12 bytes of HKDF-SHA256 (RFC 5869), without salt, from the content key.

    Raises:
        InputError: If the key is not 32 bytes long.
    """
    if len(key) != KEY_BYTES:
        raise InputError(f"content key: {len(key)} bytes, expected {KEY_BYTES}")
    return HKDF(hashes.SHA256(), NONCE_BYTES, salt=None, info=_NONCE_LABEL + associated).derive(key)


def decrypt(stored: bytes, *, key: bytes, name: str, plaintext_digest: str) -> bytes:
    """Decrypt a member.

    Args:
        stored: Ciphertext and tag.
        key: The package's content key, 32 bytes.
        name: The member's name.
        plaintext_digest: SHA-256 of the plaintext as the manifest states it, hex.
    Raises:
        InputError: If the key is not 32 bytes long.
        FormatError: If the key does not open it, or what comes out is not the plaintext promised.
    """
    associated = associated_data(name, plaintext_digest)
    once = nonce(key, associated)
    try:
        plaintext = AESGCM(key).decrypt(once, stored, associated)
    except InvalidTag:
        raise FormatError(f"{name}: the content key does not open it") from None
    found = hashlib.sha256(plaintext).hexdigest()
    if found != plaintext_digest:
        raise FormatError(f"{name}: decrypts to sha256 {found}, the manifest says {plaintext_digest}")
    return plaintext
