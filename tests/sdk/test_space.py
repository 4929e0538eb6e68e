"""Every space that there is, held against the definition written out here."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.stated import read_signature, read_space
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import MOST_LISTED, TERNARY_2, Space

ALL = [
    Space(radix, inputs)
    for radix, inputs in itertools.product(range(2, 16), range(1, 6))
    if radix**inputs < 64 and radix ** (radix**inputs) < 2**63
]
LISTED = [space for space in ALL if space.size <= 2**20]
SMALL = [space for space in ALL if space.size <= 4096]


def test_there_are_22_spaces_of_which_10_are_listed() -> None:
    assert len(ALL) == 22
    assert [str(space) for space in ALL if space.listed] == [
        "2,1", "2,2", "2,3", "2,4", "3,1", "3,2", "4,1", "5,1", "6,1", "7,1",
    ]  # fmt: skip
    assert MOST_LISTED == 2**20


@pytest.mark.parametrize("space", SMALL, ids=str)
def test_numbering_is_that_of_the_definition(space: Space) -> None:
    """The index is the sum over cells of digit·radix^cell: cell 0 counts the ones."""
    lowest = -(space.radix // 2) if space.radix % 2 else 0
    values = [lowest + digit for digit in range(space.radix)]
    rows = [table[::-1] for table in itertools.product(values, repeat=space.cells)]
    assert space.tables.tolist() == [list(row) for row in rows]
    assert space.to_index(rows).tolist() == list(range(space.size))
    assert space.values == tuple(values)


@pytest.mark.parametrize("space", ALL, ids=str)
@settings(deadline=None, max_examples=30)  # the first table of a large space takes a while
@given(data=st.data())
def test_an_index_comes_back_from_its_table(space: Space, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, space.size - 1))
    table = space.from_index([index])
    assert table.shape == (1, space.cells)
    assert set(table[0].tolist()) <= set(space.values)
    assert space.to_index(table).tolist() == [index]


@pytest.mark.parametrize("space", ALL, ids=str)
def test_its_last_operation_is_the_highest_value_everywhere(space: Space) -> None:
    assert space.from_index([space.size - 1]).tolist() == [[space.values[-1]] * space.cells]
    assert space.index_type is (np.int32 if space.size <= 2**31 else np.int64)


@pytest.mark.parametrize("space", ALL, ids=str)
def test_its_names_are_its_own(space: Space) -> None:
    assert Space.parse(str(space)) == Space.parse(space.label) == space
    assert len({one.label for one in ALL}) == len({one.title for one in ALL}) == len(ALL)
    assert read_space(Fields(space.to_json(), "space")) == space


def test_the_flagship_is_called_as_ever() -> None:
    assert (TERNARY_2.label, TERNARY_2.title, str(TERNARY_2)) == (
        "ternary-2-input",
        "two-input ternary",
        "3,2",
    )
    assert (TERNARY_2.cells, TERNARY_2.size, TERNARY_2.bitmap_bytes) == (9, 19_683, 2461)
    assert TERNARY_2.index_type is np.int32


@pytest.mark.parametrize(
    ("radix", "inputs", "message"),
    [
        (1, 1, "space: radix is 1, expected a whole number from 2"),
        (2, 0, "space: inputs is 0, expected a whole number from 1"),
        (3.0, 2, "space: radix is 3.0, expected a whole number from 2"),
        (True, 2, "space: radix is True, expected a whole number from 2"),
        (2, 6, "space: 2 values and 6 inputs have 2^63 operations or more, expected fewer"),
        (16, 1, "space: 16 values and 1 inputs have 2^63 operations or more, expected fewer"),
        (3, 10**9, "space: 3 values and 1000000000 inputs have 2^63 operations or more, expected fewer"),
        (10**9, 1, "space: 1000000000 values and 1 inputs have 2^63 operations or more, expected fewer"),
    ],
)
def test_what_is_no_space_is_refused_at_once(radix: int, inputs: int, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Space(radix, inputs)
    assert str(refusal.value) == message


@pytest.mark.parametrize("text", ["", "3", "3,2,1", "03,2", "3, 2", "٣,2", "ternary", "3,-2", "x" * 10_000])
def test_text_that_names_no_space_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        Space.parse(text)
    assert str(refusal.value) == (
        f"space: {text[:60]!r}, expected a radix and a number of inputs, such as 3,2"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.tables, "4,2: has 4,294,967,296 operations, more than the 2^20 that can be listed"),
        (
            lambda s: s.bitmap_bytes,
            "4,2: has 4,294,967,296 operations, more than the 2^20 that can be listed",
        ),
        (
            lambda s: OperationSet.of([1], s).mask,
            "4,2: has 4,294,967,296 operations, more than the 2^20 that can be listed",
        ),
        (lambda s: s.from_index([2**32]), "indices: entry 0 is 4294967296, expected 0 to 4294967295"),
        (lambda s: s.to_index([[4] + [0] * 15]), "operations: row 0, column 0 is 4, expected 0, 1, 2 or 3"),
    ],
)
def test_a_vast_space_is_numbered_and_not_listed(call: Callable[[Space], object], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        call(Space(4, 2))
    assert str(refusal.value) == message


def test_what_all_operations_share_cannot_be_written_to() -> None:
    for shared in (TERNARY_2.tables, TERNARY_2.places):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TERNARY_2, 12, ("A",)), "latent size: 12, expected a multiple of 8 from 8 to 64"),
        ((TERNARY_2, 72, ("A",)), "latent size: 72, expected a multiple of 8 from 8 to 64"),
        ((TERNARY_2, 16.0, ("A",)), "latent size: 16.0, expected a multiple of 8 from 8 to 64"),
        ((TERNARY_2, 16, ()), "paths: none, expected 1 to 8 different capital letters in ascending order"),
        (
            (TERNARY_2, 16, ("B", "A")),
            "paths: B, A, expected 1 to 8 different capital letters in ascending order",
        ),
        ((TERNARY_2, 16, ("a",)), "paths: a, expected 1 to 8 different capital letters in ascending order"),
    ],
)
def test_what_is_no_signature_is_refused(arguments: tuple[Space, int, tuple[str, ...]], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Signature(*arguments)
    assert str(refusal.value) == message


def test_a_signature_comes_back_from_a_document() -> None:
    assert read_signature(Fields(STANDARD.to_json(), "run.json")) == STANDARD
    assert str(STANDARD) == "ternary-2-input, 16 latent dimensions, paths A, B"
    document = {**STANDARD.to_json(), "paths": ["B", "A"]}  # type: ignore[dict-item]
    with pytest.raises(FormatError) as refusal:
        read_signature(Fields(document, "run.json"))
    assert str(refusal.value) == (
        "run.json: paths: B, A, expected 1 to 8 different capital letters in ascending order"
    )


@pytest.mark.parametrize("space", LISTED, ids=str)
@settings(deadline=None, max_examples=30)  # the first table of a large space takes a while
@given(data=st.data())
def test_sets_behave_as_pythons_own(space: Space, data: st.DataObject) -> None:
    members = st.sets(st.integers(0, space.size - 1), max_size=20)
    one, other = data.draw(members), data.draw(members)
    left, right = (OperationSet.of(sorted(members), space) for members in (one, other))
    for mine, theirs in (
        (left | right, one | other), (left & right, one & other), (left - right, one - other),
        (left ^ right, one ^ other),
    ):  # fmt: skip
        assert set(mine) == theirs
        assert OperationSet.from_bytes(mine.to_bytes(), space) == mine
    assert (left <= right, left < right, left >= right, left > right, left == right) == (
        one <= other, one < other, one >= other, one > other, one == other,
    )  # fmt: skip


@pytest.mark.parametrize("combine", ["__or__", "__and__", "__sub__", "__xor__", "__le__", "__lt__"])
def test_sets_of_two_spaces_are_never_combined(combine: str) -> None:
    """Their bitmaps and so their digests are equal: one byte in which bit 0 is set."""
    one, other = OperationSet.of([0], Space(2, 3)), OperationSet.of([0], Space(4, 1))
    assert one.digest == other.digest
    assert one != other
    with pytest.raises(InputError) as refusal:
        getattr(one, combine)(other)
    assert str(refusal.value) == "operation sets: of the spaces 2,3 and 4,1, expected one space"


def test_what_is_no_index_is_in_no_set() -> None:
    some = OperationSet.of([1], TERNARY_2)
    assert [one in some for one in (1, np.int64(1), 0, -1, 19_683, 1.0, 1.5, "a", None, True)] == [
        True, True, False, False, False, False, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Space.parse(3), "space: 3, expected text such as 3,2"),
        (lambda: Signature("3,2", 16, ("A",)), "space: '3,2', expected a Space"),
        (
            lambda: Signature(TERNARY_2, 16, ["A"]),
            "paths: ['A'], expected 1 to 8 different capital letters in ascending order",
        ),
        (
            lambda: Signature(TERNARY_2, 16, None),
            "paths: None, expected 1 to 8 different capital letters in ascending order",
        ),
        (lambda: OperationSet([True] * 9), "operation set: mask is bool (9,), expected bool (19683,)"),
    ],
)
def test_arguments_of_another_type_are_refused_in_a_sentence(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        call()
    assert str(refusal.value) == message
