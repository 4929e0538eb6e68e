"""How many different operations draws give: what is certified, what bounds it, and perfect draws."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from tests.builds import built
from tests.networks import untrained_of

from ternary_sdk._internal.pricing.forecast import Basis, draws_to, forecast, occupancy, perfect
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk._internal.pricing.steps import steps
from ternary_sdk.coverage import iid_deviation, iid_limit
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space


@pytest.fixture(scope="module")
def vast():
    signature = Signature(Space(4, 2), 16, ("A",))
    (path,) = built(signature, untrained_of(signature), draws=10_000, operations=100).certificate.paths
    return path


@pytest.mark.parametrize("draws", [0, -1, (1 << 40) + 1])
def test_draws_out_of_range_are_refused(build, draws):
    with pytest.raises(InputError) as refused:
        forecast(build.certificate.paths[0], draws)
    assert str(refused.value) == f"draws: {draws}, expected 1 to 1099511627776"


@pytest.mark.parametrize("share", [Decimal(-1) / 100, Decimal(1)])
def test_a_share_that_no_draws_reach_is_refused(share):
    with pytest.raises(InputError) as refused:
        draws_to(TERNARY_2, share)
    assert str(refused.value) == f"share: {share}, expected at least 0 and less than 1"


@pytest.mark.parametrize(("faces", "throws"), [(2, 3), (3, 4), (6, 5), (4, 1)])
def test_mean_and_deviation_are_those_of_every_outcome(faces, throws):
    shown = [len(set(outcome)) for outcome in product(range(faces), repeat=throws)]
    mean = sum(shown) / len(shown)
    variance = sum((number - mean) ** 2 for number in shown) / len(shown)
    found = occupancy(faces, throws)
    assert float(found[0]) == pytest.approx(mean, abs=1e-12)
    assert float(found[1]) == pytest.approx(variance**0.5, abs=1e-12)


@pytest.mark.parametrize("draws", [10_000, 50_000, 195_000])
def test_perfect_draws_are_those_that_coverage_is_quoted_beside(draws):
    mean, deviation = occupancy(TERNARY_2.size, draws)
    assert float(mean) == pytest.approx(TERNARY_2.size * iid_limit(draws), rel=1e-12)
    assert float(deviation) == pytest.approx(TERNARY_2.size * iid_deviation(draws), rel=1e-6)


def test_the_range_of_few_draws_of_a_vast_space_does_not_cancel():
    found = perfect(Space(3, 3), 10_000_000)
    assert (found.operations, found.low, found.high) == (9_999_993, 9_999_988, 9_999_999)


def test_a_certified_number_of_draws_has_the_certified_count(build):
    path = build.certificate.paths[0]
    first, mean = forecast(path, 50_000)
    assert (first.basis, first.operations) == (Basis.CERTIFIED, path.prior[1].operations)
    assert (mean.basis, mean.operations) == (Basis.PERFECT, 18_131)


def test_other_numbers_of_draws_lie_between_what_is_certified(build):
    path = build.certificate.paths[0]
    few, some, many = (prior.operations for prior in path.prior)
    for draws, least, most in (
        (100, 100 * few // 10_000, min(100, few)),
        (20_000, few, some),
        (60_000, some, many),
        (10**9, many, len(path.reachable.operations)),
    ):
        at_least, at_most, _ = forecast(path, draws)
        assert (at_least.basis, at_most.basis) == (Basis.AT_LEAST, Basis.AT_MOST)
        assert (at_least.operations, at_most.operations) == (least, most)


def test_a_vast_space_is_bounded_by_the_certified_repeats(vast):
    evenness = replace(vast.evenness, near_ties=0, distinct=9_990, once=9_980, twice=10, pairs=10)
    path = replace(vast, evenness=evenness)
    repeats = Decimal(evenness.repeats_at_most)
    clear = 1 - Decimal(evenness.near_tie_share_at_most)
    at_least, at_most, _ = forecast(path, 1_000)
    assert at_least.operations == int(1_000 * clear * (1 - repeats / 10_000))
    assert at_most.operations == 1_000
    beyond, *_ = forecast(path, 1_000_000)
    assert beyond.operations == int(10_000 - repeats)
    assert beyond.why.endswith("; nothing is certified of more than 10,000 clear draws")


def test_each_percent_costs_what_its_operations_cost_and_they_add_up():
    prices = PriceList.read(
        {
            "format": "ternary-prices/1", "rounding": "down", "currency": "EUR", "exponent": 2,
            "unit": "operation", "base": 500, "included": 0, "minimum": None, "cap": None,
            "tiers": [{"up_to": None, "amount": 10, "per": 1}],
        }
    )  # fmt: skip
    ladder = steps(prices, TERNARY_2)
    assert [step.percent for step in ladder] == list(range(99))
    assert (ladder[0].cost, ladder[0].draws) == (1960, 198)
    assert ladder[-1].total == sum(step.cost for step in ladder) == 10 * (19_683 * 99 // 100)
    assert sum(step.draws for step in ladder) == draws_to(TERNARY_2, Decimal(99) / 100)
