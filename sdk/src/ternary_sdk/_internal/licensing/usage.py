"""
Usage reports: the operations returned under one lease, signed by the installation that counted.

A report names the lease and the customer of the signed license that was in force when its set was counted, so
it is that customer's whatever became of the license since. A set of a listed space is stated whole, a set of
a vast space as its difference from what the server has confirmed. The vendor may receive either twice, late
or out of order, and merges it with other machines' by union. Order is the set's own sequence number.
A report that lacks what an earlier one had, or whose set began anew, shows a deleted meter.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing.counted import (
    HISTORY_BYTES,
    MAX_SEQUENCE,
    Acknowledged,
    Counted,
    Growth,
)
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.signing.self_signed import Envelope
from ternary_sdk._internal.stated import expect_listed, read_space
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

FORMAT: Final = "ternary-usage/4"
OF_LISTED: Final = "ternary-usage/3"
"""Is of a listed space. It is read, not written."""
WITHOUT_SPACE: Final = "ternary-usage/2"
"""Is of two-input ternary operations and does not say so. It is read, not written."""
WITHOUT_LEASE: Final = "ternary-usage/1"
"""Names neither lease nor owner, and has no order but the installation's clock. It is read, not written."""
TYP: Final = "ternary-usage+jwt"
MAX_REPORT: Final = 12 << 20
MOST_ADDED: Final = 1_000_000
"""Most operations that one difference adds; a larger one is several reports."""

