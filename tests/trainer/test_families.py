"""Each family against its definition, written out one operation at a time."""

from collections.abc import Callable
from itertools import product

import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.families import FAMILIES, Family, defined, members

TRITS = (-1, 0, 1)
PAIRS = list(product(TRITS, TRITS))
Operation = dict[tuple[int, int], int]


def unary(f: Operation) -> bool:
    by_a = all(f[a, b] == f[a, 0] for a, b in PAIRS)
    return by_a or all(f[a, b] == f[0, b] for a, b in PAIRS)


def monotone(f: Operation) -> bool:
    return all(f[p] <= f[q] for p in PAIRS for q in PAIRS if p[0] <= q[0] and p[1] <= q[1])


DEFINITIONS: dict[Family, Callable[[Operation], bool]] = {
    "commutative": lambda f: all(f[a, b] == f[b, a] for a, b in PAIRS),
    "self-dual": lambda f: all(f[-a, -b] == -f[a, b] for a, b in PAIRS),
    "essentially-unary": unary,
    "monotone": monotone,
    "idempotent": lambda f: all(f[a, a] == a for a in TRITS),
    "balanced": lambda f: all(list(f.values()).count(value) == 3 for value in TRITS),
    "non-surjective": lambda f: set(f.values()) != set(TRITS),
}
SIZES = (729, 81, 51, 175, 729, 1_680, 1_533)


@pytest.mark.parametrize(("family", "size"), list(zip(FAMILIES, SIZES, strict=True)))
def test_a_family_has_the_operations_of_its_definition(family: Family, size: int) -> None:
    operations = (dict(zip(PAIRS, map(int, table), strict=True)) for table in TERNARY_2.tables)
    found = [index for index, operation in enumerate(operations) if DEFINITIONS[family](operation)]
    assert found == list(members(family))
    assert len(found) == size


@pytest.mark.parametrize(
    ("space", "sizes"),
    [
        # (2, 3): symmetric 2^4, self-dual 2^4, constants and 3 inputs or their negations, Dedekind's 20, 2^6,
        # 8 over 4, and the two constants.
        (Space(2, 3), (16, 16, 8, 20, 64, 70, 2)),
        (Space(2, 4), (32, 256, 10, 168, 16_384, 12_870, 2)),
    ],
    ids=str,
)
def test_boolean_families_have_their_known_sizes(space: Space, sizes: tuple[int, ...]) -> None:
    assert tuple(len(members(family, space)) for family in defined(space)) == sizes


def test_families_of_one_input_are_those_that_compare_no_inputs() -> None:
    space = Space(5, 1)
    assert defined(space) == ("self-dual", "monotone", "idempotent", "balanced", "non-surjective")
    sizes = {family: len(members(family, space)) for family in defined(space)}
    assert sizes == {
        "self-dual": 25,
        "monotone": 126,
        "idempotent": 1,
        "balanced": 120,
        "non-surjective": 3_005,
    }


def test_a_family_that_a_space_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(InputError) as refused:
        members("commutative", Space(5, 1))
    assert str(refused.value) == "family 'commutative': needs two inputs or more, operations of 5,1 have one"
