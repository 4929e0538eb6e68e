"""
Cells of a truth table that are tied to each other, or may have only some of the values.

Such demands compose exactly. The cells fall into classes: in a class, the value of one cell gives those of all
others. Each class has its own choices, which do not depend on those of other classes.
"""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.ranked import Counted, Numbers
from ternary_sdk.space import Space

__all__ = ["CellClass", "Map", "Tied", "Ties"]

_MOST_JOINED: Final = 1 << 12
"""The most choices of a table of several classes: 32 kB."""


@dataclass(frozen=True, eq=False)
class Map:
    """An equation for every cell: the digit of ``partners[cell]`` is ``relabelled[digit of cell]``."""

    partners: npt.NDArray[np.intp]
    """A permutation of the cells, shape (cells,)."""

    relabelled: npt.NDArray[np.intp]
    """A permutation of the digits, shape (radix,)."""


@dataclass(frozen=True, eq=False)
class Ties:
    """What is demanded of the cells. ``&`` demands both."""

    space: Space
    allowed: npt.NDArray[np.bool_]
    """Which digits each cell may have, shape (cells, radix)."""
    maps: tuple[Map, ...] = field(default=())

    @classmethod
    def none(cls, space: Space) -> "Ties":
        """No demand: the whole space."""
        return cls(space, np.ones((space.cells, space.radix), np.bool_))

    def __and__(self, other: "Ties") -> "Ties":
        return Ties(self.space, self.allowed & other.allowed, self.maps + other.maps)

    @cached_property
    def classes(self) -> tuple["CellClass", ...]:
        """The classes of cells, the one with the highest cell first."""
        found, seen = [], set[int]()
        for cell in reversed(range(self.space.cells)):
            if cell not in seen:
                found.append(self._class_of(cell))
                seen.update(found[-1].cells.tolist())
        return tuple(found)

    def _class_of(self, root: int) -> "CellClass":
        """All that follows from the digit of one cell, and the digits with which it leads to no contradiction."""
        digits, to_do = {root: np.arange(self.space.radix)}, [root]
        good = self.allowed[root].copy()
        while to_do:
            cell = to_do.pop()
            for tie in self.maps:
                partner, found = int(tie.partners[cell]), tie.relabelled[digits[cell]]
                if partner not in digits:
                    digits[partner] = found
                    good &= self.allowed[partner][found]
                    to_do.append(partner)
                good &= digits[partner] == found
        return CellClass(np.array(list(digits)), np.array(list(digits.values())).T[good])


@dataclass(frozen=True, eq=False)
class CellClass:
    """Cells that have their values together."""

    cells: npt.NDArray[np.intp]
    """The highest first, shape (m,)."""

    digits: npt.NDArray[np.intp]
    """The digits of the cells in each choice, that of the highest cell ascending, shape (choices, m)."""

    def weights(self, space: Space) -> Numbers:
        """What each choice adds to the index, ascending, shape (choices,)."""
        weights: Numbers = self.digits.astype(np.int64) @ space.places[self.cells]
        return weights

    def counts(self, radix: int) -> npt.NDArray[np.intp]:
        """How many of the cells have each digit in each choice, shape (choices, radix)."""
        return (self.digits[:, :, None] == np.arange(radix)).sum(axis=1)


class Tied(Counted):
    """All operations that meet some ties: a choice for each class of cells.

    Two members differ first, from above, in the highest cell of some class. So the choices are the digits of a
    number of mixed radix that ascends with the index.
    """

    def __init__(self, ties: Ties) -> None:
        weights = [each.weights(ties.space) for each in ties.classes]
        super().__init__(ties.space, prod(map(len, weights)))
        self._tables = _joined(weights[::-1])

    def _unrank(self, ranks: Numbers) -> Numbers:
        indices = np.zeros(len(ranks), np.int64)
        for table in self._tables:
            above = ranks // len(table)
            indices += table[ranks - above * len(table)]
            ranks = above
        return indices


def _joined(weights: list[Numbers]) -> list[Numbers]:
    """Tables of several classes each, from the lowest on: one look-up then does for all of them."""
    tables = [np.zeros(1, np.int64)]
    for each in weights:
        if len(tables[-1]) * len(each) > _MOST_JOINED:
            tables.append(np.zeros(1, np.int64))
        tables[-1] = (each[:, None] + tables[-1]).reshape(-1)
    return tables
