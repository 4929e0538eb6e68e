"""
What a customer's machines state together, and whether an invoice bills exactly that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ternary_sdk._internal.pricing.amount import Amount, Movement, amount
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.invoice_claims import Billed
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The statements of a customer's machines, as one."""

    customers: tuple[str, ...]
    """The names of customers that they are of, ascending."""
    licenses: tuple[str, ...]
    """Every license that they are of, ascending."""
    sets: dict[Space, OperationSet]
    """What any machine returned, ascending by space."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How the statements differ from an invoice in one space."""

    space: Space
    """What the operations are of."""
    stated: int
    """How many operations the statements have, those taken back left out."""
    billed: int
    """How many the invoice bills."""
    only_stated: int | None
    """How many only the statements have; None if the invoice does not carry its set."""
    only_billed: int | None
    """How many only the invoice has; None likewise."""
    first: int | None
    """The lowest operation that only one of them has; None likewise."""
    first_is_billed: bool
    """Whether the invoice is the one that has it."""

    def sentence(self) -> str:
        """The difference for people."""
        counts = (
            f"space {self.space}: the statements have {self.stated:,} operations, "
            f"the invoice bills {self.billed:,}"
        )
        if self.first is None:
            return f"{counts}; the invoice does not carry its set, so the operations cannot be named"
        has, lacks = ("invoice", "statements") if self.first_is_billed else ("statements", "invoice")
        return (
            f"{counts}; the first that differs is operation {self.first}, in the {has} and not in the "
            f"{lacks}; only in the statements: {self.only_stated:,}, "
            f"only in the invoice: {self.only_billed:,}"
        )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Statements beside an invoice."""

    billable: dict[Space, OperationSet]
    """What the statements have, without what the invoice says was taken back, ascending by space."""
    amount: Amount
    """What the month costs by the statements: computed from their numbers, by the invoice's prices."""
    differences: tuple[Difference, ...]
    """One for each space that differs; empty where both agree."""


def merge(statements: Sequence[Statement]) -> Merged:
    """The union of what machines state.

    Raises:
        InputError: If there is none.
    """
    if not statements:
        raise InputError("statement: none was given")
    sets: dict[Space, OperationSet] = {}
    for statement in statements:
        for members in statement.sets:
            sets[members.space] = sets.get(members.space, members) | members
    licenses = tuple(sorted({statement.license_id for statement in statements}))
    customers = tuple(sorted({statement.customer for statement in statements}))
    return Merged(customers=customers, licenses=licenses, sets=dict(sorted(sets.items())))


def one_customer(merged: Merged) -> str:
    """The name of the only customer that statements are of.

    Raises:
        InputError: If they are of several.
    """
    first, *others = merged.customers
    if others:
        raise InputError(f"statements: of the customers {first!r} and {others[0]!r}, expected one")
    return first


def compare(merged: Merged, invoice: Invoice) -> Comparison:
    """Compare what machines state with what an invoice bills, by sets and by amounts.

    Raises:
        InputError: If the invoice is for another customer, does not bill one of the licenses, or had no room
            for what was taken back.
    """
    if not invoice.customer.anonymised:
        _check_names(merged, invoice)
    foreign = [license_id for license_id in merged.licenses if license_id not in invoice.licenses]
    if foreign:
        raise InputError(
            f"statements: license {foreign[0]} is none that the invoice bills for {invoice.product}; "
            "give only statements of its licenses"
        )
    billed = {one.space: one for one in invoice.spaces}
    billable: dict[Space, OperationSet] = {}
    differences: list[Difference] = []
    for space in sorted(billed.keys() | merged.sets.keys()):
        stated = merged.sets.get(space, OperationSet.of([], space))
        here = billed.get(space)
        if here is not None:
            stated -= _excluded(here, invoice)
        billable[space] = stated
        if here is None or (len(stated), stated.digest) != (here.after.operations, here.after.sha256):
            differences += _difference(stated, here)
    return Comparison(billable=billable, amount=_amount(invoice, billable), differences=tuple(differences))


def _check_names(merged: Merged, invoice: Invoice) -> None:
    names = (invoice.customer.name, *invoice.customer.licensed_as)
    for customer in merged.customers:
        if customer not in names:
            known = " or ".join(map(repr, names[:5])) + (" or others" if len(names) > 5 else "")
            raise InputError(f"statements: of the customer {customer!r}, the invoice is for {known}")


def _excluded(billed: Billed, invoice: Invoice) -> OperationSet:
    """What machines state and the vendor took back."""
    if billed.excluded.members is None:
        raise InputError(
            f"invoice {invoice.number}: has no room for the {billed.excluded.operations:,} operations of "
            f"space {billed.space} that were taken back, so statements cannot be compared with it"
        )
    return billed.excluded.members


def _difference(stated: OperationSet, billed: Billed | None) -> list[Difference]:
    """How a space differs; nothing of a space that is in one of them, empty."""
    nothing = OperationSet.of([], stated.space)
    members = nothing if billed is None else billed.after.members
    common = {
        "space": stated.space,
        "stated": len(stated),
        "billed": 0 if billed is None else billed.after.operations,
    }
    if members is None:
        unknown = {"only_stated": None, "only_billed": None, "first": None, "first_is_billed": False}
        return [Difference(**common, **unknown)]  # type: ignore[arg-type]
    more, less = stated - members, members - stated
    either = more | less
    if not len(either):
        return []
    first = int(either.indices[0])
    return [
        Difference(
            **common,  # type: ignore[arg-type]
            only_stated=len(more),
            only_billed=len(less),
            first=first,
            first_is_billed=first in less,
        )
    ]


def _amount(invoice: Invoice, billable: dict[Space, OperationSet]) -> Amount:
    """The month by the statements' numbers; what was billed before and taken back now is the invoice's."""
    billed = {movement.space: movement for movement in invoice.movements}
    movements = []
    for space, members in billable.items():
        here = billed.get(space, Movement(space=space, before=0, credited=0, new=0))
        kept = here.before - here.credited
        movements.append(replace(here, new=max(0, len(members) - kept)))
    return amount(
        invoice.prices,
        movements,
        charged_before=invoice.charged_before,
        earlier=invoice.earlier_prices,
    )
