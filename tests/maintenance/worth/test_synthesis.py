"""Costs of circuits that are known. Tests that run Berkeley ABC skip where it is missing, but not in CI."""

import os

import numpy as np
import pytest
from maintenance.worth.synthesis import INSTALL, Cached, costs, program, truth_tables

from ternary_sdk.errors import TernaryError
from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2, Space

BITS = {-1: (0, 1), 0: (1, 1), 1: (1, 0)}


@pytest.fixture
def abc():
    if program() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)


def test_without_abc_costs_are_refused(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TernaryError) as refusal:
        costs(TERNARY_2.tables[:1], TERNARY_2)
    assert str(refusal.value) == (
        "Berkeley ABC is not installed; 'apt-get install berkeley-abc' enables the costs"
    )


def test_truth_tables_say_what_the_operation_says_for_every_code():
    index = NAMES["MIN"]
    ((first, second),) = truth_tables(TERNARY_2.tables[[index]], TERNARY_2)
    for line in range(16):
        a1, a0, b1, b0 = (line >> place & 1 for place in (3, 2, 1, 0))
        result = min(a1 - a0, b1 - b0)
        found = int(first, 16) >> line & 1, int(second, 16) >> line & 1
        assert found == BITS[result]


def test_the_first_of_three_inputs_has_the_highest_bits():
    space = Space(3, 3)
    table = np.repeat(np.array([-1, 0, 1], np.int8), 9)[None]
    ((first, _),) = truth_tables(table, space)
    for line in range(64):
        value = (line >> 5 & 1) - (line >> 4 & 1)
        assert int(first, 16) >> line & 1 == BITS[value][0]


def test_constants_cost_nothing(abc):
    assert costs(TERNARY_2.tables[[0, 9841, 19682]], TERNARY_2).tolist() == [0, 0, 0]


def test_asking_whether_the_first_input_is_minus_costs_one_node(abc):
    # Minus is the code 01, so the question is one AND; the result's bits are its answer and the complement.
    assert costs(np.array([[-1, -1, -1, 1, 1, 1, 1, 1, 1]], np.int8), TERNARY_2).tolist() == [1]


def test_costs_do_not_depend_on_what_is_priced_beside(abc):
    names = [NAMES[name] for name in ("MIN", "MAX", "SUM")]
    together = costs(TERNARY_2.tables[names], TERNARY_2).tolist()
    alone = [int(costs(TERNARY_2.tables[[index]], TERNARY_2)[0]) for index in names]
    assert together == alone
    assert together[2] > together[0] > 0


def test_no_operations_have_no_costs(abc):
    assert costs(TERNARY_2.tables[:0], TERNARY_2).tolist() == []


def test_kept_costs_are_not_computed_again(abc, tmp_path, monkeypatch):
    first = Cached(tmp_path / "costs.npz", TERNARY_2)
    found = first([9841, NAMES["MIN"], 9841]).tolist()
    first.keep()
    monkeypatch.setenv("PATH", "")  # now nothing can be computed
    again = Cached(tmp_path / "costs.npz", TERNARY_2)
    assert again([9841, NAMES["MIN"], 9841]).tolist() == found
    assert again.missing([5, 9841, 5]) == [5]
