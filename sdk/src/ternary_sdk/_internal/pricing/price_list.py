"""
Price lists: what different operations cost, in whole minor units of one currency.

Server and customer compute amounts from the same list, and an invoice repeats the list that it was computed
by. Nothing here is a floating-point number. docs/formats.md, section 12.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError, InputError

FORMAT: Final = "ternary-prices/1"
ROUNDING: Final = "down"
"""How a fraction of a minor unit is rounded: it is not billed."""
MOST_AMOUNT: Final = 10**12
"""Largest amount that a list may state, in minor units."""
MOST_TIERS: Final = 32
MOST_OPERATIONS: Final = 2**53 - 1
MOST_EXPONENT: Final = 4
WHOLE: Final = 100
"""Percent of a space that it has."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Unit(StrEnum):
    """What a price is for."""

    OPERATION = "operation"
    """One different operation."""
    PERCENT = "percent"
    """One percent of the operations of the space."""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """The price of some of the operations: of those after the tier before, up to this one's end."""

    up_to: int | None
    """How many units this tier and those before it cover; None for all that follow."""
    amount: int
    """Minor units for every ``per`` units."""
    per: int
    """How many units the amount is for."""


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """What a customer pays in a month for a product."""

    currency: str
    """Three capital letters, as in ISO 4217."""
    exponent: int
    """How many decimals the currency has: 100 minor units make one of it where this is 2."""
    unit: Unit
    """What ``included`` and the tiers count."""
    base: int
    """Fee of every month, in minor units."""
    included: int
    """How many units of each space cost nothing, the first ones, once and for ever."""
    tiers: tuple[Tier, ...]
    """Ascending; the last one has no end. They count all operations that a customer was ever billed for."""
    minimum: int | None
    """Least of a month's base fee and usage, in minor units; None without."""
    cap: int | None
    """Most of a month's base fee and usage, in minor units; None without."""

    @classmethod
    def read(cls, value: Json, what: str = "price list") -> "PriceList":
        """Read what ``to_json`` wrote.

        Args:
            value: The decoded object.
            what: Its name in messages.
        Raises:
            FormatError: If it is malformed or contradicts itself.
        """
        return cls.read_fields(Fields(value, what))

    @classmethod
    def read_fields(cls, fields: Fields) -> "PriceList":
        """As ``read``, of an object that is being read."""
        fields.exactly("format", FORMAT)
        fields.exactly("rounding", ROUNDING)
        unit = Unit(fields.one_of("unit", tuple(Unit)))
        most = WHOLE if unit is Unit.PERCENT else MOST_OPERATIONS
        prices = cls(
            currency=fields.text("currency", pattern=_CURRENCY),
            exponent=fields.integer("exponent", most=MOST_EXPONENT),
            unit=unit,
            base=fields.integer("base", most=MOST_AMOUNT),
            included=fields.integer("included", most=most),
            tiers=fields.items("tiers", lambda tier: _read_tier(tier, most), least=1, most=MOST_TIERS),
            minimum=fields.or_null("minimum", lambda name: fields.integer(name, most=MOST_AMOUNT)),
            cap=fields.or_null("cap", lambda name: fields.integer(name, most=MOST_AMOUNT)),
        )
        fields.end()
        _check(prices, fields.path)
        return prices

    def to_json(self) -> dict[str, Json]:
        """The list as its document states it."""
        return {
            "format": FORMAT,
            "rounding": ROUNDING,
            "currency": self.currency,
            "exponent": self.exponent,
            "unit": str(self.unit),
            "base": self.base,
            "included": self.included,
            "tiers": [dict[str, Json](vars(tier)) for tier in self.tiers],
            "minimum": self.minimum,
            "cap": self.cap,
        }

    def money(self, minor: int) -> str:
        """An amount as people read it, such as ``-12.05``, without the currency."""
        sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(self.exponent + 1, "0")
        if not self.exponent:
            return sign + digits
        return f"{sign}{digits[: -self.exponent]}.{digits[-self.exponent :]}"

    def words(self) -> str:
        """The list in one line."""
        parts = [f"{self.currency} {self.money(self.base)} a month"] if self.base else []
        if self.included:
            parts.append(f"{_units(self.unit, self.included)} included")
        parts += [self.tier_words(number) for number in range(len(self.tiers))]
        if self.minimum is not None:
            parts.append(f"at least {self.money(self.minimum)} a month")
        if self.cap is not None:
            parts.append(f"at most {self.money(self.cap)} a month")
        return "; ".join(parts)

    def tier_words(self, number: int) -> str:
        """One tier's price and range."""
        tier = self.tiers[number]
        each = _units(self.unit, tier.per) if tier.per > 1 else f"{self.unit}"
        start = self.tiers[number - 1].up_to if number else None
        after = f" after {_units(self.unit, start)}" if start is not None else ""
        end = f" up to {_units(self.unit, tier.up_to)}" if tier.up_to is not None else ""
        return f"{self.currency} {self.money(tier.amount)} per {each}{after}{end}"


def with_last_tier(prices: PriceList, *, after: int, amount: int, per: int) -> PriceList:
    """A list whose units after some of them have another price, and none of those is included.

    Args:
        prices: The list.
        after: The last unit that keeps its price, at least 1.
        amount: What ``per`` later units cost, in minor units.
        per: How many they are.
    Raises:
        InputError: If that would be more than 32 tiers.
    """
    kept = [tier for tier in prices.tiers if tier.up_to is not None and tier.up_to < after]
    cut = replace(prices.tiers[len(kept)], up_to=after)
    tiers = (*kept, cut, Tier(up_to=None, amount=amount, per=per))
    if len(tiers) > MOST_TIERS:
        raise InputError(f"price list: {len(tiers)} tiers with that of the overage, at most {MOST_TIERS}")
    return replace(prices, included=min(prices.included, after), tiers=tiers)


def _units(unit: Unit, number: int) -> str:
    return f"{number} %" if unit is Unit.PERCENT else f"{number:,} operations"


def _read_tier(fields: Fields, most: int) -> Tier:
    tier = Tier(
        up_to=fields.or_null("up_to", lambda name: fields.integer(name, least=1, most=most)),
        amount=fields.integer("amount", most=MOST_AMOUNT),
        per=fields.integer("per", least=1, most=most),
    )
    fields.end()
    return tier


def _check(prices: PriceList, what: str) -> None:
    *bounded, last = prices.tiers
    if last.up_to is not None:
        raise FormatError(
            f"{what}.tiers: the last one ends at {last.up_to}, expected no end: no up_to in TOML, or null"
        )
    reached = 0
    for position, tier in enumerate(bounded):
        if tier.up_to is None or tier.up_to <= reached:
            found = "null" if tier.up_to is None else str(tier.up_to)
            raise FormatError(f"{what}.tiers[{position}].up_to: {found}, expected more than {reached}")
        reached = tier.up_to
    if prices.cap is not None and prices.cap < max(prices.base, prices.minimum or 0):
        raise FormatError(f"{what}.cap: {prices.cap}, expected at least the base fee and the minimum")
