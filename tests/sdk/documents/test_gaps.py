"""
Ascending numbers as gaps: against a decoder written byte by byte, and everything that must be refused.
"""

import numpy as np
import pytest

from ternary_sdk._internal.documents import gaps
from ternary_sdk.errors import FormatError


def by_hand(data: bytes) -> list[int]:
    numbers, last, value, shift = [], -1, 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            last += value + 1
            numbers.append(last)
            value = shift = 0
    return numbers


CASES = [[], [0], [127], [128], [0, 1, 2, 130], [5, 2**40, 2**62], [2**63 - 1], list(range(300))]


@pytest.mark.parametrize("numbers", CASES, ids=str)
def test_what_is_written_is_read_again_and_by_hand(numbers: list[int]) -> None:
    data = gaps.encode(np.array(numbers, np.int64))
    assert by_hand(data) == numbers
    assert gaps.decode(data, below=2**63, most=300, what="set").tolist() == numbers


def test_random_sets_of_all_sizes_of_gaps() -> None:
    random = np.random.default_rng(5)
    for bits in range(1, 63):
        numbers = np.unique(random.integers(0, 2**bits, 200))
        data = gaps.encode(numbers)
        assert by_hand(data) == numbers.tolist()
        assert (gaps.decode(data, below=2**bits, most=200, what="set") == numbers).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x80", "ends within a number"),
        (b"\x01\xff", "ends within a number"),
        (b"\x80\x00", "more bytes than it needs"),
        (b"\xff" * 9 + b"\x01", "more bytes than it needs"),
        (b"\x64", "a number of 100 or more"),
        (b"\x62\x01", "a number of 100 or more"),
        (b"\x00" * 6, "6 numbers, expected at most 5"),
        ((b"\xff" * 8 + b"\x7f") * 2, "a number of 100 or more"),
        ((b"\xff" * 8 + b"\x7f") * 4, "a number of 100 or more"),
    ],
)
def test_refuses_anything_else(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=f"^set: .*{says}"):
        gaps.decode(data, below=100, most=5, what="set")


def test_any_bytes_are_refused_or_are_the_only_form_of_their_numbers() -> None:
    random = np.random.default_rng(6)
    for _ in range(3000):
        data = random.choice([0, 1, 127, 128, 129, 255], random.integers(1, 24)).astype(np.uint8).tobytes()
        try:
            numbers = gaps.decode(data, below=2**63, most=100, what="set")
        except FormatError:
            continue
        assert gaps.encode(numbers) == data


MANY = 3 * 2**16
"""Bytes enough to be read in several parts."""


def test_long_lists_are_read_across_parts() -> None:
    random = np.random.default_rng(7)
    written = random.integers(0, 2 ** random.integers(1, 40, MANY // 2), dtype=np.int64)
    numbers = np.cumsum(written + 1) - 1
    data = gaps.encode(numbers)
    assert len(data) > MANY
    assert (gaps.decode(data, below=2**63, most=len(numbers), what="set") == numbers).all()


@pytest.mark.parametrize("before", range(2**16 - 10, 2**16 + 1))
def test_a_number_may_lie_across_two_parts(before: int) -> None:
    data = bytes(before) + b"\xff" * 7 + b"\x01" + b"\x02"
    numbers = gaps.decode(data, below=2**63, most=MANY, what="set")
    assert numbers.tolist() == by_hand(data)


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (b"\x80", "ends within a number"),
        (b"\x80\x00", "a number takes more bytes than it needs"),
        (b"\xff" * 9 + b"\x01", "a number takes more bytes than it needs"),
        (b"\xff" * MANY + b"\x01", "a number takes more bytes than it needs"),
        (b"\x81\x01" * 2, "holds a number of 100,200 or more"),
        ((b"\xff" * 8 + b"\x7f") * 40_000, "holds a number of 100,200 or more"),
        (bytes(200_000), "300,000 numbers, expected at most 140,002"),
    ],
)
def test_the_end_of_a_long_list_is_checked(end: bytes, says: str) -> None:
    with pytest.raises(FormatError) as refusal:
        gaps.decode(bytes(100_000) + end, below=100_200, most=140_002, what="set")
    assert str(refusal.value) == f"set: {says}"
