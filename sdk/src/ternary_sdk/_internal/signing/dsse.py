"""
DSSE envelopes (github.com/secure-systems-lab/dsse, protocol v1) around in-toto Statements.

An envelope's ``keyid`` is not covered by its signature: it finds the key, and the key's role in the trust
file decides. ECDSA gives every signature a second form, (r, n - s); an envelope of ours has one byte
sequence only, so it carries the smaller s in DER. Other tools' envelopes may carry either.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_PAYLOAD: Final = 3 << 20

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MAX_SIGNATURE: Final = 72
_KEYID: Final = re.compile(r"[!-~]{0,128}")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A payload and one signature over it."""

    payload: bytes
    """The signed document; it means nothing before ``verify``."""

    keyid: str
    """Which key to try, unauthenticated; in our own envelopes the key's thumbprint."""

    signature: bytes
    """ECDSA P-256 signature over ``pae(payload)``, DER."""

    @classmethod
    def open(cls, data: bytes, what: str, key_for: Callable[[str], PublicKey]) -> "Envelope":
        """Verify an envelope of ours, which has one byte sequence only.

        Args:
            data: The file's bytes.
            what: Its name in error messages.
            key_for: Gives the key by its kid, or raises SignatureError.
        Returns:
            The envelope; its payload is signed by the key that its ``keyid`` names.
        Raises:
            FormatError: If it is not canonical JSON of exactly one form.
            SignatureError: If it is not that key's signature.
        """
        envelope = cls.from_fields(Fields(canonical.decode_any(data, what), what))
        envelope.expect_one_form(what)
        if envelope.to_bytes() != data:
            raise FormatError(f"{what}: not in canonical form")
        envelope.verify(key_for(envelope.keyid), what)
        return envelope

    @classmethod
    def from_fields(cls, fields: Fields) -> "Envelope":
        """Read an envelope in any layout, with exactly one signature.

        Raises:
            FormatError: If a member is missing, unknown or of another form.
        """
        fields.exactly("payloadType", PAYLOAD_TYPE)
        payload = fields.octets("payload", longest=MAX_PAYLOAD)
        ((keyid, signature),) = fields.items("signatures", _read_signature, least=1, most=1)
        fields.end()
        return cls(payload=payload, keyid=keyid, signature=signature)

    def to_json(self) -> Json:
        """The envelope as a JSON object."""
        return {
            "payloadType": PAYLOAD_TYPE,
            "payload": b64encode(self.payload).decode(),
            "signatures": [{"keyid": self.keyid, "sig": b64encode(self.signature).decode()}],
        }

    def to_bytes(self) -> bytes:
        """The envelope as canonical JSON."""
        return canonical.encode(self.to_json())

    def verify(self, key: PublicKey, what: str) -> bytes:
        """The payload, once the signature over it is known to be this key's.

        Raises:
            SignatureError: If it is not.
        """
        key.verify(self.signature, pae(self.payload), what=what)
        return self.payload

    def expect_one_form(self, what: str) -> None:
        """Refuse any but the one DER form that ``one_form`` gives a signature.

        Raises:
            FormatError: If the signature has another form.
        """
        if one_form(self.signature, what) != self.signature:
            raise FormatError(f"{what}: its signature is not in canonical form (DER, smaller s)")


def pae(payload: bytes) -> bytes:
    """The bytes that are signed: type and payload, each after its length in bytes."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def one_form(signature: bytes, what: str) -> bytes:
    """The same signature in the one form that our envelopes carry: DER, the smaller of s and n - s.

    A key management service may give either s; both verify, and whoever packages writes this one.

    Raises:
        FormatError: If it is not a DER signature with r and s in range.
    """
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        raise FormatError(f"{what}: its signature is not DER") from None
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        raise FormatError(f"{what}: its signature has r or s out of range")
    return encode_dss_signature(r, min(s, _ORDER - s))


def _read_signature(fields: Fields) -> tuple[str, bytes]:
    """Other tools leave ``keyid`` empty, or null, as model-signing did before 1.1.0."""
    keyid = fields.optional("keyid", lambda name: fields.text_or_null(name, pattern=_KEYID)) or ""
    signature = fields.octets("sig", longest=_MAX_SIGNATURE)
    fields.end()
    return keyid, signature
