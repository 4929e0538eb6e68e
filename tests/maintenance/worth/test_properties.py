import numpy as np
import pytest
from maintenance.worth.properties import properties

from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2
from ternary_trainer.families import members

HELD = properties(TERNARY_2.tables)


def test_properties_have_the_counts_that_are_published():
    assert {name: int(mask.sum()) for name, mask in HELD.items()} == {
        "commutative": 729,
        "balanced": 1680,
        "monotone": 175,
        "associative": 113,
        "surjective": 18150,
        "essentially unary": 51,
        "self-dual": 81,
        "idempotent": 729,
    }


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("MIN", {"commutative", "monotone", "associative", "surjective", "idempotent"}),
        ("SUM", {"commutative", "balanced", "associative", "surjective", "self-dual"}),
        ("MUL", {"commutative", "associative", "surjective"}),
        ("ANY", {"commutative", "balanced", "monotone", "surjective", "self-dual", "idempotent"}),
    ],
)
def test_named_operations_have_exactly_these_properties(name, held):
    assert {key for key, mask in HELD.items() if mask[NAMES[name]]} == held


def test_the_first_input_alone_is_essentially_unary():
    first = TERNARY_2.to_index([[-1, -1, -1, 0, 0, 0, 1, 1, 1]])[0]
    assert HELD["essentially unary"][first]
    assert HELD["associative"][first]


def test_families_of_the_trainer_are_the_same_sets():
    for family in ("commutative", "self-dual", "monotone", "idempotent", "balanced"):
        assert np.array_equal(HELD[family], members(family).mask)
    assert np.array_equal(~HELD["surjective"], members("non-surjective").mask)
