"""Each family against its definition, written out one operation at a time."""

from collections.abc import Callable
from itertools import product

import pytest

from ternary_sdk.operations import TABLES
from ternary_trainer.families import FAMILIES, Family, members

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
    operations = (dict(zip(PAIRS, map(int, table), strict=True)) for table in TABLES)
    found = [index for index, operation in enumerate(operations) if DEFINITIONS[family](operation)]
    assert found == list(members(family))
    assert len(found) == size
