import numpy as np
import pytest
from maintenance.worth.statistics import auc, paired

from ternary_trainer.ablation.pairing import holm
from ternary_trainer.ablation.students_t import quantile as t_quantile
from ternary_trainer.ablation.students_t import tails as t_tails


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (4, 2.776), (9, 2.262), (49, 2.0096)])
def test_student_quantiles_are_those_of_the_tables(freedom, quantile):
    assert t_quantile(0.05, freedom) == pytest.approx(quantile, abs=6e-4)
    assert t_tails(quantile, freedom) == pytest.approx(0.05, abs=1e-4)


def test_a_paired_difference_has_students_interval():
    found = paired([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)


def test_folds_that_share_training_rows_have_a_wider_interval():
    apart, sharing = paired([1.0, 2.0, 3.0, 4.0]), paired([1.0, 2.0, 3.0, 4.0], overlap=0.25)
    assert sharing.half == pytest.approx(apart.half * np.sqrt(2))


def test_equal_rows_differ_by_nothing():
    assert paired([0.0, 0.0]).p == 1.0


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_area_counts_ties_half():
    positive = np.array([True, False, True, False])
    assert auc([3.0, 2.0, 1.0, 0.0], positive) == 0.75
    assert auc([1.0, 1.0, 1.0, 1.0], positive) == 0.5
