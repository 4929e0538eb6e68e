"""
Sets of vast spaces in a meter's file: segments, each some operations of one set, written once and never
changed.

A call appends what it adds as one segment, in its own transaction. No two segments of a set share an
operation, so a set has as many operations as its segments together. Segments are joined later, the small ones
where they are appended and the large ones beside the calls (``joining``); joining writes one and deletes
those that it replaces, in one transaction.
"""

import math
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np

from ternary_sdk._internal import ascending
from ternary_sdk._internal.ascending import Numbers
from ternary_sdk._internal.documents import gaps
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

TABLE: Final = """
CREATE TABLE segments (
    number INTEGER PRIMARY KEY,
    history TEXT NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    operations INTEGER NOT NULL CHECK (operations > 0),
    gaps BLOB NOT NULL
) STRICT
"""
INDEX: Final = "CREATE INDEX segments_of_history ON segments (history)"

AT_ONCE: Final = 1 << 16
"""Most operations that are joined in a call's own transaction; more take longer than a call should wait."""

LARGEST: Final = 1 << 22
"""A segment of this many operations or more is joined no more, so that no step costs more than a second."""

_TOGETHER: Final = 3
"""So many segments of about one size are joined: each operation is written again for each threefold growth of
its set, and a set of three-input ternary operations takes less than four bytes for each."""

DECODED: Final[Decoded[Numbers]] = Decoded()
"""The operations of the segments that this process used last, by number. A number is drawn at random, so it
never means another segment, whatever happens to the file."""


@dataclass(frozen=True)
class Segment:
    """Some operations of one set, as its row says."""

    number: int
    """Its own, at random."""
    confirmed: bool
    """Whether the server has acknowledged them."""
    operations: int
    """How many."""


@dataclass(frozen=True)
class Written:
    """The operations of a new segment, and its bytes."""

    members: Numbers
    """Ascending."""
    data: bytes
    """Their gaps."""

    @classmethod
    def of(cls, members: Numbers) -> "Written":
        """Write operations, which takes a second where they are millions."""
        return cls(members, gaps.encode(members))


class Segmented:
    """A set of a vast space in an open file, whose segments are read when they are needed.

    Args:
        connection: The file, in a transaction.
        history: Names the set.
        space: What its members are operations of.
    Raises:
        FormatError: If what the file holds is not what its table says.
    """

    def __init__(self, connection: sqlite3.Connection, history: str, space: Space) -> None:
        self._connection, self._history, self._space = connection, history, space
        query = "SELECT number, confirmed, operations FROM segments WHERE history = ? ORDER BY operations"
        rows = connection.execute(query, (history,)).fetchall()
        self.segments = [Segment(number, bool(confirmed), count) for number, confirmed, count in rows]
        if not all(
            type(value) is int and value > 0 for number, _, count in rows for value in (number, count)
        ):
            raise FormatError("segments: number, operations: not all of them are integers above 0")

    def __len__(self) -> int:
        return sum(segment.operations for segment in self.segments)

    def lacking(self, wanted: OperationSet) -> OperationSet:
        """Those of the wanted operations that it does not have."""
        left = wanted.indices.astype(np.int64, copy=False)
        for segment in reversed(self.segments):  # the largest first: it is the likeliest to have them
            left = left[~ascending.contains(self.members(segment), left)]
        return OperationSet.of(left, self._space)

    @property
    def operations(self) -> OperationSet:
        """All its operations."""
        return self._together(self.segments)

    @property
    def pending(self) -> OperationSet:
        """Those that the server has not acknowledged."""
        return self._together([segment for segment in self.segments if not segment.confirmed])

    def members(self, segment: Segment) -> Numbers:
        """The operations of a segment.

        Raises:
            FormatError: If they are not what its row says.
        """
        found = DECODED.find(segment.number)
        return DECODED.keep(segment.number, self._read(segment)) if found is None else found

    def decode(self) -> None:
        """Read all segments, so that ``members`` finds them, if they are not too many to be remembered."""
        for segment in self.segments:
            self.members(segment)

    def append(self, members: Numbers, *, confirmed: bool = False) -> None:
        """Add operations that it does not have, as a segment, and join it with others while that is quick."""
        self._insert(Written.of(members), confirmed=confirmed)
        while group := due(self.segments, most=AT_ONCE):
            self.join(group, Written.of(reduce(ascending.union, map(self.members, group))))

    def join(self, group: Sequence[Segment], joined: Written) -> None:
        """Write one segment in the place of several, which together have its operations."""
        self._delete(group)  # first, so that the file has room for the new one
        self._insert(joined, confirmed=group[0].confirmed)

    def confirm(self, operations: OperationSet) -> None:
        """Mark operations as acknowledged by the server."""
        confirmed = operations.indices.astype(np.int64, copy=False)
        for segment in [one for one in self.segments if not one.confirmed]:
            members = self.members(segment)
            left = ascending.minus(members, confirmed)
            if len(left) < len(members):
                self._delete([segment])
                if len(left):
                    self._insert(Written.of(left), confirmed=False)
        self.append(confirmed, confirmed=True)

    def doubt(self) -> None:
        """Mark every operation as one that the server has not acknowledged."""
        self._connection.execute("UPDATE segments SET confirmed = 0 WHERE history = ?", (self._history,))

    def _read(self, segment: Segment) -> Numbers:
        query = "SELECT gaps FROM segments WHERE number = ?"
        (data,) = self._connection.execute(query, (segment.number,)).fetchone()
        if not isinstance(data, bytes):
            raise FormatError("segments: gaps: its SQLite type is not blob")
        found = gaps.decode(data, below=self._space.size, most=segment.operations, what="segments: gaps")
        if len(found) != segment.operations:
            raise FormatError(f"segments: gaps: {len(found):,} numbers, expected {segment.operations:,}")
        return found

    def _insert(self, written: Written, *, confirmed: bool) -> None:
        segment = Segment(1 + secrets.randbits(62), confirmed, len(written.members))
        values = (segment.number, self._history, int(confirmed), segment.operations, written.data)
        self._connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", values)
        DECODED.keep(segment.number, written.members)
        self.segments = sorted([*self.segments, segment], key=lambda one: one.operations)

    def _delete(self, group: Sequence[Segment]) -> None:
        gone = {segment.number for segment in group}
        self._connection.executemany("DELETE FROM segments WHERE number = ?", [(one,) for one in gone])
        self.segments = [segment for segment in self.segments if segment.number not in gone]
        for number in gone:
            DECODED.forget(number)

    def _together(self, segments: Sequence[Segment]) -> OperationSet:
        # From the smallest to the largest: each is merged about as often as it is doubled.
        empty = np.empty(0, np.int64)
        return OperationSet.of(reduce(ascending.union, map(self.members, segments), empty), self._space)


def due(segments: Sequence[Segment], *, most: int) -> list[Segment]:
    """Which segments are to be joined next: several of about one size, the smallest such.

    Args:
        segments: All of one set.
        most: How many operations they may have together.
    Returns:
        Of one size to within a factor of three, and all confirmed or none; empty if there is nothing to do.
    """
    groups: dict[tuple[int, bool], list[Segment]] = {}
    for segment in segments:
        if segment.operations < LARGEST:
            groups.setdefault((int(math.log(segment.operations, _TOGETHER)), segment.confirmed), []).append(
                segment
            )
    for _, group in sorted(groups.items()):
        together = group[:_TOGETHER]
        if len(together) == _TOGETHER and sum(segment.operations for segment in together) <= most:
            return together
    return []
