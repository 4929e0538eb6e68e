"""Intervals hold what they promise, against cases that can be worked out by hand or simulated."""

import numpy as np
import pytest

from ternary_sdk.coverage import expected_coverage, iid_limit
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2
from ternary_trainer.validation import intervals


def test_a_share_of_everything_is_no_surer_than_its_trials():
    low, high = intervals.share(1969, 1969)
    assert low == pytest.approx(1969 / (1969 + 1.959964**2))
    assert high == 1.0
    assert intervals.share(0, 100)[0] == 0.0


def test_a_share_covers_the_truth_about_19_times_in_20():
    random = np.random.default_rng(1)
    hits = [
        low <= 0.9 <= high
        for low, high in (intervals.share(int(n), 200) for n in random.binomial(200, 0.9, 1000))
    ]
    assert 0.92 <= np.mean(hits) <= 0.98


def test_a_mean_of_three_uses_students_t():
    low, high = intervals.mean([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5))


def test_a_jackknife_of_perfect_draws_holds_the_limit():
    random = np.random.default_rng(2)
    batches = np.array(
        [np.bincount(random.integers(0, TERNARY_2.size, 16_384), minlength=TERNARY_2.size) for _ in range(16)]
    )
    low, high = intervals.jackknife(batches, lambda counts: expected_coverage(counts, 50_000))
    assert low <= iid_limit(50_000) <= high
    assert high - low < 0.004


def test_a_bootstrap_of_a_variance_holds_the_truth():
    values = np.random.default_rng(3).normal(size=5000)
    rows = np.stack([values, values**2], axis=1)
    low, high = intervals.bootstrap(rows, lambda means: means[:, 1] - means[:, 0] ** 2)
    assert low < 1 < high


@pytest.mark.parametrize("values", [[], [1.0], [0.0] * 11])
def test_a_mean_of_too_few_or_too_many_is_refused(values):
    with pytest.raises(InputError) as refused:
        intervals.mean(values)
    assert str(refused.value) == f"mean: {len(values)} values, expected 2 to 10"


def test_a_share_of_nothing_is_refused():
    with pytest.raises(InputError) as refused:
        intervals.share(0, 0)
    assert str(refused.value) == "share: 0 of 0, expected a part of at least one trial"
