"""
Which operations are nearest to one: the answer, and the distance that needs no model.

The Hamming distance of two operations is the number of cells in which their truth tables differ.
"""

from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.parsing import parse_typed
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Indices, Space

MOST_NEAREST: Final = 100_000
"""The most operations that one call lists."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """The operations nearest to one, nearest first; of equally near ones the lower index comes first."""

    of: int
    """The canonical index of the operation that they are near to; it is not among them."""

    index: Indices
    """Their canonical indices, shape (n,)."""

    hamming: npt.NDArray[np.int64]
    """In how many cells each differs from it, shape (n,)."""

    latent: npt.NDArray[np.float64] | None = None
    """The Euclidean distance of each latent from its latent, shape (n,); None where no model was asked."""

    compared: int
    """How many operations were compared, the nearest among them."""

    space: Space = TERNARY_2
    """What they are operations of."""

    def __len__(self) -> int:
        return len(self.index)


def hamming(index: int, others: Indices, space: Space) -> npt.NDArray[np.int64]:
    """In how many cells each of some operations, shape (n,), differs from one."""
    differ = space.from_index(others) != space.from_index([index])
    distances: npt.NDArray[np.int64] = differ.sum(axis=1, dtype=np.int64)
    return distances


def nearest(index: int, k: int = 10, space: Space = TERNARY_2) -> Neighbours:
    """The operations whose truth tables differ from one in the fewest cells. It needs no model.

    Args:
        index: A canonical index.
        k: How many, 1 to 100,000 and to all others of the space.
        space: What they are operations of.
    Raises:
        InputError: If an argument is out of range.
    """
    space.as_indices([index])
    most = expect_count(k, space)
    shells, found, distance = list[Indices](), 0, 0
    while found < most:
        distance += 1
        shells.append(np.sort(differing(index, distance, space)))
        found += len(shells[-1])
    distances = np.repeat(np.arange(1, distance + 1), [len(shell) for shell in shells])
    return Neighbours(
        of=int(index),
        index=np.concatenate(shells)[:most],
        hamming=distances[:most],
        compared=space.size - 1,
        space=space,
    )


def differing(index: int, cells: int, space: Space) -> Indices:
    """The operations that differ from one in exactly so many cells, at least 1, in no particular order."""
    digits = space.from_index([index])[0].astype(np.int64) - space.lowest
    steps = np.array(list(product(range(1, space.radix), repeat=cells)), np.int64)
    places = np.array(list(combinations(range(space.cells), cells)), np.intp)
    parts = np.empty((len(places), len(steps)), np.int64)
    for row, chosen in zip(parts, places, strict=True):
        changed = (digits[chosen] + steps) % space.radix
        row[:] = index + (changed - digits[chosen]) @ space.places[chosen]
    return parts.reshape(-1).astype(space.index_type, copy=False)


def within(index: int, cells: int, space: Space) -> Indices:
    """The other operations that differ from one in at most so many cells, ascending."""
    shells = [differing(index, each, space) for each in range(1, min(cells, space.cells) + 1)]
    return np.sort(np.concatenate(shells))


def expect_count(k: int, space: Space) -> int:
    """Check how many neighbours are asked for.

    Raises:
        InputError: If it is not a whole number from 1 to all other operations, or above 100,000.
    """
    most = min(space.size - 1, MOST_NEAREST)
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise InputError(f"k: {k!r}, expected an integer")
    if not 1 <= k <= most:
        raise InputError(f"k: {k}, expected 1 to {most:,}")
    return int(k)


def operation_of(given: int | str, space: Space) -> int:
    """The canonical index of an operation that is given as one, or as a text.

    Raises:
        InputError: If it is neither.
    """
    if isinstance(given, str):
        return parse_typed(given, space)
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 0 <= given < space.size:
        raise InputError(
            f"operation: {given!r}, expected 0 to {space.size - 1} or a text that stands for one"
        )
    return int(given)
