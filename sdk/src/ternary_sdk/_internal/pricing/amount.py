"""
What a month costs: lines and a total in whole minor units, from a price list and numbers of operations.

A tier's price of the first n operations is rounded down once, and what is billed is the difference of two
such prices. So the months of a customer add up to the price of the whole, in whatever portions it came, and
a credit gives back what a debit took. Where prices have changed since, or customers were merged, an invoice
states by which list and at which positions the operations were charged that it gives back. Server and
customer call the same function.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ternary_sdk._internal.documents.canonical import SAFE_INTEGER, Json
from ternary_sdk._internal.pricing.price_list import WHOLE, PriceList, Unit
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space


class Kind(StrEnum):
    """What a line is for."""

    BASE = "base"
    """The fee of the month."""
    INCLUDED = "included"
    """New operations that cost nothing."""
    USAGE = "usage"
    """New operations of one tier."""
    CAP = "cap"
    """What exceeds the most that a month costs."""
    MINIMUM = "minimum"
    """What lacks to the least that a month costs."""
    CREDIT = "credit"
    """Operations of one tier that were billed and are taken back."""
    CREDIT_LIMIT = "credit limit"
    """What of the credits was never charged, because of a cap."""


@dataclass(frozen=True, kw_only=True)
class Repaid:
    """Positions of a price list that were charged and are given back: after ``start``, up to ``end``."""

    earlier: int | None
    """Place of the list among the invoice's earlier ones; None for the list of the invoice."""
    start: int
    """How many operations were billed when the first of them was charged."""
    end: int
    """How many were billed with the last of them."""

    def to_json(self) -> dict[str, Json]:
        """As an invoice states it."""
        return {"prices": self.earlier, "from": self.start, "to": self.end}


