"""Classes of operations: known counts, and the least member of each found by trying all maps."""

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import Group, class_size, representatives
from ternary_sdk.space import TERNARY_2, Space

ALL = [(space, group) for space in (Space(2, 2), Space(2, 3), Space(3, 1), Space(4, 1)) for group in Group]
SOME = [
    (TERNARY_2, Group.INPUTS),
    (TERNARY_2, Group.NPN),
    (TERNARY_2, Group.VALUES),
    (Space(3, 3), Group.NPN),
]
SOME += [(Space(4, 2), Group.NPN), (Space(5, 2), Group.INPUTS), (Space(5, 2), Group.NPN)]
SOME += [(Space(2, 5), Group.NPN), (Space(15, 1), Group.NPN)]


def relabellings(radix: int, group: Group) -> list[tuple[int, ...]]:
    keep = tuple(range(radix))
    if group is Group.VALUES:
        return list(permutations(keep))
    return [keep] if group is Group.INPUTS else [keep, keep[::-1]]


def orbit(index: int, space: Space, group: Group) -> Iterator[int]:
    """What all maps make of an operation, cell by cell."""
    radix, k = space.radix, space.inputs
    f = dict(
        zip(
            product(range(radix), repeat=k),
            (space.from_index([index])[0] - space.lowest).tolist(),
            strict=True,
        )
    )
    maps = relabellings(radix, group)
    for order in permutations(range(k)):
        for chosen in product(maps, repeat=k):
            for out in maps:
                total = 0
                for cell, inputs in enumerate(f):
                    moved = tuple(chosen[i][inputs[order[i]]] for i in range(k))
                    total += out[f[moved]] * radix**cell
                yield total


@pytest.mark.parametrize(("space", "group"), ALL, ids=str)
def test_the_least_member_is_found_of_every_operation_of_a_small_space(space: Space, group: Group) -> None:
    found = representatives(np.arange(space.size), space, group)
    for index in range(space.size):
        members = set(orbit(index, space, group))
        assert found[index] == min(members)
        assert class_size(index, space, group) == len(members)


@pytest.mark.parametrize(("space", "group"), SOME, ids=str)
def test_the_least_member_is_found_in_larger_spaces(space: Space, group: Group) -> None:
    drawn = np.random.default_rng(5).integers(0, space.size, 3)
    found = representatives(drawn, space, group)
    assert found.dtype == space.index_type
    for index, least in zip(drawn.tolist(), found.tolist(), strict=True):
        members = set(orbit(index, space, group))
        assert least == min(members)
        assert class_size(index, space, group) == len(members)


@pytest.mark.parametrize(
    ("space", "group", "count"),
    [
        (Space(2, 2), Group.NPN, 4),
        (Space(2, 3), Group.NPN, 14),
        (Space(2, 4), Group.NPN, 222),
        (Space(2, 4), Group.INPUTS, 3984),
        (TERNARY_2, Group.INPUTS, (19683 + 729) // 2),
        (TERNARY_2, Group.NPN, 1444),
        (TERNARY_2, Group.VALUES, 84),
        (Space(5, 1), Group.VALUES, 7),  # partitions of 5
        (Space(6, 1), Group.VALUES, 11),
    ],
    ids=str,
)
def test_there_are_as_many_classes_as_are_known(space: Space, group: Group, count: int) -> None:
    found, sizes = np.unique(representatives(np.arange(space.size), space, group), return_counts=True)
    assert len(found) == count
    some = slice(None, None, max(1, count // 20))
    assert [class_size(int(least), space, group) for least in found[some]] == sizes[some].tolist()


def test_three_ternary_inputs_have_classes_by_values() -> None:
    space = Space(3, 3)
    drawn = np.random.default_rng(2).integers(0, space.size, 50)
    least = representatives(drawn, space, Group.VALUES)
    moved = [next(orbit(int(index), space, Group.NPN)) for index in drawn]
    assert representatives(moved, space, Group.VALUES).tolist() == least.tolist()
    assert representatives(least, space, Group.VALUES).tolist() == least.tolist()
    assert (least <= drawn).all()


def test_one_input_of_fifteen_values_needs_no_list_of_relabellings() -> None:
    space = Space(15, 1)
    identity = int(space.to_index([space.values])[0])
    lowest_first = sum(digit * 15 ** (14 - digit) for digit in range(15))
    assert representatives([identity, 0], space, Group.VALUES).tolist() == [lowest_first, 0]
    assert class_size(0, space, Group.VALUES) == 15
    assert class_size(identity, space, Group.VALUES) == 1307674368000


def test_no_operations_have_no_classes() -> None:
    assert representatives([], TERNARY_2, Group.VALUES).tolist() == []


def test_an_index_of_no_operation_has_no_class() -> None:
    with pytest.raises(InputError, match=r"^indices: entry 0 is 19683, expected 0 to 19682$"):
        representatives([19683])
    with pytest.raises(InputError, match=r"^indices: entry 0 is -1, expected 0 to 19682$"):
        class_size(-1)
