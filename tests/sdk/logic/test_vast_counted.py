"""Which conditions are counted without a list of the space, held against trying every operation."""

from functools import reduce
from operator import and_

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ternary_sdk._internal.logic.bases import is_countable
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.vast_counted import vast_counted
from ternary_sdk.errors import InputError
from ternary_sdk.logic import PROPERTIES, Partial, counted, parse_condition, preserves, reversible
from ternary_sdk.space import TERNARY_2, Space

SMALL = [Space(2, 1), Space(3, 1), Space(4, 1), Space(5, 1), Space(2, 2), Space(2, 3), TERNARY_2, Space(2, 4)]


def means_something(condition: Condition, space: Space) -> bool:
    try:
        condition.check(space)
    except InputError:
        return False
    return True


def single(space: Space) -> st.SearchStrategy[Condition]:
    """One condition, most of them countable."""
    named = [each for each in PROPERTIES.values() if means_something(each, space)]
    values, cells = st.sampled_from(space.values), st.none() | st.sampled_from([None, *space.values])
    return st.one_of(
        st.sampled_from([each for each in named if is_countable(each, space)]),
        st.sampled_from(named),
        st.sets(values, min_size=1).map(lambda kept: preserves(*kept)),
        st.lists(cells, min_size=space.cells, max_size=space.cells).map(
            lambda row: Partial(space, tuple(row))
        ),
        st.integers(1, space.inputs).map(reversible),
    )


def conjunction(space: Space) -> st.SearchStrategy[Condition]:
    one = single(space)
    looser = st.one_of(
        one, one, one, one.map(lambda each: ~each), st.tuples(one, one).map(lambda two: two[0] | two[1])
    )
    return st.lists(looser, min_size=1, max_size=4).map(lambda parts: reduce(and_, parts))


@given(st.sampled_from(SMALL).flatmap(lambda space: st.tuples(st.just(space), conjunction(space))))
@settings(max_examples=100, deadline=None)
def test_it_is_the_set_that_trying_every_operation_gives(case: tuple[Space, Condition]) -> None:
    space, condition = case
    expected = np.flatnonzero(condition.holds(space.tables, space))
    found = vast_counted(space, condition)
    members = found.unrank(np.arange(found.size))
    assert found.size == len(expected)
    assert np.sort(members).tolist() == expected.tolist()
    assert members.dtype == space.index_type


@pytest.mark.parametrize("space", SMALL, ids=str)
def test_every_countable_property_alone_is_the_set_that_trying_gives(space: Space) -> None:
    named = [
        each for each in PROPERTIES.values() if means_something(each, space) and is_countable(each, space)
    ]
    assert len(named) >= 7
    for each in named:
        found = vast_counted(space, each)
        members = np.sort(found.unrank(np.arange(found.size)))
        assert members.tolist() == np.flatnonzero(each.holds(space.tables, space)).tolist()


@pytest.mark.parametrize(
    ("space", "text", "size"),
    [
        ("3,3", "commutative", 59_049),
        ("3,3", "self-dual", 1_594_323),
        ("3,3", "balanced", 227_873_431_500),
        ("3,3", "balanced & self-dual", 366_080),
        ("3,3", "commutative & self-dual", 81),
        ("3,3", "idempotent & preserves({-1,1})", 3**18 * 2**6),
        ("3,3", "commutative & monotone", 126),
        ("4,2", "commutative", 1_048_576),
        ("4,2", "idempotent", 16_777_216),
        ("4,2", "has-identity", 4 * 4**9),
        ("4,2", "has-identity & associative & commutative", 376),  # labelled commutative monoids
        ("4,2", "latin & associative", 16),  # labelled groups
        ("4,2", "row-reversible & column-reversible", 576),
        ("4,2", "like(0,0,0,0/0,1,2,3/0,2,?,?/0,3,?,?)", 256),
        ("5,2", "latin & associative", 30),
        ("5,2", "constant", 5),
        ("2,5", "monotone & self-dual", 81),
        ("3,3", "constant & latin", 0),
        ("15,1", "surjective & self-dual", 2**7 * 5_040),
    ],
)  # fmt: skip
def test_sizes_in_vast_spaces(space: str, text: str, size: int) -> None:
    vast = Space.parse(space)
    condition = parse_condition(text, vast)
    found = counted(vast, condition)
    assert found.size == size
    ranks = np.unique(np.linspace(0, size - 1, 200).astype(np.int64)) if size else np.arange(0)
    members = found.unrank(ranks)
    assert len(np.unique(members)) == len(ranks)
    assert not size or condition.holds(vast.from_index(members), vast).all()


@pytest.mark.parametrize("space", ["3,3", "5,2", "15,1"])
def test_without_a_condition_the_rank_is_the_index(space: str) -> None:
    vast = Space.parse(space)
    ranks = np.random.default_rng(0).integers(0, vast.size, 1_000)
    assert vast_counted(vast).size == vast.size
    assert (vast_counted(vast).unrank(ranks) == ranks).all()


ADD = "add a condition that leaves at most 4,194,304 operations"


@pytest.mark.parametrize(
    ("space", "text", "message"),
    [
        ("3,3", "complete", f"complete: cannot be counted in 3,3; {ADD}, such as commutative"),
        ("4,2", "associative & idempotent",
         f"associative: cannot be counted in 4,2; {ADD}, such as commutative"),
        ("3,3", "not commutative", f"not commutative: cannot be counted in 3,3; {ADD}, such as latin"),
        ("3,3", "complete & not commutative & balanced",
         f"complete & not commutative: cannot be counted in 3,3; {ADD}, such as latin"),
        ("3,3", "latin | monotone",
         f"latin | monotone: cannot be counted in 3,3; {ADD}, such as commutative"),
        ("5,2", "commutative & associative",
         f"associative: cannot be counted in 5,2; {ADD}, such as latin"),
        ("5,2", "balanced & monotone",
         f"balanced & monotone: cannot be counted together in 5,2; {ADD}, such as latin"),
        ("13,1", "not surjective", f"not surjective: cannot be counted in 13,1; {ADD}"),
        ("3,3", "associative", "associative: the space 3,3 has 3 inputs, expected 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused_by_name(space: str, text: str, message: str) -> None:
    vast = Space.parse(space)
    with pytest.raises(InputError) as refusal:
        counted(vast, parse_condition(text))
    assert str(refusal.value) == message


def test_a_condition_that_is_written_many_times_is_met_once() -> None:
    """Each time alone has as many cases as there are values."""
    space = Space(15, 1)
    assert vast_counted(space, reduce(and_, [PROPERTIES["constant"]] * 30)).size == 15
