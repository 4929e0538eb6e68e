"""Conditions as text: what is read, what is refused and where, and that what is written is read again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ternary_sdk.errors import InputError
from ternary_sdk.logic import (
    PROPERTIES,
    Partial,
    balanced,
    commutative,
    complete,
    essentially_unary,
    latin,
    monotone,
    parse_condition,
    preserves,
    reversible,
    self_dual,
    surjective,
)
from ternary_sdk.space import TERNARY_2, Space

ALL = ", ".join(PROPERTIES) + ", preserves(…), reversible(…) and like(…)"
SINGLE = st.one_of(
    st.sampled_from(list(PROPERTIES.values())),
    st.sets(st.sampled_from(TERNARY_2.values), min_size=1).map(lambda values: preserves(*values)),
    st.integers(1, 2).map(reversible),
    st.lists(st.sampled_from([None, *TERNARY_2.values]), min_size=9, max_size=9).map(
        lambda cells: Partial(TERNARY_2, tuple(cells))
    ),
)
CONDITIONS = st.recursive(
    SINGLE,
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
    ),
    max_leaves=8,
)
SOME = TERNARY_2.from_index(np.random.default_rng(3).integers(0, TERNARY_2.size, 100))


@given(CONDITIONS)
@settings(max_examples=200, deadline=None)
def test_what_a_condition_writes_is_read_as_an_equal_condition(condition):
    assert parse_condition(str(condition), TERNARY_2) == condition


LETTERS = {"a": "latin", "b": "surjective", "c": "preserves(0)", "d": "reversible(1)", "e": "balanced"}


@given(
    st.recursive(
        st.sampled_from(list(LETTERS)),
        lambda inner: st.one_of(
            inner.map(lambda one: f"not {one}"),
            inner.map(lambda one: f"({one})"),
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        ),
        max_leaves=8,
    ),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_and_or_and_not_bind_as_in_python(text, signs):
    each = {letter: parse_condition(name).holds(SOME, TERNARY_2) for letter, name in LETTERS.items()}
    expected = [
        eval(text, {letter: bool(mask[row]) for letter, mask in each.items()})  # noqa: S307
        for row in range(len(SOME))
    ]
    words = [LETTERS.get(word, word) for word in text.replace("(", "( ").replace(")", " )").split()]
    if signs:
        words = [{"and": "&", "or": "|", "not": "~"}.get(word, word) for word in words]
    assert parse_condition(" ".join(words)).holds(SOME, TERNARY_2).tolist() == expected


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("commutative & balanced", commutative & balanced),
        ("commutative&balanced", commutative & balanced),
        ("not monotone", ~monotone),
        ("!monotone", ~monotone),
        ("~ ~monotone", ~~monotone),
        ("latin or balanced and monotone", latin | balanced & monotone),
        ("(latin | balanced) AND Monotone", (latin | balanced) & monotone),
        ("latin & balanced & monotone", (latin & balanced) & monotone),
        ("latin & (balanced & monotone)", latin & (balanced & monotone)),
        ("not latin & balanced", ~latin & balanced),
        ("self_dual", self_dual),
        ("self-dual", self_dual),
        ("SYMMETRIC", commutative),
        ("onto", surjective),
        ("unary", essentially_unary),
        ("sheffer", complete),
        ("preserves(0)", preserves(0)),
        ("preserves( { 1, -1 } )", preserves(-1, 1)),
        ("preserves(-1,+1)", preserves(-1, 1)),
        ("reversible(2)", reversible(2)),
        ("like(-?+/?0?/??-)", Partial(TERNARY_2, (-1, None, 1, None, 0, None, None, None, -1))),
    ],
)
def test_a_condition_is_read(text, condition):
    assert parse_condition(text, TERNARY_2) == condition


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "found the end at position 1, expected a property, 'not' or '('"),
        ("latin balanced", "found 'balanced' at position 7, expected '&', '|' or the end"),
        ("latin)", "found ')' at position 6, expected '&', '|' or the end"),
        ("(latin", "found the end at position 7, expected ')'"),
        ("latin &", "found the end at position 8, expected a property, 'not' or '('"),
        ("latin && balanced", "found '&' at position 8, expected a property, 'not' or '('"),
        ("latin and or balanced", "found 'or' at position 11, expected a property, 'not' or '('"),
        (
            "latin(1)",
            "found '(' at position 6, expected '&', '|' or the end, because latin takes no argument",
        ),
        ("preserves", "found the end at position 10, expected '('"),
        ("preserves()", "found ')' at position 11, expected a value"),
        ("preserves({1)", "found ')' at position 13, expected '}'"),
        ("preserves(1", "found the end at position 12, expected ')'"),
        ("preserves(1.5)", "found '.' at position 12, expected ')'"),
        ("reversible(a)", "found 'a' at position 12, expected the number of an input, from 1"),
        ("like(-?", "found the end at position 8, expected ')'"),
        (
            "latin & comutative",
            f"'comutative' at position 9 is not a property; did you mean 'commutative'? Properties are {ALL}",
        ),
        ("latin & \u0661", "found '\u0661' at position 9, expected a property, 'not' or '('"),
        ("qqq", f"'qqq' at position 1 is not a property. Properties are {ALL}"),
        ("(" * 51 + "latin" + ")" * 51, "nested more than 50 deep, expected at most that"),
        ("not " * 51 + "latin", "nested more than 50 deep, expected at most that"),
        ("latin&" * 100 + "latin", "more than 100 properties, expected at most that many"),
        ("latin " * 1_000, "6,000 characters, expected at most 4,000"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_condition_is_refused_with_its_position(text, sentence):
    with pytest.raises(InputError) as caught:
        parse_condition(text, TERNARY_2)
    assert str(caught.value) == f"condition: {sentence}"


def test_the_largest_conditions_that_are_read_can_be_written_and_evaluated():
    for text in ("latin|" * 99 + "latin", "(" * 50 + "latin" + ")" * 50, "not " * 50 + "latin"):
        condition = parse_condition(text, TERNARY_2)
        assert parse_condition(str(condition)) == condition
        assert np.array_equal(condition.holds(SOME, TERNARY_2), latin.holds(SOME, TERNARY_2))


def test_a_table_needs_a_space():
    with pytest.raises(InputError) as caught:
        parse_condition("like(-?+/?0?/??-)")
    assert str(caught.value) == "condition: like(…) is a table, which means nothing without a space"


def test_a_condition_that_means_nothing_in_the_space_is_refused():
    with pytest.raises(InputError) as caught:
        parse_condition("balanced & associative", Space(2, 3))
    assert str(caught.value) == "associative: the space 2,3 has 3 inputs, expected 2"
