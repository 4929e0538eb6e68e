"""Monotone operations, counted and by rank."""

from itertools import product
from math import comb, prod

import numpy as np
import pytest

from ternary_sdk._internal.logic.monotone import monotone
from ternary_sdk.space import Space

DEDEKIND = {1: 3, 2: 6, 3: 20, 4: 168, 5: 7_581}


@pytest.mark.parametrize("inputs", DEDEKIND)
def test_boolean_ones_are_as_many_as_dedekind_says(inputs: int) -> None:
    assert monotone(Space(2, inputs)).size == DEDEKIND[inputs]


@pytest.mark.parametrize("radix", [2, 3, 4, 5])
def test_those_of_two_inputs_are_the_plane_partitions_in_a_box(radix: int) -> None:
    """MacMahon's formula for a box of radix × radix × (radix - 1)."""
    box = list(product(range(radix), range(radix), range(radix - 1)))
    plane_partitions = prod(sum(corner) + 2 for corner in box) // prod(sum(corner) + 1 for corner in box)
    assert monotone(Space(radix, 2)).size == plane_partitions


def test_sizes_are_those_of_the_literature() -> None:
    assert monotone(Space(3, 2)).size == 175
    assert monotone(Space(4, 2)).size == 24_696
    assert monotone(Space(5, 2)).size == 16_818_516


def test_those_of_three_ternary_inputs_are_pairs_of_up_sets_of_which_one_holds_the_other() -> None:
    """Where f is at least 0, and where it is 1; an up-set is a plane partition of heights 0 to 3."""
    heights = np.array(list(product(range(4), repeat=9))).reshape(-1, 3, 3)
    rising = (np.diff(heights, axis=1) >= 0).all(axis=(1, 2)) & (np.diff(heights, axis=2) >= 0).all(
        axis=(1, 2)
    )
    up_sets = heights[rising].reshape(-1, 9)
    nested = sum(int((up_sets <= larger).all(axis=1).sum()) for larger in up_sets)
    assert len(up_sets) == 980
    assert monotone(Space(3, 3)).size == nested == 211_250


@pytest.mark.parametrize("radix", [5, 8, 15])
def test_those_of_one_input_are_rising_sequences(radix: int) -> None:
    assert monotone(Space(radix, 1)).size == comb(2 * radix - 1, radix)


@pytest.mark.parametrize("space", [Space(3, 3), Space(4, 2), Space(2, 5)], ids=str)
def test_all_members_are_monotone_and_ascend(space: Space) -> None:
    operations = monotone(space)
    indices = operations.unrank(np.arange(operations.size))
    cubes = space.from_index(indices).reshape(-1, *(space.radix,) * space.inputs)
    assert (np.diff(indices) > 0).all()
    assert all((np.diff(cubes, axis=axis) >= 0).all() for axis in range(1, space.inputs + 1))
