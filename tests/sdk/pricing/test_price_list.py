"""Price lists are read strictly and written as they were read."""

import pytest

from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk.errors import FormatError, InputError

STATED = {
    "format": "ternary-prices/1",
    "rounding": "down",
    "currency": "EUR",
    "exponent": 2,
    "unit": "operation",
    "base": 5_000,
    "included": 100,
    "tiers": [{"up_to": 1_000, "amount": 5, "per": 1}, {"up_to": None, "amount": 150, "per": 100}],
    "minimum": 6_000,
    "cap": 90_000,
}


def test_list_is_written_as_it_was_read():
    prices = PriceList.read(STATED)
    assert prices.to_json() == STATED
    assert prices.words() == (
        "EUR 50.00 a month; 100 operations included; EUR 0.05 per operation up to 1,000 operations; "
        "EUR 1.50 per 100 operations after 1,000 operations; at least 60.00 a month; at most 900.00 a month"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"currency": "euro"}, "price list.currency: 'euro', expected text of the form [A-Z]{3}"),
        ({"base": "50"}, "price list.base: '50', expected an integer from 0 to 1000000000000"),
        ({"base": -1}, "price list.base: -1, expected an integer from 0 to 1000000000000"),
        ({"rounding": "half-even"}, "price list.rounding: 'half-even', expected 'down'"),
        ({"unit": "percent", "included": 101}, "price list.included: 101, expected an integer from 0 to 100"),
        ({"tiers": []}, "price list.tiers: 0 entries, expected 1 to 32"),
        (
            {"tiers": [{"up_to": 10, "amount": 1, "per": 1}]},
            "price list.tiers: the last one ends at 10, expected no end: no up_to in TOML, or null",
        ),
        (
            {"tiers": [{"up_to": 9, "amount": 1, "per": 1}] * 2 + STATED["tiers"][1:]},
            "price list.tiers[1].up_to: 9, expected more than 9",
        ),
        (
            {"tiers": STATED["tiers"][1:] * 2},
            "price list.tiers[0].up_to: null, expected more than 0",
        ),
        (
            {"tiers": [{"up_to": None, "amount": 1, "per": 0}]},
            "price list.tiers[0].per: 0, expected an integer from 1 to 9007199254740991",
        ),
        ({"cap": 5_999}, "price list.cap: 5999, expected at least the base fee and the minimum"),
        ({"discount": 1}, "price list: unknown member 'discount'"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_list_that_says_something_else_is_refused(changes, sentence):
    with pytest.raises(FormatError) as caught:
        PriceList.read(STATED | changes)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("exponent", "minor", "text"),
    [(2, 1205, "12.05"), (2, -5, "-0.05"), (0, 1205, "1205"), (3, 1, "0.001"), (2, 0, "0.00")],
)
def test_money_is_written_with_the_decimals_of_its_currency(exponent, minor, text):
    assert PriceList.read(STATED | {"exponent": exponent}).money(minor) == text


def test_months_follow_each_other_over_the_year():
    assert [str(Month(2026, 12).next), str(Month(2026, 1).before)] == ["2027-01", "2025-12"]
    assert Month(2026, 2).end == Month(2026, 3).start


@pytest.mark.parametrize("text", ["2026-13", "2026-3", "1969-01", "9999-01", "March"])
def test_text_that_is_no_month_is_refused(text):
    with pytest.raises(InputError) as caught:
        Month.parse(text)
    assert str(caught.value) == f"month: {text!r}, expected one such as 2026-03"
