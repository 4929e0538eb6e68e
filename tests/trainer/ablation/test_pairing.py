import math

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_trainer.ablation.pairing import holm, paired


def test_a_paired_difference_has_students_interval() -> None:
    found = paired([1.0, 2.0, 3.0])
    half = 4.30265273 / math.sqrt(3)
    assert (found.mean, found.low, found.high) == (2.0, pytest.approx(2 - half), pytest.approx(2 + half))
    assert found.p == pytest.approx(0.0741799, abs=1e-7)
    assert found.least == pytest.approx(5.653489 / math.sqrt(3), rel=1e-5)


def test_more_options_ask_for_a_larger_difference_and_leave_the_interval() -> None:
    one, eight = paired([1.0, 2.0, 3.0]), paired([1.0, 2.0, 3.0], options=8)
    assert (one.low, one.high, one.p) == (eight.low, eight.high, eight.p)
    assert eight.least == pytest.approx(16.040917 / math.sqrt(3), rel=1e-5)


def test_equal_figures_differ_by_nothing() -> None:
    found = paired([0.0, 0.0, 0.0])
    assert (found.mean, found.low, found.high, found.p, found.least) == (0.0, 0.0, 0.0, 1.0, None)


def test_differences_without_a_spread_are_tested_by_nothing() -> None:
    found = paired([0.5, 0.5, 0.5])
    assert (found.mean, found.low, found.high, found.p, found.least) == (0.5, 0.5, 0.5, 1.0, None)


def test_the_least_difference_is_shown_four_times_of_five() -> None:
    random = np.random.default_rng(7)
    least = paired([-1.0, 0.0, 1.0]).least  # a spread of 1
    assert least is not None
    trials = least + random.standard_normal((120, 3))
    shown = np.mean([paired(trial.tolist()).low > 0 for trial in trials])
    assert 0.69 < shown < 0.91  # three deviations


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.7, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_one_difference_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        paired([1.0])
    assert str(refused.value) == "paired: 1 differences and 1 options, expected at least 2 and 1"
