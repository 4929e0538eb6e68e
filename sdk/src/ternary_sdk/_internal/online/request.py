"""
What a client asks a license server for, signed by its installation: a seat, its renewal, its return, or
whether it still stands.

The same document travels over the network or as a file, so an air-gapped machine takes part through
whoever carries the file. It names the vendor it is for, so no other vendor's server can use it, and a
number of its own, so that the server does it once however often it arrives.

Who asks for anything about a seat proves two things that nobody can guess or compute. One is the private key
of the installation. The other is the number of the lease: the vendor drew it for this installation under this
owner, and signed it into the license. The generation is a counter and proves nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing.claims import OWN_MACHINE_ID
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.signing.self_signed import Envelope
from ternary_sdk.errors import FormatError, InputError

FORMAT: Final = "ternary-request/2"
WITHOUT_LEASE: Final = "ternary-request/1"
"""Names no lease. It is read, but moves nothing: what it shows can be guessed."""
TYP: Final = "ternary-request+jwt"
MAX_REQUEST: Final = 8192
_ENVELOPE: Final = Envelope(
    what="request", formats=(WITHOUT_LEASE, FORMAT), member="request", typ=TYP, longest=MAX_REQUEST
)
NUMBER_BYTES: Final = 16
MAX_GENERATION: Final = 2**31 - 1


class Action(StrEnum):
    """What is asked for."""

    ACTIVATE = "activate"
    """A seat for this installation, for a license key."""
    RENEW = "renew"
    """A later end of the seat it holds."""
    RELEASE = "release"
    """Nothing more: the seat may go to another."""
    STANDING = "standing"
    """Whether the seat is still held; nothing changes."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One signed request."""

    action: Action
    """What is asked for."""
    number: str
    """128 random bits, base64url: the request's own name, also its ``Idempotency-Key``."""
    vendor: str
    """Thumbprint of the root key of the vendor it is for."""
    issued: datetime
    """When it was signed, by the installation's clock."""
    installation: PublicKey
    """Who asks and signed."""
    key_digest: str | None
    """Digest of the license key; only to activate."""
    machine: str | None
    """The machine's id, where it has one; only to activate."""
    offline: bool
    """Whether the machine cannot renew and wants the policy's offline term; only to activate."""
    license_id: str | None
    """The license; all but to activate."""
    lease: str | None
    """The lease's number, as in the license that is held; all but to activate. None in version 1."""
    generation: int | None
    """Which of its activations is meant; all but to activate."""

    @classmethod
    def read(cls, data: bytes, vendor: str) -> "Request":
        """Read a request:

        1. canonical JSON of the format ``ternary-request/2`` or ``ternary-request/1``, at most 8 KiB;
        2. signed by the installation key in it;
        3. for this vendor, with the members of its action and no others.

        Args:
            data: The document.
            vendor: Thumbprint of the vendor's root key.
        Raises:
            FormatError: If it is malformed or for another vendor.
            SignatureError: If it is not signed by that installation.
        """
        return _read_claims(*_ENVELOPE.read(data), vendor)


def activate(
    key: str, *, vendor: str, held: Installation, now: datetime, machine: str | None, offline: bool = False
) -> bytes:
    """Ask for a seat.

    Args:
        key: The license key, as typed.
        vendor: ``trust.root.kid``.
        held: This user's installation.
        now: The present moment, timezone-aware.
        machine: This machine's id, or None where it has none.
        offline: Ask for the policy's offline term instead of a lease that is renewed.
    Raises:
        InputError: If the license key is mistyped.
    """
    asked: dict[str, Json] = {"offline": offline, "key_sha256": online_key.digest(key)}
    if machine is not None:
        asked["machine"] = machine
    return _sign(Action.ACTIVATE, asked, vendor, held, now)


def renew(
    license_id: str, lease: str, generation: int, *, vendor: str, held: Installation, now: datetime
) -> bytes:
    """Ask for a later end of the seat.

    Args:
        license_id: The license.
        lease: The lease's number, ``License.lease`` of the license that is held.
        generation: Which activation, as the server's last answer stated it.
        vendor: ``trust.root.kid``.
        held: This user's installation.
        now: The present moment, timezone-aware.
    """
    return _sign(Action.RENEW, _meant(license_id, lease, generation), vendor, held, now)


def release(
    license_id: str, lease: str, generation: int, *, vendor: str, held: Installation, now: datetime
) -> bytes:
    """Give the seat back: the proof that this installation no longer uses the license.

    Args:
        As ``renew``.
    """
    return _sign(Action.RELEASE, _meant(license_id, lease, generation), vendor, held, now)


def standing(
    license_id: str, lease: str, generation: int, *, vendor: str, held: Installation, now: datetime
) -> bytes:
    """Ask whether the seat is still held.

    Args:
        As ``renew``.
    """
    return _sign(Action.STANDING, _meant(license_id, lease, generation), vendor, held, now)


def number(data: bytes) -> str:
    """The number of a request that this process has just signed, for its ``Idempotency-Key``."""
    token = Fields(canonical.decode(data, "request"), "request").text("request", longest=MAX_REQUEST)
    claims = canonical.decode_any(base64url.decode(token.split(".")[1], "request"), "request")
    return Fields(claims, "request").text("jti")


def _meant(license_id: str, lease: str, generation: int) -> dict[str, Json]:
    return {"license": license_id, "lease": lease, "generation": generation}


def _sign(action: Action, asked: dict[str, Json], vendor: str, held: Installation, now: datetime) -> bytes:
    if now.tzinfo is None:
        raise InputError(f"now: {now.isoformat()} has no time zone, expected UTC")
    claims: Json = asked | {
        "action": str(action),
        "aud": vendor,
        "iat": int(now.timestamp()),
        "jti": base64url.encode(secrets.token_bytes(NUMBER_BYTES)),
    }
    token = held.sign_token(claims, typ=TYP).decode()
    return canonical.encode({"format": FORMAT, "key": held.public.jwk, "request": token})


def _read_claims(format: str, fields: Fields, key: PublicKey, vendor: str) -> Request:
    action = fields.text("action")
    if action not in list(Action):
        raise fields.wrong("action", action, "activate, renew, release or standing")
    fields.exactly("aud", vendor)
    activates = action == Action.ACTIVATE
    named = not activates and format != WITHOUT_LEASE
    request = Request(
        action=Action(action),
        number=_number(fields),
        vendor=vendor,
        issued=fields.moment("iat"),
        installation=key,
        key_digest=fields.sha256("key_sha256") if activates else None,
        machine=fields.optional("machine", lambda name: fields.text(name, pattern=OWN_MACHINE_ID))
        if activates
        else None,
        offline=fields.truth("offline") if activates else False,
        license_id=None if activates else fields.text("license", pattern=LICENSE_ID),
        lease=fields.text("lease", pattern=LICENSE_ID) if named else None,
        generation=None if activates else fields.integer("generation", least=1, most=MAX_GENERATION),
    )
    fields.end()
    return request


def _number(fields: Fields) -> str:
    text = fields.text("jti", longest=22)
    if len(base64url.decode(text, "request.jti")) != NUMBER_BYTES:
        raise FormatError(f"request.jti: expected {NUMBER_BYTES} bytes in base64url")
    return text
