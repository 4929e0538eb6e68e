from fractions import Fraction
from math import comb

import numpy as np
import pytest

from ternary_sdk.coverage import (
    expected_coverage,
    headline_draws,
    iid_deviation,
    iid_limit,
    percent,
    perfect_percent,
    quoted_draws,
)
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

OPERATIONS = TERNARY_2.size


@pytest.mark.parametrize(("draws", "limit"), [(10_000, "39.83"), (50_000, "92.116"), (195_000, "99.995")])
def test_the_limit_is_what_the_domain_states(draws: int, limit: str) -> None:
    places = len(limit.partition(".")[2])
    assert f"{100 * iid_limit(draws):.{places}f}" == limit


def test_the_limit_is_exact() -> None:
    exact = 1 - Fraction(OPERATIONS - 1, OPERATIONS) ** 1000
    assert iid_limit(1000) == pytest.approx(float(exact), rel=1e-12)


def test_the_deviation_of_one_count_is_exact() -> None:
    draws = 1000
    missed = Fraction(OPERATIONS - 1, OPERATIONS) ** draws
    both = Fraction(OPERATIONS - 2, OPERATIONS) ** draws
    variance = OPERATIONS * missed + OPERATIONS * (OPERATIONS - 1) * both - (OPERATIONS * missed) ** 2
    assert iid_deviation(draws) == pytest.approx(float(variance) ** 0.5 / OPERATIONS, rel=1e-9)


def test_counts_of_perfect_draws_deviate_as_stated() -> None:
    rng = np.random.default_rng(1)
    shares = [len(np.unique(rng.integers(0, OPERATIONS, 50_000))) / OPERATIONS for _ in range(300)]
    assert np.std(shares) == pytest.approx(iid_deviation(50_000), rel=0.15)
    assert np.mean(shares) == pytest.approx(iid_limit(50_000), abs=4 * iid_deviation(50_000) / 300**0.5)


def test_no_or_one_draw_has_no_deviation() -> None:
    assert iid_deviation(0) == 0
    assert iid_deviation(1) == pytest.approx(0, abs=1e-9)


def test_a_share_is_rounded_down_and_perfect_draws_to_the_nearest() -> None:
    assert percent(0.919999) == "91.99"
    assert percent(1.0) == "100.00"
    assert [percent(share / 1000) for share in (570, 290, 918)] == ["57.00", "29.00", "91.80"]
    assert perfect_percent(50_000) == "92.116 ± 0.170"


def test_rarefaction_is_the_exact_expectation_of_a_subsample() -> None:
    counts = np.zeros(OPERATIONS, dtype=np.int64)
    counts[:4] = [3, 1, 2, 4]
    total, draws = 10, 4
    exact = sum(1 - Fraction(comb(total - c, draws), comb(total, draws)) for c in (3, 1, 2, 4)) / OPERATIONS
    assert expected_coverage(counts, draws) == pytest.approx(float(exact), rel=1e-12)


def test_rarefaction_of_everything_is_the_share_that_was_drawn() -> None:
    counts = np.zeros(OPERATIONS, dtype=np.int64)
    counts[:100] = 7
    assert expected_coverage(counts, 700) == pytest.approx(100 / OPERATIONS, rel=1e-12)


def test_rarefaction_of_a_uniform_sampler_meets_the_limit_where_the_plug_in_falls_short() -> None:
    counts = np.random.default_rng(11).multinomial(2_000_000, np.full(OPERATIONS, 1 / OPERATIONS))
    plug_in = float(np.mean(1 - (1 - counts / counts.sum()) ** 50_000))
    assert expected_coverage(counts, 50_000) == pytest.approx(iid_limit(50_000), abs=3e-4)
    assert plug_in < iid_limit(50_000) - 2e-3


def test_more_draws_than_were_counted_are_refused() -> None:
    with pytest.raises(InputError, match=r"^draws: 5, expected 0 to the 4 that were counted$"):
        expected_coverage(np.eye(1, OPERATIONS, dtype=np.int64)[0] * 4, 5)


def test_a_negative_number_of_draws_is_refused() -> None:
    with pytest.raises(InputError, match=r"^draws: -1, expected 0 or more$"):
        iid_limit(-1)


@pytest.mark.parametrize(
    ("space", "draws"),
    [
        (TERNARY_2, (10_000, 50_000, 195_000)),
        (Space(2, 1), (2, 10, 40)),
        (Space(3, 1), (14, 69, 268)),
        (Space(2, 3), (128, 650, 2537)),
        (Space(5, 1), (1563, 7938, 30_969)),
        (Space(2, 4), (32_768, 166_461, 649_462)),
        (Space(7, 1), (411_772, 2_091_799, 8_161_311)),
    ],
)
def test_draws_are_quoted_at_half_two_and_a_half_and_ten_times_the_space(
    space: Space, draws: tuple[int, int, int]
) -> None:
    assert quoted_draws(space) == draws
    assert headline_draws(space) == draws[1]


def test_perfect_draws_of_a_small_space_are_counted_exactly() -> None:
    """All 4^3 ways of drawing three times from the four operations of one Boolean input."""
    space = Space(2, 1)
    found = [len({a, b, c}) / 4 for a in range(4) for b in range(4) for c in range(4)]
    assert iid_limit(3, space) == pytest.approx(np.mean(found), rel=1e-12)
    assert iid_deviation(3, space) == pytest.approx(np.std(found), rel=1e-9)
    assert perfect_percent(3, space) == f"{100 * np.mean(found):.3f} ± {100 * np.std(found):.3f}"
