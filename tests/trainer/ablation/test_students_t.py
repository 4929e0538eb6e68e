"""Golden values of SciPy, the same by 1.17.1: stats.t and stats.nct."""

import pytest

from ternary_trainer.ablation import students_t


@pytest.mark.parametrize(
    ("t", "freedom", "expected"),
    [
        (2.0, 1, 0.295167235301),
        (2.0, 2, 0.183503419072),
        (6.0, 3, 0.009272714892),
        (40.0, 4, 2.334016e-06),
        (0.5, 5, 0.638298871641),
        (6.0, 7, 0.000542258342),
        (2.0, 15, 0.063945007285),
        (0.0, 3, 1.0),
    ],
)
def test_tails_are_those_of_the_distribution(t: float, freedom: int, expected: float) -> None:
    assert students_t.tails(t, freedom) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("alpha", "freedom", "expected"),
    [
        (0.05, 1, 12.706204736),
        (0.05, 2, 4.30265273),
        (0.05, 7, 2.364624252),
        (0.05 / 32, 2, 25.26856527),
        (0.05 / 32, 15, 3.85356677),
    ],
)
def test_a_quantile_leaves_its_share_in_both_tails(alpha: float, freedom: int, expected: float) -> None:
    assert students_t.quantile(alpha, freedom) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("alpha", "freedom", "expected"),
    [
        (0.05, 2, 5.653489),
        (0.05, 4, 3.76106),
        (0.05, 7, 3.269762),
        (0.05 / 8, 2, 16.040917),
        (0.05 / 8, 7, 4.910632),
    ],
)
def test_the_effect_shown_four_times_of_five_is_that_of_the_noncentral_distribution(
    alpha: float, freedom: int, expected: float
) -> None:
    assert students_t.shown_effect(alpha, 0.8, freedom) == pytest.approx(expected, rel=1e-5)
