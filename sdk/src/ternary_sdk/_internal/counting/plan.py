"""
How many draws of a space are cut into tasks, and their results into ranges of the space.

A plan follows from the space and the number of draws alone, never from the machine: so any workers, and a run
that goes on later, make the same files.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS
from ternary_sdk.space import Space

LEAF_BYTES: Final = 32

_TASKS: Final = 128
"""A count has about as many tasks at least, so that workers end together and a lost task costs little."""
_MOST_BLOCKS: Final = 64
"""Of one task: 32 MiB of indices."""

_PARTITIONS: Final = 256
_MOST_PARTITIONS: Final = 4096
"""More would make a task's part of each too small to read at once."""

_ABOUT_A_FILE: Final = 1 << 12
"""Bytes of a task's file beside its items, table and near ties: its head, and what a disk rounds up."""
_TABLE_ROW: Final = 12


@dataclass(frozen=True)
class Plan:
    """The tasks and partitions of a count."""

    space: Space
    """Which operations are counted."""

    draws: int
    """How many rows are drawn, at least 1."""

    @property
    def rows(self) -> int:
        """Draws of one task, whole blocks; the last task may have fewer."""
        blocks = -(-self.draws // BLOCK_ROWS)
        return BLOCK_ROWS * min(_MOST_BLOCKS, max(1, blocks // _TASKS))

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return -(-self.draws // self.rows)

    def start_of(self, task: int) -> int:
        """The first row of a task."""
        return task * self.rows

    def rows_of(self, task: int) -> int:
        """Draws of a task."""
        return min(self.rows, self.draws - task * self.rows)

    @property
    def dense(self) -> bool:
        """Whether a task's file holds a number for each operation instead of the indices drawn.

        That is smaller where a task draws each operation once or more often on average.
        """
        return self.space.size <= self.rows

    @property
    def partitions(self) -> int:
        """Into how many ranges of equal width the space is cut, each counted by itself: the fewest, at least
        256, in which a place takes four bytes; but no more than 4,096."""
        if self.dense:
            return 1
        return min(_MOST_PARTITIONS, max(_PARTITIONS, -(-self.space.size // (1 << 32))))

    @property
    def width(self) -> int:
        """Operations of a partition; the last may have fewer, or none."""
        return -(-self.space.size // self.partitions)

    @property
    def item_type(self) -> "np.dtype[np.unsignedinteger[Any]]":
        """Of what a file holds: a place within the partition, or a number of draws."""
        return np.dtype("<u4" if self.dense or self.width <= 1 << 32 else "<u8")

    @property
    def bytes(self) -> int:
        """How much the files of all tasks take on the disk together, at most.

        For a listed space that holds while at most one draw in a hundred is a near tie, each two bytes. In
        other files a near tie takes no more than its index would.
        """
        items = self.space.size * self.tasks if self.dense else self.draws
        ties = self.draws // 50 if self.dense else 0
        table = self.tasks * (_ABOUT_A_FILE + _TABLE_ROW * self.partitions)
        leaves = LEAF_BYTES * -(-self.draws // BLOCK_ROWS)
        return items * self.item_type.itemsize + ties + table + 2 * leaves
