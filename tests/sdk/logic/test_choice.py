"""What a draw chooses among: how it is read, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from ternary_sdk._internal.logic.choice import Choice, numbered
from ternary_sdk._internal.logic.classes import Group, representatives
from ternary_sdk.errors import InputError
from ternary_sdk.logic import Condition, Partial, balanced, commutative
from ternary_sdk.space import TERNARY_2, Space

LIKE = "-,?,+ / ?,0,? / ?,?,-"


@dataclass
class Unhashable(Condition):
    """A condition of somebody's own."""

    def holds(self, tables, space):
        return np.ones(len(tables), np.bool_)


def test_nothing_asked_for_is_no_choice():
    assert Choice.of(TERNARY_2, None, None, None) is None


def test_text_and_objects_mean_the_same():
    of_text = Choice.of(TERNARY_2, "commutative & balanced", LIKE, "npn")
    condition = (commutative & balanced) & Partial.parse(LIKE, TERNARY_2)
    assert of_text == Choice(space=TERNARY_2, condition=condition, group=Group.NPN)
    assert of_text == Choice.of(TERNARY_2, commutative & balanced, Partial.parse(LIKE, TERNARY_2), Group.NPN)


def test_classes_are_named_by_rank():
    choice = Choice.of(TERNARY_2, balanced, None, "values")
    members = choice.count().unrank(np.arange(1680))
    assert np.array_equal(choice.classes(), representatives(members, TERNARY_2, Group.VALUES))


def test_classes_without_a_group_are_refused():
    with pytest.raises(InputError, match=r"^distinct_up_to: None, expected a group"):
        Choice.of(TERNARY_2, balanced, None, None).classes()


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "no operation is balanced"),
        (1, "1 operation is balanced"),
        (1680, "1,680 operations are balanced"),
    ],
)
def test_a_number_of_operations_is_said_in_words(count, sentence):
    assert numbered(count, balanced, TERNARY_2) == sentence


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((3, None, None), "where: 3, expected a condition or its text"),
        ((None, 3, None), "like: 3, expected a partial table or its text"),
        ((Unhashable(), None, None), "where: Unhashable cannot be hashed, expected a condition that can"),
        ((None, None, "pnp"), "distinct_up_to: 'pnp', expected inputs, npn or values"),
        ((None, "0?", None), "table: '0?' has 2 cells, expected 9: 3 rows of 3"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(asked, message):
    with pytest.raises(InputError) as refusal:
        Choice.of(TERNARY_2, *asked)
    assert str(refusal.value) == message


def test_condition_without_meaning_in_the_space_is_refused():
    with pytest.raises(InputError, match="commutative"):
        Choice.of(Space(3, 1), commutative, None, None)


@pytest.mark.parametrize(
    ("where", "group", "message"),
    [
        (
            "balanced",
            "npn",
            "distinct_up_to: npn among 227,873,431,500 operations, expected at most 4,194,304, whose classes "
            "can be told apart",
        ),
        (
            "self-dual",
            "values",
            "distinct_up_to: values among 1,594,323 operations, which have 2,066,242,608 images, expected at "
            "most 134,217,728",
        ),
    ],
)
def test_classes_of_too_many_operations_are_refused(where, group, message):
    with pytest.raises(InputError) as refusal:
        Choice.of(Space(3, 3), where, None, group).classes()
    assert str(refusal.value) == message
