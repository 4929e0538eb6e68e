import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk import operations
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2


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
