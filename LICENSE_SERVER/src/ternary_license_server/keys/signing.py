"""
A vendor's private key in software: deterministic ECDSA on P-256, and the PEM it is kept as.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.process_bound import KeyHolder
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError

_ALGORITHM: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@dataclass(frozen=True, kw_only=True)
class SigningKey(KeyHolder):
    """A private key on P-256 and its public half."""

    public: PublicKey
    """The half that clients hold."""
    _private: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key from the operating system's random numbers."""
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, data: bytes, what: str) -> "SigningKey":
        """Read an unencrypted PEM private key.

        Args:
            data: The file's bytes.
            what: Its name in error messages.
        Raises:
            FormatError: If it is no such key, is encrypted, or is not on P-256.
        """
        try:
            private = serialization.load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise outer.pem_refused(data, what, "an unencrypted PEM private key") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise FormatError(f"{what}: not a P-256 key")
        return cls._of(private)

    @classmethod
    def _of(cls, private: ec.EllipticCurvePrivateKey) -> "SigningKey":
        return cls(public=PublicKey.of(private.public_key()), _private=private)

    @property
    def kid(self) -> str:
        """The public key's RFC 7638 thumbprint."""
        return self.public.kid

    def to_pem(self) -> bytes:
        """The private key as unencrypted PKCS #8."""
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def sign(self, message: bytes) -> bytes:
        """DER signature over the SHA-256 of a message; the same message always gives the same (RFC 6979)."""
        return self._private.sign(message, _ALGORITHM)

    def sign_token(self, claims: Json, *, typ: str) -> bytes:
        """A compact JWS of the given type over the claims."""
        signed = jws.signing_input(claims, typ=typ, kid=self.kid)
        return jws.assemble(signed, self.sign(signed))
