"""
Encrypting a content key to one customer's installation key: a compact JWE for `signing.jwe`.
"""

import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.signing.jwe import ALGORITHM, ENCRYPTION, IV_BYTES, TAG_BYTES, wrapping_key
from ternary_sdk._internal.signing.keys import PublicKey


def seal(plaintext: bytes, recipient: PublicKey) -> str:
    """Encrypt bytes to a public key; every call gives other bytes (a fresh ephemeral key and vector)."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    header: Json = {
        "alg": ALGORITHM,
        "enc": ENCRYPTION,
        "epk": PublicKey.of(ephemeral.public_key()).jwk,
        "kid": recipient.kid,
    }
    protected = base64url.encode(canonical.encode(header))
    key, iv = os.urandom(32), os.urandom(IV_BYTES)
    wrapped = aes_key_wrap(wrapping_key(ephemeral, recipient.point), key)
    output = AESGCM(key).encrypt(iv, plaintext, protected.encode())
    ciphertext, tag = output[:-TAG_BYTES], output[-TAG_BYTES:]
    return ".".join((protected, *(base64url.encode(part) for part in (wrapped, iv, ciphertext, tag))))
