"""Partial specifications: some cells of a table are given, and any operation that has them will do."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2, Space

Digits = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Specification:
    """A table with free cells."""

    kind: str
    space: Space
    digits: Digits
    """Digit of each cell, -1 where it is free; shape (cells,)."""

    @property
    def free(self) -> npt.NDArray[np.int64]:
        """The free cells."""
        return np.flatnonzero(self.digits < 0)

    @property
    def completions(self) -> int:
        """How many operations meet it."""
        return int(self.space.radix ** len(self.free))

    def completed(self, digits: Digits) -> Digits:
        """The nearest tables that meet it: given cells replaced, the others as they are; shape (n, cells)."""
        return np.where(self.digits >= 0, self.digits, digits)

    def every(self) -> Digits:
        """All operations that meet it, shape (completions, cells)."""
        numbers = np.arange(self.completions)[:, None] // self.space.radix ** np.arange(len(self.free))
        tables = np.tile(self.digits, (self.completions, 1))
        tables[:, self.free] = numbers % self.space.radix
        return tables

    def uniform(self, random: np.random.Generator, count: int) -> Digits:
        """Uniform operations that meet it, shape (count, cells)."""
        return self.completed(random.integers(0, self.space.radix, (count, self.space.cells)))


def two_inputs(each: int = 10, seed: int = 1) -> list[Specification]:
    """Five kinds for (3, 2): 2, 3 or 4 cells anywhere, a whole row, and the corners of a Boolean function."""
    random = np.random.default_rng(seed)
    found = []
    for kind, cells in (("2 cells", 2), ("3 cells", 3), ("4 cells", 4)):
        found += [_some(kind, TERNARY_2, cells, random) for _ in range(each)]
    for _ in range(each):
        digits = np.full(9, -1)
        row = random.integers(0, 3)
        digits[3 * row : 3 * row + 3] = random.integers(0, 3, 3)
        found.append(Specification("a row", TERNARY_2, digits))
    boolean = random.permutation(np.arange(1, 15))[:each]  # 0 and 15 are constants
    for number in boolean:
        digits = np.full(9, -1)
        digits[[0, 2, 6, 8]] = 2 * (number >> np.arange(4) & 1)
        found.append(Specification("Boolean corners", TERNARY_2, digits))
    return found


def three_inputs(each: int = 5, seed: int = 2) -> list[Specification]:
    """Four kinds for (3, 3): 9 or 14 cells anywhere, a two-input operation where c = +1, Boolean corners."""
    random, space = np.random.default_rng(seed), Space(3, 3)
    found = [_some("9 cells", space, 9, random) for _ in range(each)]
    found += [_some("14 cells", space, 14, random) for _ in range(each)]
    for index in random.permutation(np.array(sorted(NAMES.values())))[:each]:
        digits = np.full(27, -1)
        digits[2::3] = TERNARY_2.from_index([int(index)])[0] + 1
        found.append(Specification("a named operation", space, digits))
    corners = [9 * a + 3 * b + c for a in (0, 2) for b in (0, 2) for c in (0, 2)]
    for number in random.integers(1, 255, each):
        digits = np.full(27, -1)
        digits[corners] = 2 * (number >> np.arange(8) & 1)
        found.append(Specification("Boolean corners", space, digits))
    return found


def _some(kind: str, space: Space, cells: int, random: np.random.Generator) -> Specification:
    digits = np.full(space.cells, -1)
    chosen = random.permutation(space.cells)[:cells]
    digits[chosen] = random.integers(0, space.radix, cells)
    return Specification(kind, space, digits)
