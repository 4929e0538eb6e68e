"""
Triples of operations a, b, c, and a + b - c in the ordinary arithmetic of their cells.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Space, Tables

USED: Final = 4096
"""Triples of each kind, at most."""
_DRAWN: Final = 1 << 17
"""Triples of which those are kept whose result has a value of the space in every cell."""

Sums = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Triples:
    """Some triples, of which c is neither a nor b: else the result would be the other by any arithmetic."""

    operations: Tables
    """Values of a, b and c, shape (3, n, cells)."""

    def __len__(self) -> int:
        return int(self.operations.shape[1])

    @property
    def sums(self) -> Sums:
        """a + b - c in each cell, also where that is not a value of the space, shape (n, cells)."""
        first, second, third = self.operations
        result: Sums = first + second - third
        return result

    def within(self, space: Space) -> "Triples":
        """Those whose result is an operation."""
        return self._those((rounded(self.sums, space) == self.sums).all(axis=1))

    def proper(self) -> "Triples":
        """Those of which c is another than a and b."""
        first, second, third = self.operations
        return self._those((first != third).any(axis=1) & (second != third).any(axis=1))

    def first(self, count: int) -> "Triples":
        """The first so many."""
        return Triples(operations=self.operations[:, :count])

    def _those(self, mask: npt.NDArray[np.bool_]) -> "Triples":
        return Triples(operations=self.operations[:, mask])


def rounded(sums: Sums, space: Space) -> Tables:
    """Sums with each cell put to the nearest value of the space, shape (n, cells)."""
    return np.clip(sums, space.values[0], space.values[-1])


def drawn(pool: Tables) -> Triples:
    """Uniform triples of some operations, tables of shape (n, cells), n at least 1."""
    chosen = np.random.default_rng(0).integers(len(pool), size=(3, _DRAWN))
    return Triples(operations=pool[chosen]).proper()


def uniform(space: Space) -> Triples:
    """Uniform triples of operations of a space."""
    random = np.random.default_rng(0)
    low, high = space.values[0], space.values[-1]
    size = (3, USED + USED // 8, space.cells)  # a few have c twice in a space of few operations
    return Triples(operations=random.integers(low, high + 1, size=size, dtype=np.int8)).proper().first(USED)


def uniform_within(space: Space) -> Triples:
    """Uniform triples among those whose result is an operation, drawn cell by cell: in (3, 3) one of 13,000
    has one."""
    possible = np.array(
        [cell for cell in product(space.values, repeat=3) if cell[0] + cell[1] - cell[2] in space.values],
        dtype=np.int8,
    )
    size = (USED + USED // 8, space.cells)
    chosen = np.random.default_rng(0).integers(len(possible), size=size)
    return Triples(operations=np.moveaxis(possible[chosen], 2, 0)).proper().first(USED)
