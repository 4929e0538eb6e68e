"""Random ranks: each once, in an order that only seed and size decide."""

from itertools import islice

import numpy as np
import pytest

from ternary_sdk._internal.inference import ranks
from ternary_sdk._internal.inference.runtime import BLOCK
from ternary_sdk._internal.streams.stream import AES, CHOICE, REMAINDER, below

SIZES = [1, 2, 36, 2048, 59_049, 300_000]


def all_of(size, seed=7):
    return np.concatenate(list(ranks.different(AES, seed, size)))


@pytest.mark.parametrize("size", SIZES)
def test_every_rank_occurs_once(size):
    assert np.array_equal(np.sort(all_of(size)), np.arange(size))


def test_order_is_that_of_the_formats_document():
    """First occurrences up to the block that brings less than 10 % new, then the others by a word."""
    size, seed = 3000, 7
    entries, seen = below(size, AES.words(seed, CHOICE, 0, 40 * BLOCK)), list[int]()
    for block in entries.reshape(-1, BLOCK).tolist():
        new = [rank for rank in dict.fromkeys(block) if rank not in set(seen)]
        seen += new
        if len(new) < 0.1 * BLOCK:
            break
    words = AES.words(seed, REMAINDER, 0, size)[:, 0].tolist()
    left = sorted(set(range(size)) - set(seen), key=lambda rank: (words[rank], rank))
    assert left
    assert all_of(size).tolist() == seen + left


def test_seeds_and_sizes_give_other_orders():
    first = [all_of(size, seed)[:5].tolist() for size, seed in ((36, 1), (36, 2), (37, 1))]
    assert len(set(map(tuple, first))) == 3


def test_first_of_three_is_each_equally_often():
    first = [int(next(ranks.different(AES, seed, 3))[0]) for seed in range(3000)]
    counts = np.bincount(first, minlength=3)
    assert ((counts - 1000) ** 2 / 1000).sum() < 13.8  # exceeded once in a thousand seeds


def test_repeating_ranks_are_the_words_of_their_rows():
    parts = list(islice(ranks.repeating(AES, 5, 10**12), 3))
    assert [len(part) for part in parts] == [BLOCK, 2 * BLOCK, 4 * BLOCK]
    assert np.array_equal(np.concatenate(parts), below(10**12, AES.words(5, CHOICE, 0, 7 * BLOCK)))


def test_a_set_larger_than_what_is_drawn_repeats_nothing():
    parts = np.concatenate(list(islice(ranks.different(AES, 5, 2**62), 5)))
    assert len(np.unique(parts)) == len(parts) == 31 * BLOCK
