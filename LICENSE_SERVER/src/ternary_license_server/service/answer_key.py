"""
What a stored answer is encrypted under: a key that needs the caller's secret, which the database lacks.

An answer may hold what is told once, such as a license key. Its request's ``Idempotency-Key`` is no secret:
the number of a client's request stands in the audit log, and an administrator may choose a short text. The
secret is what only the caller has and the database keeps as a hash at most: an admin token, or a request that
an installation signed. Every replica gets it with the request, and no rotation of the vendor's keys changes
it: who repeats a request opens its answer.
"""

import base64
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ternary_sdk._internal.documents import canonical

_NONCE_BYTES: Final = 12
_USE: Final = b"ternary-answered-v2"


@dataclass(frozen=True, kw_only=True)
class AnswerKey:
    """The key of one stored answer."""

    principal: str
    """Who asked: a token's id, or an installation's thumbprint."""
    key: str
    """The request's idempotency key."""
    secret: bytes = field(repr=False)
    """What only this caller has: at least 128 bits that nobody can guess, whatever the caller chose."""

    def seal(self, body: bytes) -> str:
        """Encrypt an answer; every call gives other text."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, body, None)).decode()

    def unseal(self, sealed: str) -> bytes:
        """Inverse of ``seal``.

        Raises:
            InvalidTag: If it was sealed under another key.
        """
        data = base64.b64decode(sealed)
        return self._cipher().decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None)

    def _cipher(self) -> AESGCM:
        salt = canonical.encode([self.principal, self.key])
        return AESGCM(HKDF(hashes.SHA256(), 32, salt=salt, info=_USE).derive(self.secret))
