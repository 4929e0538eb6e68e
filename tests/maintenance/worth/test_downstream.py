import numpy as np
import pytest
from maintenance.worth.downstream import splits
from maintenance.worth.predictors import Targets, linear, network
from maintenance.worth.statistics import auc

from ternary_sdk.space import TERNARY_2


def test_no_split_tests_what_it_learned_from():
    found = list(splits())
    assert [split.regime for split in found] == ["a tenth"] * 6 + ["four fifths"] * 5 + ["families"] * 7
    for split in found:
        assert not np.intersect1d(split.train, split.test).size
        assert len(split.train) + len(split.test) == TERNARY_2.size


def test_the_tenths_share_no_operation():
    tenths = [split.train for split in splits() if split.regime == "a tenth"]
    assert len(np.unique(np.concatenate(tenths))) == sum(map(len, tenths))


@pytest.mark.parametrize("predictor", [linear, lambda *given: network(*given, steps=150)])
def test_predictors_find_what_is_linear(predictor):
    random = np.random.default_rng(0)
    rows = random.normal(size=(600, 4))
    value = rows @ [1.0, -1.0, 0.5, 0.0]
    known = Targets(np.stack([value > 0, value / value.std()], axis=1).astype(float), np.array([True, False]))
    found = predictor(rows[:400], Targets(known.values[:400], known.binary), rows[400:], 1)
    assert auc(found[:, 0], value[400:] > 0) > 0.97
    assert np.square(found[:, 1] - known.values[400:, 1]).mean() < 0.05


def test_only_the_network_finds_a_product():
    random = np.random.default_rng(0)
    rows = random.normal(size=(1200, 2))
    positive = rows[:, 0] * rows[:, 1] > 0
    known = Targets(positive[:800, None].astype(float), np.array([True]))
    given = rows[:800], known, rows[800:], 1
    areas = [auc(found[:, 0], positive[800:]) for found in (linear(*given), network(*given, 200))]
    assert areas[0] < 0.65
    assert areas[1] > 0.95
