"""
P-256 public keys and the one signature check everything here rests on.

A key's name is its RFC 7638 thumbprint, so a name can never be given to another key. There is no choice
of algorithm anywhere: ECDSA on P-256 with SHA-256.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ternary_sdk._internal.documents import base64url, canonical, outer
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError, SignatureError

COORDINATE_BYTES: Final = 32


class _Es256(ec.ECDSA):
    """ECDSA with SHA-256, for verifying.

    The base class, when made, loads the OpenSSL backend to ask whether it can sign deterministically:
    a tenth of a cold command's time, for a question that only a signer has.
    """

    def __init__(self) -> None:
        pass

    @property
    def algorithm(self) -> hashes.SHA256:
        return hashes.SHA256()

    @property
    def deterministic_signing(self) -> bool:
        return False


_ALGORITHM: Final = _Es256()


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A point on P-256 and its name. Two keys are equal exactly when their names are."""

    kid: str
    """RFC 7638 SHA-256 thumbprint, base64url, 43 characters."""
    x: bytes = field(repr=False, compare=False)
    """Horizontal coordinate, 32 bytes, big-endian."""
    y: bytes = field(repr=False, compare=False)
    """Vertical coordinate, 32 bytes, big-endian."""
    point: ec.EllipticCurvePublicKey = field(repr=False, compare=False)
    """The same key as the cryptography library holds it."""

    @classmethod
    def of(cls, point: ec.EllipticCurvePublicKey) -> "PublicKey":
        """Name a key of the cryptography library, which must lie on P-256."""
        numbers = point.public_numbers()
        x = numbers.x.to_bytes(COORDINATE_BYTES, "big")
        y = numbers.y.to_bytes(COORDINATE_BYTES, "big")
        thumbprint = hashlib.sha256(canonical.encode(dict(_members(x, y)))).digest()
        return cls(kid=base64url.encode(thumbprint), x=x, y=y, point=point)

    @classmethod
    def from_jwk(cls, fields: Fields) -> "PublicKey":
        """Read a JWK of exactly ``crv``, ``kty``, ``x`` and ``y`` (RFC 7518, section 6.2.1).

        Raises:
            FormatError: If a member is missing, unknown or wrong, or the point is not on P-256.
        """
        fields.exactly("kty", "EC")
        fields.exactly("crv", "P-256")
        x, y = (_coordinate(fields, name) for name in ("x", "y"))
        fields.end()
        try:
            return _at(x, y)
        except ValueError:
            raise FormatError(f"{fields.path}: x and y are not a point on P-256") from None

    @classmethod
    def from_pem(cls, data: bytes, what: str) -> "PublicKey":
        """Read a PEM ``PUBLIC KEY`` (RFC 5280 SubjectPublicKeyInfo).

        Args:
            data: The file's bytes.
            what: Its name in error messages.
        Raises:
            FormatError: If it is no PEM public key, or one of another curve or algorithm.
        """
        from cryptography.hazmat.primitives import serialization  # 20 ms that only PEM files need

        try:
            point = serialization.load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm):
            raise outer.pem_refused(data, what, "a PEM public key") from None
        if not isinstance(point, ec.EllipticCurvePublicKey) or point.curve.name != "secp256r1":
            raise FormatError(f"{what}: not a P-256 key")
        return cls.of(point)

    def to_pem(self) -> bytes:
        """The key as a PEM ``PUBLIC KEY``, which other tools take."""
        from cryptography.hazmat.primitives import serialization

        return self.point.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def __reduce__(self) -> tuple[Callable[[bytes, bytes], "PublicKey"], tuple[bytes, bytes]]:
        return _at, (self.x, self.y)  # the library's own object cannot be pickled

    @property
    def jwk(self) -> dict[str, canonical.Json]:
        """The key as a JWK of exactly the members its thumbprint is over."""
        return dict(_members(self.x, self.y))

    def verify(self, signature: bytes, message: bytes, *, what: str = "signature") -> None:
        """Check a DER-encoded ECDSA signature over the SHA-256 of a message.

        Raises:
            SignatureError: If it is not this key's signature over the message.
        """
        try:
            self.point.verify(signature, message, _ALGORITHM)
        except InvalidSignature:
            raise SignatureError(f"{what}: not made by key {self.kid} over these bytes") from None


def _at(x: bytes, y: bytes) -> PublicKey:
    """The key with these coordinates; ValueError if there is none on P-256."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    return PublicKey.of(numbers.public_key())


def _members(x: bytes, y: bytes) -> tuple[tuple[str, str], ...]:
    return (("crv", "P-256"), ("kty", "EC"), ("x", base64url.encode(x)), ("y", base64url.encode(y)))


def _coordinate(fields: Fields, name: str) -> bytes:
    data = base64url.decode(fields.text(name, longest=43), f"{fields.path}.{name}")
    if len(data) != COORDINATE_BYTES:
        raise FormatError(f"{fields.path}.{name}: {len(data)} bytes, expected {COORDINATE_BYTES}")
    return data
