from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from ternary_sdk._internal import tally
from ternary_sdk._internal.tally import Items, Tally


def plain(numbers: Items) -> Tally:
    counts = Counter(numbers.tolist()).values()
    return Tally(
        draws=sum(counts),
        distinct=len(counts),
        once=sum(count == 1 for count in counts),
        twice=sum(count == 2 for count in counts),
        pairs=sum(count * (count - 1) // 2 for count in counts),
    )


def some(size: int, below: int, dtype: str = "<u4", seed: int = 1) -> Items:
    return np.sort(np.random.default_rng(seed).integers(0, below, size, dtype="<u8")).astype(dtype)


CASES = {
    "none": some(0, 9),
    "one": some(1, 9),
    "few values": some(5000, 7),
    "hardly a repeat": some(200_000, 1 << 32),
    "many repeats": some(300_000, 100_000),
    "one value longer than a scan": np.full(200_000, 4_000_000_000, "<u4"),
    "a value across the scan's end": np.repeat(np.arange(3, dtype="<u4"), [65_530, 20, 70_000]),
    "eight bytes": some(100_000, 1 << 63, "<u8"),
}


@pytest.mark.parametrize("numbers", CASES.values(), ids=CASES)
def test_sorted_numbers_are_counted_as_a_plain_counter_counts_them(numbers: Items) -> None:
    assert tally.of_sorted(numbers) == plain(numbers)


@pytest.mark.parametrize("at_once", [1, 2, 7, 1000])
def test_numbers_are_counted_in_parts_as_they_are_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Indices of a vast space, which are signed, too."""
    monkeypatch.setattr(tally, "_CHUNK", at_once)
    numbers = some(200, 40, "<i8")
    assert tally.of_sorted(numbers) == plain(numbers)
    assert tally.of_sorted(numbers[:0]) == Tally()


@pytest.mark.parametrize("most", [1, 3, 200, 10**9])
@pytest.mark.parametrize("numbers", [some(900, 7), some(900, 600), some(600, 1 << 63, "<u8")])
def test_parts_are_counted_as_the_whole_however_few_numbers_may_be_held(numbers: Items, most: int) -> None:
    shuffled = np.random.default_rng(2).permutation(numbers)
    parts = [np.sort(part) for part in np.array_split(shuffled, 5)]

    def again() -> Iterator[Items]:
        return iter(parts)

    high = 1 << 63 if numbers.dtype == np.dtype("<u8") else 1 << 32
    assert tally.of_parts(again, 0, high, most) == plain(numbers)


def test_occurrences_of_a_listed_space_are_counted_as_pairs_beyond_64_bits() -> None:
    counted = tally.of_counts(np.array([0, 1, 2, 10**12, 0, 1]))
    assert counted == Tally(
        draws=10**12 + 4, distinct=4, once=2, twice=1, pairs=1 + 10**12 * (10**12 - 1) // 2
    )


def test_neighbors_go_together_while_they_fit() -> None:
    assert list(tally.groups(np.array([3, 4, 1, 9, 0, 2, 8]), 8)) == [(0, 3), (3, 4), (4, 6), (6, 7)]
    assert list(tally.groups(np.array([], np.int64), 8)) == []
