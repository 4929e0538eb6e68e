"""Latin squares and cubes, and operations that are reversible in one input."""

from math import factorial

import numpy as np
import pytest

from ternary_sdk._internal.logic.latin import latin
from ternary_sdk._internal.logic.reversible import reversible
from ternary_sdk.space import TERNARY_2, Space


@pytest.mark.parametrize(
    ("radix", "inputs", "size"),
    [(2, 5, 2), (3, 2, 12), (3, 3, 24), (4, 2, 576), (5, 2, 161_280), (8, 1, 40_320), (15, 1, factorial(15))],
)
def test_sizes_are_those_of_the_literature(radix: int, inputs: int, size: int) -> None:
    assert latin(Space(radix, inputs)).size == size


@pytest.mark.parametrize("space", [TERNARY_2, Space(3, 3), Space(4, 2), Space(2, 5), Space(8, 1)], ids=str)
def test_every_line_of_every_member_has_every_value(space: Space) -> None:
    operations = latin(space)
    indices = operations.unrank(np.arange(operations.size))
    cubes = space.from_index(indices).reshape(-1, *(space.radix,) * space.inputs)
    assert (np.diff(indices) > 0).all()
    for axis in range(1, space.inputs + 1):
        lines = np.moveaxis(cubes, axis, -1)
        assert (np.sort(lines, axis=-1) == np.array(space.values)).all()


def test_ternary_latin_cubes_are_the_24_sums_with_signs() -> None:
    """±a ± b ± c + d modulo 3: the count is proved by writing them down."""
    space = Space(3, 3)
    a, b, c = np.indices((3, 3, 3)).reshape(3, -1)
    signs = [(i, j, k, d) for i in (1, 2) for j in (1, 2) for k in (1, 2) for d in range(3)]
    tables = np.array([(i * a + j * b + k * c + d) % 3 - 1 for i, j, k, d in signs])
    assert latin(space).unrank(np.arange(24)).tolist() == sorted(space.to_index(tables).tolist())


@pytest.mark.parametrize("place", [0, 1])
def test_a_reversible_operation_has_a_permutation_in_each_line_of_one_input(place: int) -> None:
    space = Space(4, 2)
    operations = reversible(space, place)
    indices = operations.unrank(np.arange(operations.size))
    lines = np.moveaxis(space.from_index(indices).reshape(-1, 4, 4), place + 1, -1)
    assert operations.size == len(np.unique(indices)) == 24**4
    assert (np.sort(lines, axis=-1) == np.arange(4)).all()


def test_indices_ascend_where_the_last_input_is_the_reversible_one() -> None:
    operations = reversible(Space(4, 2), 1)
    assert (np.diff(operations.unrank(np.arange(operations.size))) > 0).all()


def test_a_reversible_operation_of_one_input_is_a_permutation() -> None:
    assert reversible(Space(15, 1), 0).size == factorial(15)
