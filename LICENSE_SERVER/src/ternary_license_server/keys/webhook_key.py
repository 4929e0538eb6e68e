"""
The key that webhooks' secrets are sealed under: a file of the key directory with this one purpose.

The database alone, or a backup of it, does not give the secrets away. The key signs nothing, so no trust file
names it. Replicas share it, as they share the rest of the directory.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ternary_license_server.keys.keyring import read_private
from ternary_license_server.keys.sealing import seal
from ternary_sdk._internal import whole_file
from ternary_sdk._internal.process_bound import KeyHolder
from ternary_sdk._internal.signing import jwe
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, InputError, SignatureError

FILE: Final = "webhook.pem"
_MAKE: Final = "run 'ternary keys webhook DIR', and copy the file to every server of this database"


@dataclass(frozen=True, kw_only=True)
class WebhookKey(KeyHolder):
    """A private key on P-256 that opens what was sealed to it."""

    path: Path
    """Where it is kept."""
    public: PublicKey
    """The half that seals."""
    _private: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    def seal(self, secret: bytes) -> str:
        """Encrypt a secret; every call gives other text."""
        return seal(secret, self.public)

    def unseal(self, sealed: str) -> bytes:
        """Inverse of ``seal``.

        Raises:
            InputError: If it was sealed under another key, or altered.
        """
        try:
            return jwe.unseal(sealed, self._private, self.public.kid, what="secret")
        except (FormatError, SignatureError):
            raise InputError(
                f"{self.path}: does not open the webhook's secret, which another key sealed; restore that "
                "file, or remove the webhook and add it anew"
            ) from None


def create(directory: Path) -> WebhookKey:
    """Make the key, mode 0600.

    Raises:
        InputError: If there is one, or it cannot be written.
    """
    path = directory / FILE
    if not directory.is_dir():
        raise InputError(f"{directory}: not a directory; 'ternary keys init' makes one")
    if path.exists():
        raise InputError(f"{path}: exists already; without it no secret of a webhook can be read")
    data = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole_file.write(path, data, mode=whole_file.PRIVATE)
    return load(directory)


def load(directory: Path) -> WebhookKey:
    """Read the key.

    Raises:
        InputError: If there is none, others can read it, or it is not such a key.
    """
    path = directory / FILE
    if not path.exists():
        raise InputError(f"{path}: no such file; {_MAKE}")
    try:
        private = serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise InputError(f"{path}: not an unencrypted PEM private key on P-256; restore it from a backup")
    return WebhookKey(path=path, public=PublicKey.of(private.public_key()), _private=private)
