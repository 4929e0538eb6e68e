"""
What an invoice states of its customer, of the invoice before it, and of each space that it bills.
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.documents.legible import is_name
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.pricing.amount import Movement, Repaid
from ternary_sdk._internal.pricing.stated_set import StatedSet
from ternary_sdk._internal.stated import read_space
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

MAX_INVOICE: Final = 12 << 20
"""Most bytes of an invoice's file."""
MOST_GAPS: Final = 1 << 20
"""Most bytes of gaps of one set of a vast space that an invoice carries."""
MOST_NAMES: Final = 1000
MOST_JOINED: Final = 1000
MOST_PRICES: Final = 64
MOST_REPAID: Final = 4096
NUMBER: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Whom an invoice is for."""

    id: str
    """The vendor's number for the customer."""
    name: str
    """Its present name."""
    licensed_as: tuple[str, ...] = ()
    """Other names that licenses of this invoice carry, ascending: earlier ones, or of merged customers."""

    @property
    def anonymised(self) -> bool:
        """Whether the vendor has erased its name, so that the invoice cannot state the licensed ones."""
        return self.name == pseudonym(self.id)

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        stated: dict[str, Json] = {"id": self.id, "name": self.name}
        return stated | ({"licensed_as": list(self.licensed_as)} if self.licensed_as else {})


def pseudonym(customer: str) -> str:
    """The name of a customer whose name was erased, from its id."""
    return f"anonymised {customer}"


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
class Joined:
    """A customer that was merged into the invoice's, and is billed with it from this invoice on."""

    customer: Customer
    """Who."""
    previous: Previous | None
    """The last invoice of its own; None if there was none."""
    charged: int
    """``Amount.charged`` of that one; 0 without."""

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        return {
            "customer": self.customer.to_json(),
            "previous": None if self.previous is None else self.previous.to_json(),
            "charged": self.charged,
        }


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
    """Operations that were reported and are not billed: the vendor took them back, now or earlier, or they
    came before the license had prices."""
    repeated: tuple[StatedSet, ...] = ()
    """Of merged customers: operations that were billed twice until now, those billed three times, and so on.
    Each further time is given back; they stay billed once."""
    repaid: tuple[Repaid, ...] | None = None
    """Which positions are given back; None as in ``Movement``."""

    @property
    def movement(self) -> Movement:
        """What the amount is computed from."""
        return Movement(
            space=self.space,
            before=self.before,
            credited=self.credited.operations,
            new=self.new.operations,
            repaid=self.repaid,
        )

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        stated: dict[str, Json] = {
            "space": self.space.to_json(),
            "before": {"operations": self.before, "sha256": self.before_sha256},
            "new": self.new.to_json(longest=MOST_GAPS),
            "credited": self.credited.to_json(longest=MOST_GAPS),
            "after": self.after.to_json(longest=MOST_GAPS),
            "excluded": self.excluded.to_json(longest=MOST_GAPS),
        }
        if self.repeated:
            stated["repeated"] = [each.to_json(longest=MOST_GAPS) for each in self.repeated]
        if self.repaid is not None:
            stated["repaid"] = [each.to_json() for each in self.repaid]
        return stated


def read_customer(fields: Fields) -> Customer:
    """Read what ``Customer.to_json`` wrote."""
    licensed_as = None if "licensed_as" not in fields else fields.texts("licensed_as", most=MOST_NAMES)
    customer = Customer(
        id=fields.text("id", pattern=LICENSE_ID), name=fields.line("name"), licensed_as=licensed_as or ()
    )
    fields.end()
    names = customer.licensed_as
    if licensed_as is not None and not (
        names and list(names) == sorted(names) and all(is_name(name, 200) for name in names)
    ):
        raise FormatError(f"{fields.path}.licensed_as: expected names, in ascending order")
    return customer


def read_joined(fields: Fields) -> Joined:
    """Read what ``Joined.to_json`` wrote."""
    joined = Joined(
        customer=read_customer(fields.object("customer")),
        previous=fields.or_null("previous", lambda name: read_previous(fields.object(name))),
        charged=fields.integer("charged"),
    )
    fields.end()
    return joined


def read_order(fields: Fields) -> tuple[str, str]:
    """Read a license's id and the number of its order."""
    found = fields.text("license", pattern=LICENSE_ID), fields.line("order")
    fields.end()
    return found


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
    repeated = tuple[StatedSet, ...]()
    if "repeated" in fields:
        repeated = fields.items(
            "repeated", lambda each: StatedSet.read(each, space, longest=MOST_GAPS), least=1, most=MOST_JOINED
        )
    repaid = fields.items("repaid", _read_repaid, most=MOST_REPAID) if "repaid" in fields else None
    fields.end()
    billed = Billed(
        space=space,
        before=number,
        before_sha256=sha256,
        new=new,
        credited=credited,
        after=after,
        excluded=excluded,
        repeated=repeated,
        repaid=repaid,
    )
    if credited.operations > number or billed.movement.after != after.operations:
        raise FormatError(f"{fields.path}: before, credited and new operations do not add up to 'after'")
    _check_repaid(billed, fields.path)
    _check_members(billed, fields.path)
    return billed


def _read_repaid(fields: Fields) -> Repaid:
    repaid = Repaid(
        earlier=fields.or_null("prices", lambda name: fields.integer(name, most=MOST_PRICES - 1)),
        start=fields.integer("from"),
        end=fields.integer("to"),
    )
    fields.end()
    if repaid.start >= repaid.end:
        raise FormatError(f"{fields.path}: from {repaid.start} to {repaid.end} are no positions")
    return repaid


def _check_repaid(billed: Billed, path: str) -> None:
    """One position is given back for each operation taken back, and for each further time it was billed."""
    numbers = [each.operations for each in billed.repeated]
    if numbers != sorted(numbers, reverse=True) or 0 in numbers or max(numbers, default=0) > billed.before:
        raise FormatError(f"{path}.repeated: its numbers of operations contradict each other")
    repaid = billed.repaid
    given_back = billed.credited.operations if repaid is None else sum(one.end - one.start for one in repaid)
    if given_back != billed.credited.operations + sum(numbers):
        raise FormatError(f"{path}.repaid: is not one position for each operation that is given back")


def _check_members(billed: Billed, path: str) -> None:
    new, credited, after, excluded = (
        stated.members for stated in (billed.new, billed.credited, billed.after, billed.excluded)
    )
    if new is None or credited is None or after is None or excluded is None:
        return
    if not new <= after or not credited <= excluded or len(after & excluded):
        raise FormatError(f"{path}: its sets contradict each other")
    before = (after - new) | credited
    if before.digest != billed.before_sha256:
        raise FormatError(f"{path}.before.sha256: is not of 'after' without 'new' and with 'credited'")
    for repeated in billed.repeated:
        if repeated.members is not None:
            if not repeated.members <= before:
                raise FormatError(f"{path}.repeated: has operations that were not billed as often")
            before = repeated.members
