"""
The installation key: this user's own P-256 key towards one vendor, which bound licenses name.

It signs the clock mark, usage reports and releases, and opens content keys meant for nobody else. It is
made when first needed, together with the first clock mark: a key without a mark means that somebody
removed the mark. Whoever copies the file copies the installation; the file is mode 0600 and no secret
from its owner.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.licensing import state
from ternary_sdk._internal.licensing.appearing import appear
from ternary_sdk._internal.process_bound import KeyHolder
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import COORDINATE_BYTES, PublicKey
from ternary_sdk.errors import FormatError, LedgerError

FILE: Final = "installation.json"
FORMAT: Final = "ternary-installation/1"
MAX_FILE: Final = 4096


@dataclass(frozen=True, kw_only=True)
class Installation(KeyHolder):
    """A private key and the directory it lives in."""

    directory: Path
    """One vendor's part of the state directory."""
    public: PublicKey
    """The half that licenses name."""
    private: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)
    """The half that stays here."""

    @property
    def kid(self) -> str:
        """The public key's RFC 7638 thumbprint."""
        return self.public.kid

    def sign(self, message: bytes) -> bytes:
        """DER signature over the SHA-256 of a message (RFC 6979)."""
        return self.private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def sign_token(self, claims: Json, *, typ: str) -> bytes:
        """A compact JWS of the given type over the claims, by this installation."""
        signed = jws.signing_input(claims, typ=typ, kid=self.kid)
        return jws.assemble(signed, self.sign(signed))

    def read_token(self, token: bytes, *, typ: str, what: str) -> Json:
        """The claims of a token that this installation signed.

        Raises:
            FormatError, SignatureError: If it is malformed or by any other key.
        """
        return jws.read(token, typ=typ, what=what, key_for=lambda _kid: self.public).claims


def find(directory: Path) -> Installation | None:
    """The installation in a directory, or None where there is none.

    Raises:
        LedgerError: If its file cannot be read or is damaged.
    """
    path = directory / FILE
    data = state.read(path, MAX_FILE)
    if data is None:
        return None
    try:
        return _read(data, directory)
    except FormatError as refusal:
        raise LedgerError(f"{path}: damaged ({refusal})") from None


def draft(directory: Path) -> Installation:
    """A new key that is in no file yet."""
    return _of(directory, ec.generate_private_key(ec.SECP256R1()))


def keep(drafted: Installation) -> None:
    """Write a new key to its file, mode 0600, unless another process was first; ``find`` says whose it is.

    Raises:
        LedgerError: If it cannot be written; the new key is in no file then.
    """
    path = drafted.directory / FILE
    new = path.with_name(f".{FILE}.{os.urandom(8).hex()}")
    state.write(new, _write(drafted))
    try:
        appear(new, path)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made ({error.strerror})") from None
    finally:
        with suppress(OSError):
            new.unlink()


def _of(directory: Path, private: ec.EllipticCurvePrivateKey) -> Installation:
    return Installation(directory=directory, public=PublicKey.of(private.public_key()), private=private)


def _write(installation: Installation) -> bytes:
    secret = installation.private.private_numbers().private_value.to_bytes(COORDINATE_BYTES, "big")
    key: Json = installation.public.jwk | {"d": base64url.encode(secret)}
    return canonical.encode({"format": FORMAT, "key": key})


def _read(data: bytes, directory: Path) -> Installation:
    fields = Fields(canonical.decode(data, FILE), FILE)
    fields.exactly("format", FORMAT)
    key = fields.object("key")
    fields.end()
    secret = base64url.decode(key.text("d", longest=43), f"{FILE}.key.d")
    public = PublicKey.from_jwk(key)
    try:
        private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    except ValueError:
        raise FormatError(f"{FILE}.key.d: no private key of P-256") from None
    if PublicKey.of(private.public_key()) != public:
        raise FormatError(f"{FILE}.key: d does not belong to x and y")
    return _of(directory, private)
