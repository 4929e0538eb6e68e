"""
Where the cells of a space's picture lie.

An index is written in digits of the space's radix. The lower half of the digits is the column, the upper half
the row, both counted from the top left corner.
"""

from dataclasses import dataclass
from typing import Final

from ternary_sdk.space import Space

__all__ = ["Axis", "Frame"]

LEFT: Final = 104
"""Room for the row axis, in units of the drawing."""
TOP: Final = 30
"""Room for the title."""

_WIDTH, _HEIGHT = 972, 486
_MOST_SIDE: Final = 48
_MOST_BANDS: Final = 9


@dataclass(frozen=True)
class Axis:
    """The rows or the columns: some cells of the table, of which the last is the most significant."""

    space: Space
    first: int
    """The least significant cell."""
    end: int
    """One beyond the most significant cell."""

    @property
    def count(self) -> int:
        """How many rows or columns there are."""
        return int(self.space.radix ** (self.end - self.first))

    @property
    def leading(self) -> tuple[int, ...]:
        """The cells that ticks show: the most significant first, as many as give at most 9 bands."""
        shown = 1
        while shown < self.end - self.first and self.space.radix ** (shown + 1) <= _MOST_BANDS:
            shown += 1
        return tuple(range(self.end - 1, self.end - 1 - shown, -1))

    @property
    def bands(self) -> int:
        """In how many parts the ticks divide the axis: one for each choice of the leading cells' values."""
        return int(self.space.radix ** len(self.leading))

    def values(self, band: int) -> tuple[int, ...]:
        """The values of the leading cells within a band, in the order of ``leading``."""
        digits = []
        for _ in self.leading:
            band, digit = divmod(band, self.space.radix)
            digits.append(self.space.values[digit])
        return tuple(reversed(digits))


@dataclass(frozen=True)
class Frame:
    """The picture of a listed space, in units of the drawing.

    Raises:
        InputError: If the space is vast.
    """

    space: Space

    def __post_init__(self) -> None:
        self.space.expect_listed()

    @property
    def columns(self) -> Axis:
        """The columns: the lower half of the cells, and the middle one."""
        return Axis(self.space, 0, self.space.cells - self.space.cells // 2)

    @property
    def rows(self) -> Axis:
        """The rows: the upper half of the cells."""
        return Axis(self.space, self.columns.end, self.space.cells)

    @property
    def side(self) -> float:
        """Side of a cell: the largest with which the picture fits into 972 × 486, at most 48."""
        return min(_WIDTH / self.columns.count, _HEIGHT / self.rows.count, _MOST_SIDE)

    @property
    def right(self) -> int:
        """Where the picture ends."""
        return LEFT + round(self.side * self.columns.count)

    @property
    def bottom(self) -> int:
        """Where the picture ends."""
        return TOP + round(self.side * self.rows.count)

    def centre(self, index: int) -> tuple[float, float]:
        """The middle of an operation's cell, x and y."""
        row, column = divmod(index, self.columns.count)
        return LEFT + self.side * (column + 0.5), TOP + self.side * (row + 0.5)
