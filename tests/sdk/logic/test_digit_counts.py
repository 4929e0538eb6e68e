"""Balanced and surjective operations, counted and by rank."""

from math import comb, factorial

import numpy as np
import pytest

from ternary_sdk._internal.logic import tied_properties
from ternary_sdk._internal.logic.digit_counts import balanced, surjective
from ternary_sdk._internal.logic.ties import Ties, tied
from ternary_sdk.space import Space

VAST = [Space(3, 3), Space(4, 2), Space(2, 5), Space(5, 2), Space(8, 1), Space(15, 1)]


@pytest.mark.parametrize("space", VAST, ids=str)
def test_balanced_operations_are_as_many_as_the_multinomial_coefficient(space: Space) -> None:
    each = space.cells // space.radix
    assert balanced(Ties.none(space)).size == factorial(space.cells) // factorial(each) ** space.radix


def test_sizes_are_those_of_the_literature() -> None:
    assert balanced(Ties.none(Space(3, 3))).size == 227_873_431_500
    assert balanced(Ties.none(Space(4, 2))).size == 63_063_000


@pytest.mark.parametrize("space", VAST[:-1], ids=str)
def test_surjective_operations_are_as_many_as_inclusion_and_exclusion_give(space: Space) -> None:
    radix, cells = space.radix, space.cells
    expected = sum(
        (-1) ** missing * comb(radix, missing) * (radix - missing) ** cells for missing in range(radix)
    )
    assert surjective(Ties.none(space)).size == expected


@pytest.mark.parametrize("space", VAST, ids=str)
def test_members_of_random_ranks_are_balanced_and_ascend(space: Space) -> None:
    operations = balanced(Ties.none(space))
    ranks = np.unique(np.random.default_rng(1).integers(0, operations.size, 2_000))
    indices = operations.unrank(ranks)
    digits = space.from_index(indices) - space.lowest
    assert (np.diff(indices) > 0).all()
    assert all(
        (np.count_nonzero(digits == d, axis=1) == space.cells // space.radix).all()
        for d in range(space.radix)
    )


def test_the_first_and_the_last_balanced_operation_are_sorted_tables() -> None:
    space = Space(3, 3)
    operations = balanced(Ties.none(space))
    first, last = space.from_index(operations.unrank([0, operations.size - 1])).tolist()
    assert first == [1] * 9 + [0] * 9 + [-1] * 9
    assert last == first[::-1]


def test_balanced_and_commutative_operations_of_a_vast_space_are_found_one_by_one() -> None:
    """Of all 59,049 commutative ones, those that are balanced."""
    space = Space(3, 3)
    ties = tied_properties.commutative(space)
    every = tied(ties)
    indices = every.unrank(np.arange(every.size))
    tables = space.from_index(indices)
    met = (np.sort(tables, axis=1) == np.repeat([-1, 0, 1], 9)).all(axis=1)
    found = balanced(ties)
    assert found.size == 420
    assert found.unrank(np.arange(420)).tolist() == indices[met].tolist()


def test_ties_that_contradict_each_other_leave_nothing_to_balance() -> None:
    space = Space(4, 2)
    ties = tied_properties.commutative(space) & tied_properties.self_dual(space)
    assert balanced(ties).size == surjective(ties).size == 0
