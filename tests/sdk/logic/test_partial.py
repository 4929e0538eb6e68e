"""Partial tables: how they are written, which operations they hold, and what is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk.errors import InputError
from ternary_sdk.logic import Partial, counted, parse_condition
from ternary_sdk.space import TERNARY_2, Space

CROSS = Partial(TERNARY_2, (-1, None, 1, None, 0, None, None, None, -1))


@pytest.mark.parametrize(
    "text",
    [
        "-,?,+ / ?,0,? / ?,?,-",
        "-?+/?0?/??-",
        "-?+?0???-",
        "- * + * 0 * * * -",
        "0?2?1???0",
        "-1,?,1,?,0,?,?,?,-1",
        "-1,?,+1,?,0,?,?,?,-",
    ],
)
def test_a_table_of_three_values_is_read_in_signs_digits_and_numbers(text):
    assert Partial.parse(text, TERNARY_2) == CROSS


@pytest.mark.parametrize(
    ("space", "text", "cells"),
    [
        (Space(2, 2), "0?/?1", (0, None, None, 1)),
        (Space(2, 3), "01/??/??/10", (0, 1, None, None, None, None, 1, 0)),
        (Space(5, 1), "0?4??", (-2, None, 2, None, None)),
        (Space(5, 1), "-2,?,2,?,?", (-2, None, 2, None, None)),
        (Space(11, 1), "-5,?,5,0,?,?,?,?,?,?,1", (-5, None, 5, 0, *[None] * 6, 1)),
    ],
)
def test_a_table_of_any_space_is_read(space, text, cells):
    assert Partial.parse(text, space) == Partial(space, cells)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' has 0 cells, expected 9: 3 rows of 3"),
        ("-?+", "'-?+' has 3 cells, expected 9: 3 rows of 3"),
        ("-?+?0???-?", "'-?+?0???-?' has 10 cells, expected 9: 3 rows of 3"),
        ("-?+?/0???-", "2 rows, expected 3 of 3 cells"),
        ("-?+?/0?/??-", "row 1 has 4 cells, expected 3"),
        ("-,?,+,?,2,?,?,?,-", "cell 4 is '2', expected one of -1 0 1 +1 - +, or ?"),
        ("-?+?2???-", "cell 4 is '2', expected one of - 0 +, or ?"),
        ("0?3?1???0", "cell 2 is '3', expected one of 0 1 2, or ?"),
        ("-,?,,?,0,?,?,?,-", "cell 2 is '', expected one of -1 0 1 +1 - +, or ?"),
        ("0?????000", "'0?????000' is ambiguous: 0 is a sign or a digit; put commas between cells"),
        ("-" * 1_001, "1001 characters, expected at most 1000"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_table_is_refused(text, sentence):
    with pytest.raises(InputError) as caught:
        Partial.parse(text, TERNARY_2)
    assert str(caught.value) == f"table: {sentence}"


def test_cells_that_are_no_table_are_refused():
    for cells, sentence in (
        ((0,) * 8, "table: 8 cells, expected 9: 3 rows of 3"),
        ((2, *[None] * 8), "table: cell 0 is 2, expected one of -1, 0, 1"),
    ):
        with pytest.raises(InputError) as caught:
            Partial(TERNARY_2, cells)
        assert str(caught.value) == sentence


def test_a_table_of_another_space_is_refused():
    with pytest.raises(InputError) as caught:
        CROSS.holds(Space(2, 2).tables, Space(2, 2))
    assert str(caught.value) == "like(-,?,+/?,0,?/?,?,-): a table of the space 3,2, expected one of 2,2"


@given(st.sampled_from([Space(2, 2), Space(4, 1), Space(5, 1), TERNARY_2]), st.data())
def test_a_table_holds_the_operations_that_have_its_cells(space, data):
    choices = [None, *space.values]
    cells = tuple(data.draw(st.lists(st.sampled_from(choices), min_size=space.cells, max_size=space.cells)))
    partial = Partial(space, cells)
    assert parse_condition(str(partial), space) == partial
    found = counted(space, partial)
    free = [space.values if value is None else [value] for value in cells]
    expected = sorted(space.to_index(np.array(list(product(*free)), np.int8)).tolist())
    assert found.unrank(np.arange(found.size)).tolist() == expected
