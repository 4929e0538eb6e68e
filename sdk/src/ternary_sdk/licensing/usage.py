"""
Usage reports: the set of operations returned under a license, signed by the installation that counted.

A report is complete each time, never a difference, so the vendor may receive it twice, late or out of
order and merge it with other machines' by union. One that lacks what an earlier one had shows that a
meter was deleted.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk.documents import canonical
from ternary_sdk.documents.canonical import Json
from ternary_sdk.documents.fields import Fields
from ternary_sdk.licensing.identity import LICENSE_ID
from ternary_sdk.licensing.installation import Installation
from ternary_sdk.operations import BITMAP_BYTES, OperationSet
from ternary_sdk.signing.keys import PublicKey
from ternary_sdk.signing.self_signed import Envelope

FORMAT: Final = "ternary-usage/1"
TYP: Final = "ternary-usage+jwt"
MAX_REPORT: Final = 16_384
_ENVELOPE: Final = Envelope(
    what="usage report", formats=(FORMAT,), member="report", typ=TYP, longest=MAX_REPORT
)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one installation returned under one license, up to a moment."""

    license_id: str
    """The license."""
    issued: datetime
    """When the report was made, by the installation's clock."""
    operations: OperationSet
    """Every operation ever returned, each once."""
    installation: PublicKey
    """Who signed: for a bound license it must be the key the license names."""

    @classmethod
    def read(cls, data: bytes) -> "Usage":
        """Read a report and verify that it was signed by the installation it names.

        Raises:
            FormatError: If it is malformed, or its set is not the one its digest says.
            SignatureError: If it is not signed by that installation.
        """
        return _read_claims(*_ENVELOPE.read(data))


def report(license_id: str, operations: OperationSet, held: Installation, now: datetime) -> bytes:
    """A report file, signed by this user's installation; about 5 kB.

    Args:
        license_id: The license the operations were returned under.
        operations: What the meter holds.
        held: The installation that counted.
        now: The present moment, timezone-aware.
    """
    claims: Json = {
        "license": license_id,
        "iat": int(now.timestamp()),
        "operations": len(operations),
        "sha256": operations.digest,
        "bitmap": base64.b64encode(operations.to_bytes()).decode(),
    }
    token = held.sign_token(claims, typ=TYP).decode()
    return canonical.encode({"format": FORMAT, "key": held.public.jwk, "report": token})


def _read_claims(format: str, fields: Fields, key: PublicKey) -> Usage:
    usage = Usage(
        license_id=fields.text("license", pattern=LICENSE_ID),
        issued=fields.moment("iat"),
        operations=OperationSet.from_bytes(fields.octets("bitmap", longest=BITMAP_BYTES)),
        installation=key,
    )
    fields.exactly("operations", len(usage.operations))
    fields.exactly("sha256", usage.operations.digest)
    fields.end()
    return usage
