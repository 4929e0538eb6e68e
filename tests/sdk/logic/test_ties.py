"""Ties of cells: their classes, and what contradictions leave of them."""

import numpy as np
import pytest

from ternary_sdk._internal.logic import tied_properties
from ternary_sdk._internal.logic.ties import Map, Ties, tied
from ternary_sdk.space import TERNARY_2, Space


def members(ties: Ties) -> list[int]:
    found = tied(ties)
    return found.unrank(np.arange(found.size)).tolist()


def test_no_ties_leave_the_whole_space_and_the_rank_is_the_index() -> None:
    assert members(Ties.none(TERNARY_2)) == list(range(19_683))


def test_a_class_begins_with_its_highest_cell_and_the_highest_class_comes_first() -> None:
    classes = tied_properties.commutative(TERNARY_2).classes
    assert [each.cells.tolist() for each in classes] == [[8], [7, 5], [6, 2], [4], [3, 1], [0]]


def test_self_duality_leaves_the_middle_cell_the_middle_value() -> None:
    middle = tied_properties.self_dual(TERNARY_2).classes[-1]
    assert (middle.cells.tolist(), middle.digits.tolist()) == ([4], [[1]])


def test_a_digit_without_its_own_mirror_contradicts_symmetry() -> None:
    """In (4, 2) the swap of the inputs and the mirror meet in a cell that is its own mirrored value."""
    quaternary = Space(4, 2)
    assert tied(tied_properties.commutative(quaternary) & tied_properties.self_dual(quaternary)).size == 0


def test_a_cell_with_two_given_values_leaves_nothing() -> None:
    one, other = (tied_properties.given(TERNARY_2, [3], [digit]) for digit in (0, 2))
    assert tied(one & other).size == 0
    assert tied(one & other).unrank([]).tolist() == []


def test_a_ring_of_cells_leaves_the_digits_with_which_it_closes() -> None:
    """Of three cells, each one more than the one before modulo 3. A ring of one such cell cannot close."""
    space, shift = Space(3, 1), np.array([1, 2, 0])
    ring, alone = (
        Ties(space, Ties.none(space).allowed, (Map(np.array(to), shift),)) for to in ([1, 2, 0], [0, 1, 2])
    )
    tables = space.tables + 1
    closed = (tables[:, [1, 2, 0]] == (tables + 1) % 3).all(axis=1)
    assert members(ring) == np.flatnonzero(closed).tolist()
    assert len(members(ring)) == 3
    assert members(alone) == []


@pytest.mark.parametrize(
    ("radix", "inputs", "commutative", "self_dual", "idempotent"),
    [
        (3, 3, 59_049, 1_594_323, 3**24),
        (4, 2, 1_048_576, 65_536, 16_777_216),
        (2, 5, 2**6, 2**16, 2**30),
        (5, 2, 5**15, 5**12, 5**20),
    ],
)
def test_sizes_in_vast_spaces_are_powers_of_the_radix(
    radix: int, inputs: int, commutative: int, self_dual: int, idempotent: int
) -> None:
    space = Space(radix, inputs)
    assert tied(tied_properties.commutative(space)).size == commutative
    assert tied(tied_properties.self_dual(space)).size == self_dual
    assert tied(tied_properties.idempotent(space)).size == idempotent
