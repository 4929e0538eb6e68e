"""The algebra of ascending arrays is that of sets, whichever of the two is larger."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk._internal import ascending
from ternary_sdk._internal.ascending import Numbers

NUMBERS = st.sets(st.integers(0, 40) | st.integers(2**62, 2**63 - 1), max_size=20)


def array(members: set[int]) -> Numbers:
    return np.array(sorted(members), np.int64)


@given(one=NUMBERS, other=NUMBERS)
def test_every_function_is_that_of_sets(one: set[int], other: set[int]) -> None:
    left, right = array(one), array(other)
    assert ascending.union(left, right).tolist() == sorted(one | other)
    assert ascending.common(left, right).tolist() == sorted(one & other)
    assert ascending.minus(left, right).tolist() == sorted(one - other)
    assert ascending.either(left, right).tolist() == sorted(one ^ other)
    wanted = [*other, *other, *one]
    assert ascending.contains(left, np.array(wanted, np.int64)).tolist() == [each in one for each in wanted]


@given(st.lists(st.integers(0, 2**63 - 1), max_size=20))
def test_the_distinct_numbers_are_a_new_array(values: list[int]) -> None:
    given = np.array(values, np.int64)
    found = ascending.distinct(given)
    assert found.tolist() == sorted(set(values))
    assert not np.shares_memory(found, given)
