"""Uniform operations, and single rows wherever they stand."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vectors import vast
from tests.vectors.streams import MASK

from ternary_sdk._internal.streams import scattered
from ternary_sdk._internal.streams.stream import AES, PHILOX, uniform_of
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "vast.json").read_text("utf-8"))
NAMES = list(vast.SPACES)


@pytest.mark.parametrize("name", NAMES)
def test_uniform_operations_are_the_pinned_ones(name: str) -> None:
    assert AES.uniform(7, 0, 12, Space.parse(name)).tolist() == VECTORS["uniform"][name]
    assert AES.of(32).uniform(7, 4, 8, Space.parse(name)).tolist() == VECTORS["uniform"][name][4:]


@given(seed=st.integers(0, MASK), entry=st.integers(0, 2**40), name=st.sampled_from(NAMES))
def test_an_entry_is_what_the_formats_page_says(seed: int, entry: int, name: str) -> None:
    expected = vast.uniform(seed, entry, vast.SPACES[name])
    assert AES.uniform(seed, entry, 1, Space.parse(name)).tolist() == [expected]


def test_a_word_that_would_favour_small_indices_is_passed_over() -> None:
    """Of (5, 2) the last 2^64 mod N words are passed over, and the last word is taken if none is left."""
    size = 5**25
    last, first = 2**64 - 1, 2**64 // size * size
    rows = [[first - 1, 0, 0, 0], [first, 5, 0, 0], [last, last, last, 7], [last, last, last, last]]
    found = uniform_of(np.array(rows, np.uint64), Space(5, 2))
    assert found.tolist() == [size - 1, 5, 7, last % size]


@pytest.mark.parametrize("space", [Space(8, 1), Space(4, 2), Space(3, 1)], ids=str)
def test_uniform_operations_are_uniform(space: Space) -> None:
    """Chi-squared of 27 equal parts, 10^5 entries: below 70 but for one in a million."""
    found = AES.uniform(3, 0, 10**5, space)
    assert found.dtype == np.int64
    counts = np.bincount(found * 27 // space.size, minlength=27)
    assert len(counts) == 27
    assert ((counts - 10**5 / 27) ** 2 / (10**5 / 27)).sum() < 70


@pytest.mark.parametrize("size", [8, 16, 64])
@settings(max_examples=20)
@given(seed=st.integers(0, MASK), rows=st.lists(st.integers(0, 2**40), max_size=5))
def test_scattered_rows_are_those_of_the_stream(size: int, seed: int, rows: list[int]) -> None:
    stream, places = AES.of(size), np.array(rows, np.int64)
    found = scattered.prior(stream, seed, places)
    assert found.shape == (len(rows), size)
    for row, latents in zip(rows, found, strict=True):
        assert np.array_equal(latents, stream.prior(seed, row, 1)[0])
    entries = scattered.uniform(stream, seed, places, Space(3, 3))
    assert entries.tolist() == [int(stream.uniform(seed, row, 1, Space(3, 3))[0]) for row in rows]


def test_rows_of_version_1_are_no_cipher_blocks() -> None:
    with pytest.raises(FormatError) as refusal:
        scattered.prior(PHILOX, 1, np.zeros(1, np.int64))
    assert str(refusal.value) == (
        "latent stream: version 1 has no rows that are cipher blocks, expected version 2"
    )
