"""
Usage reports: the set of operations returned under one lease, signed by the installation that counted.

A report names the lease and the customer of the signed license that was in force when its set was counted, so
it is that customer's whatever became of the license since. It is complete each time, so the vendor may
receive it twice, late or out of order and merge it with other machines' by union. Order is the set's own
sequence number. A report that lacks what an earlier one had, or whose set began anew, shows a deleted meter.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing.counted import HISTORY_BYTES, MAX_SEQUENCE, Acknowledged, Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.signing.self_signed import Envelope
from ternary_sdk._internal.stated import expect_listed, read_space
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

FORMAT: Final = "ternary-usage/3"
WITHOUT_SPACE: Final = "ternary-usage/2"
"""Is of two-input ternary operations and does not say so. It is read, not written."""
WITHOUT_LEASE: Final = "ternary-usage/1"
"""Names neither lease nor owner, and has no order but the installation's clock. It is read, not written."""
TYP: Final = "ternary-usage+jwt"
MAX_REPORT: Final = 1 << 18
_WHOLE: Final = "whole"
_ENVELOPE: Final = Envelope(
    what="usage report",
    formats=(WITHOUT_LEASE, WITHOUT_SPACE, FORMAT),
    member="report",
    typ=TYP,
    longest=MAX_REPORT,
)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one installation returned under one lease, up to a moment."""

    license_id: str
    """The license."""
    issued: datetime
    """When the report was made, by the installation's clock; no order follows from it."""
    counted: Counted | None
    """The set with its lease, owner and sequence number; None in version 1."""
    operations: OperationSet
    """Every operation ever returned, each once."""
    installation: PublicKey
    """Who signed: for a bound license it must be the key the license names."""

    @property
    def lease(self) -> str | None:
        """The lease it names; None if that is unknown."""
        return self.counted.lease if self.counted else None

    @classmethod
    def read(cls, data: bytes) -> "Usage":
        """Read a report and verify that it was signed by the installation it names.

        Raises:
            FormatError: If it is malformed, or its set is not the one its digest says.
            SignatureError: If it is not signed by that installation.
        """
        format, fields, key = _ENVELOPE.read(data)
        if format == WITHOUT_LEASE:
            return _without_lease(fields, key)
        space = TERNARY_2 if format == WITHOUT_SPACE else read_space(fields.object("space"))
        return _read_claims(fields, space, key)


def report(license_id: str, counted: Counted, held: Installation, now: datetime) -> bytes:
    """A report file, signed by this user's installation; about 5 kB for two-input ternary operations.

    Args:
        license_id: The license the operations were returned under.
        counted: What the meter holds for one lease of it, and one space.
        held: The installation that counted.
        now: The present moment, timezone-aware.
    """
    base = counted.acknowledged
    claims: Json = {
        "license": license_id,
        "lease": counted.lease,
        "owner": counted.owner,
        "space": counted.space.to_json(),
        "history": counted.history,
        "sequence": counted.sequence,
        "iat": int(now.timestamp()),
        "base": None if base is None else {"operations": base.operations, "sha256": base.sha256},
        "set": {
            "kind": _WHOLE,
            "operations": len(counted.operations),
            "sha256": counted.operations.digest,
            "bitmap": base64.b64encode(counted.operations.to_bytes()).decode(),
        },
    }
    token = held.sign_token(claims, typ=TYP).decode()
    return canonical.encode({"format": FORMAT, "key": held.public.jwk, "report": token})


def _read_claims(fields: Fields, space: Space, key: PublicKey) -> Usage:
    usage = Usage(
        license_id=fields.text("license", pattern=LICENSE_ID),
        issued=fields.moment("iat"),
        counted=(counted := _counted(fields, space)),
        operations=counted.operations,
        installation=key,
    )
    fields.end()
    return usage


def _counted(fields: Fields, space: Space) -> Counted:
    expect_listed(fields, space, "reports")
    whole = fields.object("set")
    whole.exactly("kind", _WHOLE)
    counted = Counted(
        lease=fields.or_null("lease", lambda name: fields.text(name, pattern=LICENSE_ID)),
        owner=fields.or_null("owner", fields.line),
        history=fields.or_null("history", lambda name: _history(fields, name)),
        sequence=fields.integer("sequence", most=MAX_SEQUENCE),
        operations=_operations(whole, space),
        acknowledged=fields.or_null("base", lambda name: _base(fields.object(name), space)),
    )
    if {counted.sequence > 0, counted.history is not None} != {len(counted.operations) > 0}:
        raise FormatError(
            "usage report.sequence: an empty set has sequence 0 and no history, any other set has both"
        )
    return counted


def _without_lease(fields: Fields, key: PublicKey) -> Usage:
    license_id, issued = fields.text("license", pattern=LICENSE_ID), fields.moment("iat")
    operations = _operations(fields, TERNARY_2)
    return Usage(license_id=license_id, issued=issued, counted=None, operations=operations, installation=key)


def _operations(fields: Fields, space: Space) -> OperationSet:
    """A whole set, the last members of an object."""
    operations = OperationSet.from_bytes(fields.octets("bitmap", longest=space.bitmap_bytes), space)
    fields.exactly("operations", len(operations))
    fields.exactly("sha256", operations.digest)
    fields.end()
    return operations


def _base(fields: Fields, space: Space) -> Acknowledged:
    base = Acknowledged(
        operations=fields.integer("operations", least=0, most=space.size), sha256=fields.sha256("sha256")
    )
    fields.end()
    return base


def _history(fields: Fields, name: str) -> str:
    text = fields.text(name, longest=22)
    if len(base64url.decode(text, f"usage report.{name}")) != HISTORY_BYTES:
        raise FormatError(f"usage report.{name}: expected {HISTORY_BYTES} bytes in base64url")
    return text
