"""
Random ranks in a set whose members are numbered from 0, as a function of the seed and the set's size alone.

No permutation of the set is kept: ranks repeat until few are new, and only then are the others put in order.
docs/formats.md, section 3, is their definition.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ternary_sdk._internal.ascending import Numbers, Runs
from ternary_sdk._internal.inference.drawing import until_few
from ternary_sdk._internal.inference.runtime import BLOCK
from ternary_sdk._internal.streams.stream import CHOICE, REMAINDER, Stream, below

AT_ONCE: Final = 32 * BLOCK
"""The most ranks in one part."""
EXHAUSTED: Final = 1 << 22
"""Sets up to this size are tried to the end, whatever share of them has a witness."""


def repeating(stream: Stream, seed: int, size: int) -> Iterator[Numbers]:
    """Uniform ranks in [0, size), independent of one another, without end.

    Args:
        stream: Where random words come from.
        seed: In [0, 2^64).
        size: At least 1.
    Returns:
        Parts of 2,048 to 65,536 ranks.
    """
    start, rows = 0, BLOCK
    while True:
        yield below(size, stream.words(seed, CHOICE, start, rows))
        start, rows = start + rows, min(2 * rows, AT_ONCE)


def different(stream: Stream, seed: int, size: int) -> Iterator[Numbers]:
    """All ranks in [0, size), each once, in a uniformly random order.

    First occurrences in the repeating ones come first, up to the block that brings less than 10 % new.

    Args:
        stream: Where random words come from.
        seed: In [0, 2^64).
        size: At least 1.
    Returns:
        Parts of at most 65,536 ranks, some of them empty.
    """
    seen, saturated, parts = Runs(), False, repeating(stream, seed, size)
    while not saturated:
        entries = next(parts)
        found, saturated = until_few(seen.first_occurrences(entries), len(entries) // BLOCK)
        seen.add(np.sort(entries[found]))
        yield entries[found]
    yield from _others(stream, seed, size, seen)


def _others(stream: Stream, seed: int, size: int, seen: Runs) -> Iterator[Numbers]:
    """The ranks that were not seen, ordered by a random word of their own."""
    ranks, words = [], []
    for start in range(0, size, AT_ONCE):
        part = np.arange(start, min(start + AT_ONCE, size))
        left = ~seen.contain(part)
        ranks.append(part[left])
        words.append(stream.words(seed, REMAINDER, start, len(part))[left, 0])
    order = np.argsort(np.concatenate(words), kind="stable")
    ordered = np.concatenate(ranks)[order]
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]
