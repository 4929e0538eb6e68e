"""Nearness by truth tables: against trying all operations of a space."""

import numpy as np
import pytest

from ternary_sdk._internal.logic import nearness
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

SMALL = [Space(2, 2), Space(3, 1), Space(2, 3), Space(5, 1)]


@pytest.mark.parametrize("space", [*SMALL, TERNARY_2], ids=str)
def test_nearest_operations_are_those_of_a_search_through_all(space):
    middle = space.size // 3
    distances = (space.tables != space.tables[middle]).sum(axis=1)
    order = [one for one in np.lexsort((np.arange(space.size), distances)) if one != middle]
    k = min(space.size - 1, 2000)
    found = nearness.nearest(middle, k, space)
    assert found.index.tolist() == order[:k]
    assert found.hamming.tolist() == distances[order[:k]].tolist()
    assert (found.of, found.compared, found.latent) == (middle, space.size - 1, None)


def test_nearest_operations_of_a_vast_space_differ_in_few_cells():
    space, middle = Space(3, 3), 123_456_789
    found = nearness.nearest(middle, 54 + 1404 + 10, space)
    assert found.hamming.tolist() == [1] * 54 + [2] * 1404 + [3] * 10
    assert len(set(found.index.tolist())) == 54 + 1404 + 10
    assert np.array_equal(nearness.hamming(middle, found.index, space), found.hamming)
    assert np.array_equal(nearness.within(middle, 2, space), np.sort(found.index[:-10]))


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (0, "k: 0, expected 1 to 19,682"),
        (19_683, "k: 19683, expected 1 to 19,682"),
        (True, "k: True, expected an integer"),
        (2.0, "k: 2.0, expected an integer"),
    ],
)
def test_number_of_neighbours_out_of_range_is_refused(k, message):
    with pytest.raises(InputError) as refusal:
        nearness.nearest(0, k)
    assert str(refusal.value) == message


def test_most_neighbours_of_a_vast_space_are_a_hundred_thousand():
    with pytest.raises(InputError) as refusal:
        nearness.nearest(0, 100_001, Space(4, 2))
    assert str(refusal.value) == "k: 100001, expected 1 to 100,000"


def test_an_operation_is_given_as_index_or_text():
    assert nearness.operation_of("MIN", TERNARY_2) == nearness.operation_of(15_633, TERNARY_2) == 15_633
    assert nearness.operation_of(np.int64(7), TERNARY_2) == 7


@pytest.mark.parametrize("given", [-1, 19_683, True, 1.0, None])
def test_what_is_not_an_operation_is_refused(given):
    with pytest.raises(InputError) as refusal:
        nearness.operation_of(given, TERNARY_2)
    assert str(refusal.value) == f"operation: {given!r}, expected 0 to 19682 or a text that stands for one"
