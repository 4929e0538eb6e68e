"""What a month costs, compared with amounts that other code computed with exact fractions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.vectors import prices as vectors

from ternary_sdk._internal.pricing.amount import Kind, Movement, amount
from ternary_sdk._internal.pricing.price_list import PriceList, Tier, Unit
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

CASES = json.loads(Path(vectors.__file__).with_name("prices.json").read_text())
PRICES = PriceList(
    currency="EUR",
    exponent=2,
    unit=Unit.OPERATION,
    base=1_000,
    included=0,
    tiers=(Tier(up_to=None, amount=10, per=3),),
    minimum=None,
    cap=None,
)


def moved(before, credited, new, space=TERNARY_2):
    return Movement(space=space, before=before, credited=credited, new=new)


def test_vectors_are_what_their_own_program_writes():
    assert Path(vectors.__file__).with_name("prices.json").read_text() == vectors.text()


@pytest.mark.parametrize("case", CASES)
def test_amount_is_the_vectors(case):
    movements = [moved(*numbers, space=Space.parse(space)) for space, *numbers in case["movements"]]
    prices = PriceList.read(case["prices"])
    found = amount(prices, movements, charged_before=case["charged_before"])
    assert [list(line.to_json().values()) for line in found.lines] == case["lines"]
    assert (found.charged, found.total) == (case["charged"], case["total"])


def test_portions_add_up_to_the_price_of_the_whole():
    prices = replace(PRICES, base=0)
    portions = [amount(prices, [moved(before, 0, 1)]).total for before in range(100)]
    assert sum(portions) == amount(prices, [moved(0, 0, 100)]).total == 333
    assert set(portions) == {3, 4}


def test_credit_gives_back_what_a_debit_took():
    bought = amount(PRICES, [moved(0, 0, 100)])
    back = amount(PRICES, [moved(100, 100, 0)], charged_before=bought.charged)
    assert (bought.total, back.total, back.charged) == (1_333, 1_000 - 333, 0)


def test_credit_is_at_most_what_was_charged_under_a_cap():
    prices = replace(PRICES, cap=1_100)
    bought = amount(prices, [moved(0, 0, 90)])
    back = amount(prices, [moved(90, 90, 0)], charged_before=bought.charged)
    assert (bought.total, bought.charged) == (1_100, 100)
    assert [(line.kind, line.amount) for line in back.lines] == [
        (Kind.BASE, 1_000), (Kind.CREDIT, -300), (Kind.CREDIT_LIMIT, 200),
    ]  # fmt: skip
    assert (back.total, back.charged) == (900, 0)


def test_minimum_does_not_swallow_a_credit():
    prices = replace(PRICES, base=0, minimum=500)
    assert amount(prices, [moved(90, 90, 0)], charged_before=300).total == 500 - 300


def test_more_taken_back_than_billed_is_refused():
    with pytest.raises(InputError, match=r"^amount: 3 operations taken back, 2 were billed$"):
        amount(PRICES, [moved(2, 3, 0)])


def test_amount_beyond_exact_integers_is_refused():
    dear, vast = replace(PRICES, tiers=(Tier(up_to=None, amount=10**12, per=1),)), Space(3, 3)
    with pytest.raises(InputError, match=r"^amount: [0-9,]+ minor units, expected at most 2\^53 - 1$"):
        amount(dear, [moved(0, 0, vast.size, vast)])
