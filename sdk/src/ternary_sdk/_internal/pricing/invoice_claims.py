"""
What an invoice states of its customer, of the invoice before it, and of each space that it bills.
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.pricing.amount import Movement
from ternary_sdk._internal.pricing.stated_set import StatedSet
from ternary_sdk._internal.stated import read_space
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

MAX_INVOICE: Final = 12 << 20
"""Most bytes of an invoice's file."""
MOST_GAPS: Final = 1 << 20
"""Most bytes of gaps of one set of a vast space that an invoice carries."""
NUMBER: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Whom an invoice is for."""

    id: str
    """The vendor's number for the customer."""
    name: str
    """The name that licenses carry."""

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, kw_only=True)
class Previous:
    """The invoice before one."""

    number: str
    """Its number."""
    sha256: str
    """The SHA-256 of what it states."""

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        return {"number": self.number, "sha256": self.sha256}


@dataclass(frozen=True, kw_only=True)
class Billed:
    """What a customer is billed for of one space: before a month, in it and after it."""

    space: Space
    """What the operations are of."""
    before: int
    """How many operations were billed before."""
    before_sha256: str
    """The digest of their set."""
    new: StatedSet
    """Operations that are billed now for the first time."""
    credited: StatedSet
    """Operations that were billed before and are taken back now."""
    after: StatedSet
    """All operations that are billed, this month included."""
    excluded: StatedSet
    """Operations that were reported and are not billed: the vendor took them back, now or earlier."""

    @property
    def movement(self) -> Movement:
        """What the amount is computed from."""
        return Movement(
            space=self.space,
            before=self.before,
            credited=self.credited.operations,
            new=self.new.operations,
        )

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        return {
            "space": self.space.to_json(),
            "before": {"operations": self.before, "sha256": self.before_sha256},
            "new": self.new.to_json(longest=MOST_GAPS),
            "credited": self.credited.to_json(longest=MOST_GAPS),
            "after": self.after.to_json(longest=MOST_GAPS),
            "excluded": self.excluded.to_json(longest=MOST_GAPS),
        }


def read_customer(fields: Fields) -> Customer:
    """Read what ``Customer.to_json`` wrote."""
    customer = Customer(id=fields.text("id", pattern=LICENSE_ID), name=fields.line("name"))
    fields.end()
    return customer


def read_previous(fields: Fields) -> Previous:
    """Read what ``Previous.to_json`` wrote."""
    previous = Previous(number=fields.text("number", pattern=NUMBER), sha256=fields.sha256("sha256"))
    fields.end()
    return previous


def read_billed(fields: Fields) -> Billed:
    """Read what ``Billed.to_json`` wrote, and check that the sets lead from one to the other.

    Raises:
        FormatError: If they do not, as far as their members are stated.
    """
    space = read_space(fields.object("space"))
    before = fields.object("before")
    number, sha256 = before.integer("operations", most=space.size), before.sha256("sha256")
    before.end()
    new, credited, after, excluded = (
        StatedSet.read(fields.object(name), space, longest=MOST_GAPS)
        for name in ("new", "credited", "after", "excluded")
    )
    fields.end()
    billed = Billed(
        space=space,
        before=number,
        before_sha256=sha256,
        new=new,
        credited=credited,
        after=after,
        excluded=excluded,
    )
    if credited.operations > number or billed.movement.after != after.operations:
        raise FormatError(f"{fields.path}: before, credited and new operations do not add up to 'after'")
    _check_members(billed, fields.path)
    return billed


def _check_members(billed: Billed, path: str) -> None:
    new, credited, after, excluded = (
        stated.members for stated in (billed.new, billed.credited, billed.after, billed.excluded)
    )
    if new is None or credited is None or after is None or excluded is None:
        return
    if not new <= after or not credited <= excluded or len(after & excluded):
        raise FormatError(f"{path}: its sets contradict each other")
    if ((after - new) | credited).digest != billed.before_sha256:
        raise FormatError(f"{path}.before.sha256: is not of 'after' without 'new' and with 'credited'")
