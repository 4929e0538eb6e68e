"""
What each percent of a space costs by a price list, and the perfect draws that it takes.
"""

from dataclasses import dataclass
from decimal import Decimal

from ternary_sdk._internal.pricing.amount import Movement, amount
from ternary_sdk._internal.pricing.forecast import draws_to
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class Step:
    """One more percent of a space."""

    percent: int
    """What is had before, in percent."""
    draws: int
    """How many perfect draws give the next percent, after those for what is had."""
    cost: int
    """What its operations cost, in minor units."""
    total: int
    """What all operations up to its end cost."""


def steps(prices: PriceList, space: Space) -> list[Step]:
    """Every percent of a space up to the ninety-ninth, without base fee, minimum and cap.

    The hundredth is left out: no number of draws gives all operations on average.
    """
    found = list[Step]()
    for percent in range(99):
        shares = (percent, percent + 1)
        start, end = (_usage(prices, space, space.size * share // 100) for share in shares)
        fewer, more = (draws_to(space, Decimal(share) / 100) for share in shares)
        found.append(Step(percent=percent, draws=more - fewer, cost=end - start, total=end))
    return found


def _usage(prices: PriceList, space: Space, operations: int) -> int:
    """What the first operations alone cost, in minor units."""
    lines = amount(prices, [Movement(space=space, before=0, credited=0, new=operations)]).lines
    return sum(line.amount for line in lines if line.space is not None)