_WHOLE: Final = "whole"
_DIFFERENCE: Final = "difference"
_MOST_GAPS: Final = 7_000_000
"""In base64 twice, in the claims and in the token, they leave room in a report for the rest of it."""
_ENVELOPE: Final = Envelope(
    what="usage report",
    formats=(WITHOUT_LEASE, WITHOUT_SPACE, OF_LISTED, FORMAT),
    member="report",
    typ=TYP,
    longest=MAX_REPORT,
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a report of a vast space leads to: the set that its base and its operations are together."""

    after: Acknowledged
    """That set."""
    complete: bool
    """Whether that is all that was counted; if not, another report follows."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one installation returned under one lease, up to a moment."""

    license_id: str
    """The license."""
    issued: datetime
    """When the report was made, by the installation's clock; no order follows from it."""
    counted: Growth | None
    """The set's lease, owner, history, sequence number and base; None in version 1."""
    operations: OperationSet
    """Every operation ever returned, each once; of a difference those that its base lacks."""
    installation: PublicKey
    """Who signed: for a bound license it must be the key the license names."""
    difference: Difference | None = None
    """Of a vast space what the report leads to; None where the set is stated whole."""

    @property
    def lease(self) -> str | None:
        """The lease it names; None if that is unknown."""
        return self.counted.lease if self.counted else None

    @classmethod
    def read(cls, data: bytes) -> "Usage":
        """Read a report and verify that it was signed by the installation it names.

        Whether a difference leads from its base to the set that it states, only whoever holds the base can
        check; where there is none, it is checked here.

        Raises:
            FormatError: If it is malformed, or its set is not the one its digest says.
            SignatureError: If it is not signed by that installation.
        """
        format, fields, key = _ENVELOPE.read(data)
        if format == WITHOUT_LEASE:
            return _without_lease(fields, key)
        space = TERNARY_2 if format == WITHOUT_SPACE else read_space(fields.object("space"))
        if format != FORMAT:
            expect_listed(fields, space, f"reports of version {format[-1]}")
        return _read_claims(fields, space, key)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One signed report, and what its acknowledgement confirms."""

    document: bytes
    """The file."""
    confirms: OperationSet
    """Which operations it states."""
    base: Acknowledged | None
    """The set that they are a difference from; None if there is none."""
    after: Acknowledged
    """The set that the server has after it."""


def reports(license_id: str, counted: Counted, held: Installation, now: datetime) -> Iterator[Report]:
    """The reports of a set, signed by this user's installation, in the order in which they are to be sent.

    A set of a listed space is one report, about 5 kB for two-input ternary operations. Of a set of a vast
    space the operations that the server has not confirmed are reported, at most a million at a time.

    Args:
        license_id: The license the operations were returned under.
        counted: What the meter holds for one lease of it, and one space.
        held: The installation that counted.
        now: The present moment, timezone-aware.
    """
    if counted.space.listed:
        after = Acknowledged.of(counted.operations)
        stated: dict[str, Json] = {"kind": _WHOLE, "bitmap": _base64(counted.operations.to_bytes())}
        yield _signed(license_id, counted, stated, counted.operations, after, held, now)
        return
    pending, space = counted.unconfirmed, counted.space
    reached, base = counted.operations - pending, counted.acknowledged
    for start in range(0, len(pending) or 1, MOST_ADDED):
        added = OperationSet.of(pending.indices[start : start + MOST_ADDED], space)
        reached |= added
        after = Acknowledged.of(reached)
        stated = {
            "kind": _DIFFERENCE,
            "added": len(added),
            "gaps": _base64(added.to_gaps()),
            "complete": start + MOST_ADDED >= len(pending),
        }
        yield _signed(license_id, replace(counted, acknowledged=base), stated, added, after, held, now)
        base = after


def report(license_id: str, counted: Counted, held: Installation, now: datetime) -> bytes:
    """The file of the first of ``reports``."""
    return next(reports(license_id, counted, held, now)).document


def _signed(
    license_id: str,
    growth: Growth,
    stated: dict[str, Json],
    operations: OperationSet,
    after: Acknowledged,
    held: Installation,
    now: datetime,
) -> Report:
    base = growth.acknowledged
    claims: Json = {
        "license": license_id,
        "lease": growth.lease,
        "owner": growth.owner,
        "space": operations.space.to_json(),
        "history": growth.history,
        "sequence": growth.sequence,
        "iat": int(now.timestamp()),
        "base": None if base is None else _stated(base),
        "set": stated | _stated(after),
    }
    token = held.sign_token(claims, typ=TYP).decode()
    document = canonical.encode({"format": FORMAT, "key": held.public.jwk, "report": token})
    return Report(document=document, confirms=operations, base=base, after=after)


def _stated(of: Acknowledged) -> dict[str, Json]:
    return {"operations": of.operations, "sha256": of.sha256}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _read_claims(fields: Fields, space: Space, key: PublicKey) -> Usage:
    license_id, issued = fields.text("license", pattern=LICENSE_ID), fields.moment("iat")
    growth: dict[str, Any] = {
        "lease": fields.or_null("lease", lambda name: fields.text(name, pattern=LICENSE_ID)),
        "owner": fields.or_null("owner", fields.line),
        "history": fields.or_null("history", lambda name: _history(fields, name)),
        "sequence": fields.integer("sequence", most=MAX_SEQUENCE),
        "acknowledged": fields.or_null("base", lambda name: _acknowledged(fields.object(name), space)),
    }
    stated, difference = fields.object("set"), None
    counted: Growth
    if space.listed:
        stated.exactly("kind", _WHOLE)
        operations = _operations(stated, space)
        counted, reached = Counted(**growth, operations=operations), len(operations)
    else:
        stated.exactly("kind", _DIFFERENCE)
        counted = Growth(**growth)
        operations, difference = _difference(stated, space, counted.acknowledged)
        reached = difference.after.operations
    if {counted.sequence > 0, counted.history is not None} != {reached > 0}:
        raise FormatError(
            "usage report.sequence: an empty set has sequence 0 and no history, any other set has both"
        )
    fields.end()
    return Usage(
        license_id=license_id,
        issued=issued,
        counted=counted,
        operations=operations,
        installation=key,
        difference=difference,
    )


def _difference(fields: Fields, space: Space, base: Acknowledged | None) -> tuple[OperationSet, Difference]:
    """The operations that are added to a base, and the set that they and the base are together.

    Raises:
        FormatError: If their number or digest shows that they are not.
    """
    gaps = fields.octets("gaps", longest=_MOST_GAPS)
    added = OperationSet.from_gaps(gaps, space, most=MOST_ADDED, what=f"{fields.path}.gaps")
    fields.exactly("added", len(added))
    complete = fields.truth("complete")
    if not complete and not len(added):
        raise FormatError(f"{fields.path}.complete: adds nothing and is not complete")
    reached = len(added) + (base.operations if base else 0)
    fields.exactly("operations", reached)
    digest = fields.sha256("sha256")
    fields.end()
    known = added.digest if base is None else digest if len(added) else base.sha256
    if digest != known:
        raise fields.wrong("sha256", digest, repr(known))
    return added, Difference(after=Acknowledged(operations=reached, sha256=digest), complete=complete)


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


def _acknowledged(fields: Fields, space: Space) -> Acknowledged:
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
