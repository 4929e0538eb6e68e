import hashlib
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk import operations
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space


def test_numbering_is_a_bijection_over_the_whole_space() -> None:
    assert np.array_equal(operations.to_index(TERNARY_2.tables), np.arange(TERNARY_2.size))
    assert len(np.unique(TERNARY_2.tables, axis=0)) == TERNARY_2.size


def test_column_0_is_the_least_significant_digit() -> None:
    table = [[1, -1, -1, -1, -1, -1, -1, -1, -1], [-1, -1, -1, -1, -1, -1, -1, -1, 0]]
    assert operations.to_index(table).tolist() == [2, 3**8]


def test_the_float_tables_a_model_takes_are_numbered_too() -> None:
    assert np.array_equal(operations.to_index(TERNARY_2.tables.astype(np.float32)), np.arange(TERNARY_2.size))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (np.zeros((2, 8)), "operations: shape is (2, 8), expected (n, 9)"),
        (np.zeros(9), "operations: shape is (9,), expected (n, 9)"),
        (np.full((1, 9), 2), "operations: row 0, column 0 is 2, expected -1, 0 or 1"),
        (np.full((1, 9), 0.5), "operations: row 0, column 0 is 0.5, expected -1, 0 or 1"),
        (np.full((1, 9), np.nan), "operations: row 0, column 0 is nan, expected -1, 0 or 1"),
        (np.full((1, 9), "a"), "operations: dtype is <U1, expected integers or floats"),
        ([[0] * 9, [0]], "operations: rows have different lengths, expected 9 values in each"),
    ],
)
def test_what_is_no_truth_table_is_refused(tables: object, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        operations.to_index(tables)  # type: ignore[arg-type]
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, TERNARY_2.size], "indices: entry 1 is 19683, expected 0 to 19682"),
        ([-1], "indices: entry 0 is -1, expected 0 to 19682"),
        ([0.0], "indices: dtype is float64, expected integers"),
        ([[0]], "indices: shape is (1, 1), expected (n,)"),
    ],
)
def test_what_is_no_index_is_refused(indices: object, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        operations.from_index(indices)  # type: ignore[arg-type]
    assert str(refusal.value) == message


def test_no_rows_are_no_error() -> None:
    assert operations.to_index(np.zeros((0, 9))).shape == (0,)
    assert operations.from_index([]).shape == (0, 9)


def test_bitmap_of_the_first_last_and_ninth_operation() -> None:
    bitmap = OperationSet.of([0, 9, TERNARY_2.size - 1]).to_bytes()
    assert (len(bitmap), bitmap[0], bitmap[1], bitmap[-1]) == (2461, 0b1, 0b10, 0b100)


def test_digest_is_the_sha256_of_the_bitmap() -> None:
    everything = OperationSet.of(range(TERNARY_2.size))
    assert everything.digest == hashlib.sha256(b"\xff" * 2460 + b"\x07").hexdigest()


@given(st.sets(st.integers(0, TERNARY_2.size - 1), max_size=50))
def test_a_set_survives_its_bitmap(members: set[int]) -> None:
    original = OperationSet.of(sorted(members))
    assert list(OperationSet.from_bytes(original.to_bytes())) == sorted(members)


@given(st.sets(st.integers(0, TERNARY_2.size - 1)), st.sets(st.integers(0, TERNARY_2.size - 1)))
def test_union_and_difference_are_those_of_sets(left: set[int], right: set[int]) -> None:
    a, b = OperationSet.of(sorted(left)), OperationSet.of(sorted(right))
    assert set(a | b) == left | right
    assert set(a - b) == left - right


def test_a_bitmap_of_another_length_or_with_padding_set_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^bitmap: 3 bytes, expected 2461$"):
        OperationSet.from_bytes(b"abc")
    with pytest.raises(FormatError, match=r"^bitmap: a padding bit after operation 19682 is set"):
        OperationSet.from_bytes(b"\x00" * 2460 + b"\x08")


def test_a_set_cannot_be_changed_through_its_mask() -> None:
    mask = np.zeros(TERNARY_2.size, dtype=np.bool_)
    held = OperationSet(mask)
    mask[5] = True
    assert 5 not in held
    with pytest.raises(ValueError, match="read-only"):
        held.mask[5] = True


VAST = Space(3, 3)
MEMBERS = st.sets(st.integers(0, 60) | st.integers(VAST.size - 60, VAST.size - 1), max_size=30)


def test_digest_of_a_vast_set_is_the_sha256_of_its_members_in_order() -> None:
    written = b"".join(member.to_bytes(8, "little") for member in (5, 700, VAST.size - 1))
    found = OperationSet.of([VAST.size - 1, 700, 5, 700], VAST)
    assert found.digest == hashlib.sha256(written).hexdigest()
    assert found.indices.tolist() == [5, 700, VAST.size - 1]
    assert OperationSet.of([], VAST).digest == hashlib.sha256().hexdigest()


@given(MEMBERS, MEMBERS)
def test_the_algebra_of_vast_sets_is_that_of_sets(left: set[int], right: set[int]) -> None:
    one, other = (OperationSet.of(list(members), VAST) for members in (left, right))
    assert set(one | other) == left | right
    assert set(one & other) == left & right
    assert set(one - other) == left - right
    assert set(one ^ other) == left ^ right
    assert (one <= other, one < other, one == other) == (left <= right, left < right, left == right)
    assert (hash(one) == hash(other)) == (left == right)
    assert [member in one for member in right] == [member in left for member in right]
    assert (len(one), -1 in one, VAST.size in one, True in one) == (len(left), False, False, False)


@given(MEMBERS)
def test_a_vast_set_survives_its_gaps_and_a_pickle(members: set[int]) -> None:
    whole = OperationSet.of(list(members), VAST)
    assert OperationSet.from_gaps(whole.to_gaps(), VAST, most=len(members)) == whole
    copy = pickle.loads(pickle.dumps(whole))
    assert copy == whole
    assert not copy.indices.flags.writeable


def test_a_vast_set_does_not_share_the_memory_of_what_it_was_made_of() -> None:
    given = np.array([1, 2, 3], np.int64)
    found = OperationSet.of(given, VAST)
    given[0] = 0
    assert found.indices.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        (found | OperationSet.of([], VAST)).indices[0] = 7


def test_indices_of_a_vast_set_have_the_type_of_the_space() -> None:
    assert OperationSet.of([2**24 - 1], Space(8, 1)).indices.dtype == np.int32
    assert OperationSet.of([0], VAST).indices.dtype == np.int64


TOO_MANY = "3,3: has 7,625,597,484,987 operations, more than the 2^20 that can be listed"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: OperationSet.of([1], VAST).mask,
        lambda: OperationSet.of([1], VAST).to_bytes(),
        lambda: OperationSet.from_bytes(b"", VAST),
        lambda: OperationSet(np.zeros(3, np.bool_), VAST),
    ],
)
def test_a_vast_set_has_neither_mask_nor_bitmap(wrong: Callable[[], object]) -> None:
    with pytest.raises(InputError) as refusal:
        wrong()
    assert str(refusal.value) == TOO_MANY


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: OperationSet.of([1]).to_gaps(),
        lambda: OperationSet.from_gaps(b"", TERNARY_2, most=1),
    ],
)
def test_a_listed_set_has_no_gaps(wrong: Callable[[], object]) -> None:
    with pytest.raises(InputError) as refusal:
        wrong()
    assert str(refusal.value) == "3,2: its 19,683 operations are listed, so its sets are bitmaps"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80", "members: ends within a number"),
        (b"\x01\x00", "members: 2 numbers, expected at most 1"),
        (b"\xff" * 8 + b"\x7f", "members: holds a number of 7,625,597,484,987 or more"),
    ],
)
def test_gaps_that_are_no_set_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as refusal:
        OperationSet.from_gaps(data, VAST, most=1, what="members")
    assert str(refusal.value) == message


def test_sets_of_a_listed_and_a_vast_space_are_not_combined() -> None:
    with pytest.raises(InputError) as refusal:
        OperationSet.of([1]) | OperationSet.of([1], VAST)
    assert str(refusal.value) == "operation sets: of the spaces 3,2 and 3,3, expected one space"
