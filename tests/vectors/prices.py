"""
Writes ``prices.json``: amounts by docs/formats.md, section 12, in exact fractions and with none of our code.

Run it as ``python tests/vectors/prices.py``; a test checks that the file is what it writes.
"""

import json
import random
from fractions import Fraction
from math import floor
from pathlib import Path

SIZES = {"2,2": 16, "3,2": 19_683, "3,3": 3**27}
FILE = Path(__file__).parent / "prices.json"


def units(prices, size):
    """How many operations one unit is."""
    return Fraction(size, 100) if prices["unit"] == "percent" else Fraction(1)


def place(prices, size, operation):
    """The tier of the operation that is the n-th one, from 1; None if it is included."""
    one = units(prices, size)
    if operation <= floor(min(prices["included"] * one, size)):
        return None
    for number, tier in enumerate(prices["tiers"]):
        if tier["up_to"] is None or operation <= floor(min(tier["up_to"] * one, size)):
            return number
    raise AssertionError("the last tier has no end")


def counts(prices, size, number):
    """How many of the first ``number`` operations each tier bills, and how many are included."""
    edges = sorted(
        {
            floor(min(x * units(prices, size), size))
            for x in [prices["included"], *(t["up_to"] for t in prices["tiers"] if t["up_to"] is not None)]
        }
    )
    found = {}
    start = 0
    for end in [*(edge for edge in edges if edge < number), number]:
        if end > start:  # all of these are of one kind
            key = place(prices, size, end)
            found[key] = found.get(key, 0) + end - start
            start = end
    return found


def price(prices, size, tier, operations):
    of = prices["tiers"][tier]
    return floor(Fraction(of["amount"] * operations, 1) / (of["per"] * units(prices, size)))


def bill(prices, movements, charged_before):
    """The lines, as [kind, space, tier, operations, amount], what was charged, and the total."""
    lines = [["base", None, None, None, prices["base"]]]
    credits = []
    for space, before, credited, new in movements:
        size, kept = SIZES[space], before - credited
        was, mid, now = (counts(prices, size, n) for n in (before, kept, kept + new))
        lines.append(["included", space, None, now.get(None, 0) - mid.get(None, 0), 0])
        for tier in range(len(prices["tiers"])):
            a, b, c = (x.get(tier, 0) for x in (was, mid, now))
            lines.append(
                ["usage", space, tier, c - b, price(prices, size, tier, c) - price(prices, size, tier, b)]
            )
            credits.append(
                ["credit", space, tier, a - b, price(prices, size, tier, b) - price(prices, size, tier, a)]
            )
    due = sum(line[4] for line in lines)
    most, least = prices["cap"], prices["minimum"]
    over = min(0, most - due) if most is not None else 0
    under = max(0, least - due) if least is not None else 0
    back = -sum(line[4] for line in credits)
    limit = max(0, back - charged_before)
    lines += [["cap", None, None, None, over], ["minimum", None, None, None, under], *credits]
    lines.append(["credit limit", None, None, None, limit])
    return {
        "lines": [line for line in lines if line[3] or line[4]],
        "charged": charged_before + due - prices["base"] + over - back + limit,
        "total": sum(line[4] for line in lines),
    }


def price_list(chance):
    percent = chance.random() < 0.4
    top = 100 if percent else 30
    ends = sorted(chance.sample(range(1, top), chance.randint(0, 3)))
    base = chance.choice([0, 5_000])
    least = chance.choice([None, 6_000])
    return {
        "format": "ternary-prices/1",
        "rounding": "down",
        "currency": chance.choice(["EUR", "JPY", "KWD"]),
        "exponent": 2,
        "unit": "percent" if percent else "operation",
        "base": base,
        "included": chance.choice([0, 1, 7]),
        "tiers": [
            {"up_to": end, "amount": chance.randint(0, 999), "per": chance.choice([1, 3, 100])}
            for end in [*ends, None]
        ],
        "minimum": least,
        "cap": chance.choice([None, 6_500, 20_000]),
    }


def cases():
    chance = random.Random(7)
    for _ in range(60):
        prices = price_list(chance)
        movements = []
        for space in sorted(chance.sample(sorted(SIZES), chance.randint(1, 2))):
            most = min(SIZES[space], 10 ** chance.randint(1, 13))
            before = chance.randint(0, most)
            credited = chance.choice([0, chance.randint(0, before)])
            movements.append([space, before, credited, chance.randint(0, most - before)])
        charged = chance.choice([0, 3_000, 10**9])
        case = {"prices": prices, "movements": movements, "charged_before": charged}
        yield case | bill(prices, movements, charged)


def text():
    return json.dumps(list(cases()), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