@dataclass(frozen=True, kw_only=True)
class Movement:
    """How the set that a customer is billed for changed in a month, in one space."""

    space: Space
    """What the operations are of."""
    before: int
    """How many operations were billed and not taken back before."""
    credited: int
    """How many of them are taken back now; at most ``before``."""
    new: int
    """How many operations are billed now for the first time."""
    repaid: tuple[Repaid, ...] | None = None
    """Which positions are given back; None for the last ones of the invoice's own list, one for each
    operation that is taken back."""

    @property
    def after(self) -> int:
        """How many operations are billed in all."""
        return self.before - self.credited + self.new


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an invoice."""

    kind: Kind
    """What it is for."""
    space: Space | None
    """Of its operations; None for a line of the whole month."""
    tier: int | None
    """Place of its tier in the price list, from 0; None for a line without."""
    operations: int | None
    """How many operations it is for; None for a line without."""
    amount: int
    """Minor units; credits are negative."""
    earlier: int | None = None
    """Place of its price list among the invoice's earlier ones; None for the list of the invoice."""

    def to_json(self) -> dict[str, Json]:
        """The line as an invoice states it."""
        stated: dict[str, Json] = {
            "kind": str(self.kind),
            "space": None if self.space is None else str(self.space),
            "tier": self.tier,
            "operations": self.operations,
            "amount": self.amount,
        }
        return stated if self.earlier is None else stated | {"prices": self.earlier}


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What a month costs."""

    lines: tuple[Line, ...]
    """In the order in which they are computed."""
    charged: int
    """What was charged for usage so far and not given back, this month included; no fee, no minimum."""
    total: int
    """The sum of the lines, in minor units; negative where more is given back than is due."""


def amount(
    prices: PriceList,
    movements: Sequence[Movement],
    *,
    charged_before: int = 0,
    earlier: Sequence[PriceList] = (),
) -> Amount:
    """Compute a month's lines and total.

    1. The base fee.
    2. For each space: its new operations that are included, and those of each tier.
    3. What exceeds the cap, or lacks to the minimum, of the sum so far.
    4. For each space: the positions of each tier that are given back, together at most ``charged_before``.

    Args:
        prices: The price list.
        movements: One for each space, in the order of the lines.
        charged_before: What ``Amount.charged`` was in the month before; 0 in the first.
        earlier: Other price lists by which operations were charged that are given back.
    Returns:
        Only lines that have operations or an amount.
    Raises:
        InputError: If a sum exceeds 2^53 - 1 minor units, or more is taken back than was billed.
    """
    base = _line(Kind.BASE, prices.base)
    usage = [line for movement in movements for line in _usage(prices, movement)]
    due = prices.base + sum(line.amount for line in usage)
    capped = min(0, prices.cap - due) if prices.cap is not None else 0
    lacking = max(0, prices.minimum - due) if prices.minimum is not None else 0
    credits = [line for movement in movements for line in _credits(prices, movement, earlier)]
    limit = max(0, -sum(line.amount for line in credits) - charged_before)
    every = [
        base,
        *usage,
        _line(Kind.CAP, capped),
        _line(Kind.MINIMUM, lacking),
        *credits,
        _line(Kind.CREDIT_LIMIT, limit),
    ]
    given_back = sum(line.amount for line in credits) + limit
    result = Amount(
        lines=tuple(line for line in every if line.amount or line.operations),
        charged=charged_before + due - prices.base + capped + given_back,
        total=due + capped + lacking + given_back,
    )
    if max(abs(result.total), result.charged, due) > SAFE_INTEGER:
        raise InputError(f"amount: {due:,} minor units, expected at most 2^53 - 1")
    return result


def _usage(prices: PriceList, movement: Movement) -> Iterator[Line]:
    """The lines of what is new in a space."""
    space, kept, after = movement.space, movement.before - movement.credited, movement.after
    if kept < 0:
        raise InputError(f"amount: {movement.credited} operations taken back, {movement.before} were billed")
    free = _bound(prices, prices.included, space.size)
    included = min(after, free) - min(kept, free)
    yield Line(kind=Kind.INCLUDED, space=space, tier=None, operations=included, amount=0)
    for tier in range(len(prices.tiers)):
        yield _difference(prices, Kind.USAGE, space, tier, kept, after)


def _credits(prices: PriceList, movement: Movement, earlier: Sequence[PriceList]) -> Iterator[Line]:
    """The lines of what is given back in a space."""
    kept = movement.before - movement.credited
    last = (Repaid(earlier=None, start=kept, end=movement.before),)
    for repaid in last if movement.repaid is None else movement.repaid:
        of = prices if repaid.earlier is None else earlier[repaid.earlier]
        for tier in range(len(of.tiers)):
            line = _difference(of, Kind.CREDIT, movement.space, tier, repaid.end, repaid.start)
            yield replace(line, earlier=repaid.earlier)


def _difference(prices: PriceList, kind: Kind, space: Space, tier: int, start: int, end: int) -> Line:
    """One tier's price of the first ``end`` operations, less that of the first ``start``."""
    before, after = (_operations(prices, tier, number, space.size) for number in (start, end))
    cost = _price(prices, tier, after, space.size) - _price(prices, tier, before, space.size)
    return Line(kind=kind, space=space, tier=tier, operations=abs(after - before), amount=cost)


def _operations(prices: PriceList, tier: int, number: int, size: int) -> int:
    """How many of the first ``number`` operations a tier bills."""
    low = _bound(prices, prices.tiers[tier - 1].up_to, size) if tier else 0
    low = max(low, _bound(prices, prices.included, size))
    return max(0, min(number, _bound(prices, prices.tiers[tier].up_to, size)) - low)


def _price(prices: PriceList, tier: int, operations: int, size: int) -> int:
    """A tier's price of so many operations of it, rounded down."""
    of = prices.tiers[tier]
    if prices.unit is Unit.PERCENT:
        return of.amount * operations * WHOLE // (of.per * size)
    return of.amount * operations // of.per


def _bound(prices: PriceList, units: int | None, size: int) -> int:
    """How many operations so many units are, rounded down; all of them where there is no end."""
    if units is None:
        return size
    return units * size // WHOLE if prices.unit is Unit.PERCENT else min(units, size)


def _line(kind: Kind, minor: int) -> Line:
    return Line(kind=kind, space=None, tier=None, operations=None, amount=minor)
