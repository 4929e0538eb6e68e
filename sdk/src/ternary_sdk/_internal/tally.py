"""
How often numbers occur: how many different ones, once, twice, and in how many pairs.

Exact, by sorting. A tally of separate ranges is the sum of their tallies.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Items = npt.NDArray[np.integer[Any]]

_CHUNK: Final = 1 << 16
"""Numbers scanned at a time: few enough for a core's cache."""
_BINS: Final = 256
"""Into how many parts a range is cut that is too large to sort."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of different numbers, by how often each occurs."""

    draws: int = 0
    """All occurrences together."""

    distinct: int = 0
    """Different numbers."""

    once: int = 0
    """Those that occur once."""

    twice: int = 0
    """Those that occur twice."""

    pairs: int = 0
    """Σ c(c - 1)/2 over the different numbers, c being how often each occurs."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            draws=self.draws + other.draws,
            distinct=self.distinct + other.distinct,
            once=self.once + other.once,
            twice=self.twice + other.twice,
            pairs=self.pairs + other.pairs,
        )


def of_counts(counts: npt.NDArray[np.integer[Any]]) -> Tally:
    """The tally of numbers whose occurrences are given, one entry for each number; an entry may be 0."""
    often, numbers = np.unique(counts[counts > 0], return_counts=True)
    pairs = list(zip(often.tolist(), numbers.tolist(), strict=True))
    of = dict(pairs)
    return Tally(
        draws=sum(c * n for c, n in pairs),
        distinct=sum(n for _, n in pairs),
        once=of.get(1, 0),
        twice=of.get(2, 0),
        pairs=sum(c * (c - 1) // 2 * n for c, n in pairs),
    )


def of_sorted(ascending: Items) -> Tally:
    """The tally of numbers in ascending order.

    Most occur once in a vast space, so only those that do not are counted one by one.
    """
    total, start = Tally(), 0
    while start < len(ascending):
        end = min(start + _CHUNK, len(ascending))
        if end < len(ascending):  # a run is never cut
            end = start + int(np.searchsorted(ascending[start:end], ascending[end]))
            if end == start:
                end = int(np.searchsorted(ascending, ascending[start], side="right"))
        total += _scanned(ascending[start:end])
        start = end
    return total


def _scanned(run: Items) -> Tally:
    again = run[1:] == run[:-1]
    if not again.any():
        return Tally(draws=len(run), distinct=len(run), once=len(run))
    repeated = np.concatenate([again, [False]]) | np.concatenate([[False], again])
    _, counts = np.unique(run[repeated], return_counts=True)
    single = len(run) - int(np.count_nonzero(repeated))
    return of_counts(counts) + Tally(draws=single, distinct=single, once=single)


def of_parts(parts: Callable[[], Iterator[Items]], low: int, high: int, most: int) -> Tally:
    """The tally of numbers in [low, high) that come in ascending parts, sorting at most ``most`` at a time.

    Where there are more, the range is cut, and the parts are asked for again.

    Args:
        parts: Gives the same parts each time, each ascending; one by one, because together they may not fit.
        low: First number of the range.
        high: First number above it, at most 2^63.
        most: How many numbers may be held, at least 1.
    """
    edges = [low + (high - low) * step // _BINS for step in range(_BINS + 1)]
    sizes = np.zeros(_BINS, np.int64)
    for part in parts():
        sizes += np.diff(_places(part, edges))
    if high - low == 1:
        return _repeated(int(sizes.sum()))
    total = Tally()
    for first, end in groups(sizes, most):
        if (size := int(sizes[first:end].sum())) == 0:
            continue
        if size > most and edges[end] - edges[first] > 1:
            total += of_parts(parts, edges[first], edges[end], most)
        elif size > most:
            total += _repeated(size)
        else:
            total += of_sorted(_gathered(parts(), edges[first], edges[end], size))
    return total


def _repeated(draws: int) -> Tally:
    """The tally of one number."""
    return Tally(
        draws=draws,
        distinct=int(draws > 0),
        once=int(draws == 1),
        twice=int(draws == 2),
        pairs=draws * (draws - 1) // 2,
    )


def _places(part: Items, edges: list[int]) -> npt.NDArray[np.intp]:
    """How many numbers of a part are below each edge, of which the last may be too large for its type."""
    within = np.array([min(edge, np.iinfo(part.dtype).max) for edge in edges], part.dtype)
    places = np.searchsorted(part, within)
    return np.where([edge > int(top) for edge, top in zip(edges, within, strict=True)], len(part), places)


def _gathered(parts: Iterable[Items], low: int, high: int, size: int) -> Items:
    """The numbers in [low, high) of all parts, sorted."""
    held, place = None, 0
    for part in parts:
        first, end = _places(part, [low, high])
        if held is None:
            held = np.empty(size, part.dtype)
        held[place : place + end - first] = part[first:end]
        place += int(end - first)
    gathered = np.empty(0, np.uint32) if held is None else held
    gathered.sort()
    return gathered


def groups(sizes: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Neighbors together, as many as have at most ``most`` in all; one that alone has more is by itself."""
    first, held = 0, 0
    for place, size in enumerate(sizes.tolist()):
        if held + size > most and place > first:
            yield first, place
            first, held = place, 0
        held += size
    if len(sizes):
        yield first, len(sizes)
