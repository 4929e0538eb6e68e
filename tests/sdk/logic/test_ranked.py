"""Sets by rank: what they take, and how sets are made of others."""

import numpy as np
import pytest

from ternary_sdk._internal.logic.ranked import Counted, InParts, Listed, Product
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

THREE = Listed(TERNARY_2, np.array([4, 7, 9], np.int32))
NONE = Listed(TERNARY_2, np.array([], np.int32))
SIX = Product(TERNARY_2, [np.array([0, 100, 200]), np.array([0, 10])])


@pytest.mark.parametrize(
    ("operations", "ranks", "message"),
    [
        (THREE, [[0]], "ranks: shape is (1, 1), expected (n,)"),
        (THREE, 0, "ranks: shape is (), expected (n,)"),
        (THREE, [0.0], "ranks: dtype is float64, expected integers"),
        (THREE, [True], "ranks: dtype is bool, expected integers"),
        (THREE, ["0"], "ranks: dtype is <U1, expected integers"),
        (THREE, [0, 3, 4], "ranks: entry 1 is 3, expected 0 to 2"),
        (SIX, [-1], "ranks: entry 0 is -1, expected 0 to 5"),
        (SIX, np.array([2**64 - 1], np.uint64), f"ranks: entry 0 is {2**64 - 1}, expected 0 to 5"),
        (NONE, [0], "ranks: entry 0 is 0, expected none: the set is empty"),
    ],
)
def test_a_rank_that_no_member_has_is_refused(operations: Counted, ranks: object, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        operations.unrank(ranks)
    assert str(refusal.value) == message


def test_ranks_may_come_in_any_order_and_repeat() -> None:
    assert THREE.unrank([2, 0, 2]).tolist() == [9, 4, 9]
    assert THREE.unrank(np.array([1], np.uint8)).tolist() == [7]
    assert THREE.unrank([]).tolist() == []
    assert THREE.unrank([1]).dtype == np.int32


def test_a_product_ascends_from_its_first_decision_on() -> None:
    assert SIX.size == 6
    assert SIX.unrank(np.arange(6)).tolist() == [0, 10, 100, 110, 200, 210]


def test_a_product_is_exact_beyond_the_numbers_that_floats_hold() -> None:
    space = Space(5, 2)
    whole = Product(space, [np.arange(5) * place for place in space.places[::-1].tolist()])
    assert whole.size == 5**25
    assert whole.unrank([5**25 - 1, 2**53 + 1]).tolist() == [5**25 - 1, 2**53 + 1]


def test_parts_follow_each_other_and_empty_ones_have_no_rank() -> None:
    parts = InParts(TERNARY_2, [NONE, THREE, NONE, SIX])
    assert parts.size == 9
    assert parts.unrank(np.arange(9)[::-1]).tolist() == [210, 200, 110, 100, 10, 0, 9, 7, 4]


def test_more_ranks_than_are_worked_on_at_a_time_are_all_answered() -> None:
    ranks = np.arange(100_000) % 3
    assert (THREE.unrank(ranks) == np.array([4, 7, 9])[ranks]).all()
