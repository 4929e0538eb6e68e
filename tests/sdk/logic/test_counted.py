"""Sets of operations that are counted, and their members by rank."""

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import commutative, constant, counted, latin
from ternary_sdk.space import TERNARY_2, Space


@pytest.mark.parametrize("space", [Space(2, 2), Space(2, 3), TERNARY_2], ids=str)
def test_ranks_of_a_listed_set_give_its_members_in_ascending_order(space):
    found = counted(space, commutative)
    members = found.unrank(np.arange(found.size))
    assert members.tolist() == np.flatnonzero(commutative.holds(space.tables, space)).tolist()
    assert members.dtype == space.index_type
    assert found.space == space


def test_without_a_condition_the_rank_is_the_index():
    space = Space(3, 3)
    whole = counted(space)
    assert whole.size == 3**27
    assert whole.unrank([0, 5, 3**27 - 1]).tolist() == [0, 5, 3**27 - 1]


def test_a_set_may_be_empty():
    nothing = counted(TERNARY_2, constant & latin)
    assert nothing.size == 0
    assert nothing.unrank([]).tolist() == []


@pytest.mark.parametrize(
    ("ranks", "sentence"),
    [
        ([[0]], "ranks: shape is (1, 1), expected (n,)"),
        ([0.5], "ranks: dtype is float64, expected integers"),
        ([0, 3], "ranks: entry 1 is 3, expected 0 to 2"),
        ([-1], "ranks: entry 0 is -1, expected 0 to 2"),
    ],
)
def test_a_rank_out_of_range_is_refused(ranks, sentence):
    with pytest.raises(InputError) as caught:
        counted(TERNARY_2, constant).unrank(ranks)
    assert str(caught.value) == sentence


def test_a_rank_in_an_empty_set_is_refused():
    with pytest.raises(InputError) as caught:
        counted(TERNARY_2, constant & latin).unrank([0])
    assert str(caught.value) == "ranks: entry 0 is 0, expected none: the set is empty"
