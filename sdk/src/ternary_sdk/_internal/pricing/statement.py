"""
Statements: what one machine returned under one license to one customer, signed by its installation key.

A usage report is of one lease and is meant for the server. A statement is of all leases together and is meant
for people: the statements of all machines of a customer are merged by union and compared with an invoice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.pricing.stated_set import StatedSet
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.signing.self_signed import Envelope
from ternary_sdk._internal.stated import read_space
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet

FORMAT: Final = "ternary-statement/1"
TYP: Final = "ternary-statement+jwt"
MAX_STATEMENT: Final = 64 << 20
"""Most bytes of a statement's file."""
MOST_GAPS: Final = 34 << 20
"""In base64 twice, in the claims and in the token, they leave room in a statement for the rest of it."""
MOST_SPACES: Final = 64

_ENVELOPE: Final = Envelope(
    what="statement", formats=(FORMAT,), member="statement", typ=TYP, longest=MAX_STATEMENT
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one machine returned under one license."""

    license_id: str
    """The license."""
    customer: str
    """The customer that the signed license names."""
    issued: datetime
    """When it was made, by the machine's clock."""
    sets: tuple[OperationSet, ...]
    """Every operation ever returned to this customer, a set for each space, ascending by space."""
    installation: PublicKey
    """Who signed."""

    @classmethod
    def read(cls, data: bytes) -> "Statement":
        """Read a statement and verify that it was signed by the installation it names.

        Raises:
            FormatError: If it is malformed, or a set is not the one its digest says.
            SignatureError: If it is not signed by that installation.
        """
        _, fields, key = _ENVELOPE.read(data)
        statement = cls(
            license_id=fields.text("license", pattern=LICENSE_ID),
            customer=fields.line("customer"),
            issued=fields.moment("iat"),
            sets=fields.items("sets", _read_set, most=MOST_SPACES),
            installation=key,
        )
        fields.end()
        spaces = [one.space for one in statement.sets]
        if spaces != sorted(set(spaces)):
            raise FormatError("statement.sets: spaces are not in ascending order, or one is repeated")
        return statement


def write(
    license_id: str, customer: str, sets: Iterable[OperationSet], held: Installation, now: datetime
) -> bytes:
    """The file of a statement.

    Args:
        license_id: The license the operations were returned under.
        customer: The customer that the license names.
        sets: What was returned, one for each space.
        held: The installation that counted.
        now: The present moment, timezone-aware.
    Raises:
        InputError: If the sets take more room than a statement has.
    """
    ordered = sorted(sets, key=lambda members: members.space)
    claims: Json = {
        "license": license_id,
        "customer": customer,
        "iat": int(now.timestamp()),
        "sets": [_stated(members) for members in ordered],
    }
    token = held.sign_token(claims, typ=TYP).decode()
    data = canonical.encode({"format": FORMAT, "key": held.public.jwk, "statement": token})
    if len(data) > MAX_STATEMENT:
        number = sum(map(len, ordered))
        raise InputError(
            f"statement of license {license_id}: {number:,} operations take {len(data):,} bytes, "
            f"expected at most {MAX_STATEMENT:,}"
        )
    return data


def _stated(members: OperationSet) -> Json:
    stated = StatedSet.of(members).to_json(longest=members.space.size)
    return {"space": members.space.to_json(), "set": stated}


def _read_set(fields: Fields) -> OperationSet:
    space = read_space(fields.object("space"))
    stated = StatedSet.read(fields.object("set"), space, longest=MOST_GAPS)
    fields.end()
    if stated.members is None:
        raise FormatError(f"{fields.path}.set: its operations are missing")
    return stated.members
