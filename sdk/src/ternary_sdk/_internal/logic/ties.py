"""
Cells of a truth table that are tied to each other, or may have only some of the values.

Such demands compose exactly. The cells fall into classes: in a class, the value of one cell gives those of
all others. Each class has its own choices, which do not depend on those of other classes.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.ranked import Numbers, Product
from ternary_sdk.space import Space

__all__ = ["CellClass", "Map", "Ties", "tied"]


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

    @property
    def classes(self) -> tuple["CellClass", ...]:
        """The classes of cells, the one with the highest cell first."""
        found, seen = [], set[int]()
        for cell in reversed(range(self.space.cells)):
            if cell not in seen:
                found.append(self._class_of(cell))
                seen.update(found[-1].cells.tolist())
        return tuple(found)

    def _class_of(self, root: int) -> "CellClass":
        """All cells that follow from one, for each digit of it that leads to no contradiction."""
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
        counts: npt.NDArray[np.intp] = (self.digits[:, :, None] == np.arange(radix)).sum(axis=1)
        return counts


def tied(ties: Ties) -> Product:
    """All operations that meet some ties, in ascending order.

    Two of them differ first, from above, in the highest cell of some class. So the choices are the digits of
    a number of mixed radix that ascends with the index.
    """
    return Product(ties.space, [each.weights(ties.space) for each in ties.classes])
