"""
Drawing rows from one path: from the prior, or by exploration.

Which row a draw holds depends on its seed, dial and position alone, never on how many rows are asked for,
how a request is split or how many threads compute it. docs/sampling.md says how it came to its speed.
"""

import itertools
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import ascending
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Floats
from ternary_sdk._internal.streams.stream import EXPLORATION, Stream, Words
from ternary_sdk.errors import CoverageError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices, Space

CHUNK: Final = 8
"""Blocks counted in one task, by one reader of the stream."""

SATURATED: Final = 0.10
"""A unique draw turns from the prior to operations that have a witness when a block brings less than this
share new."""

Lacking = Callable[[OperationSet], OperationSet]
"""Gives those of some operations that were not returned before."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Drawn rows."""

    index: Indices
    """Canonical indices, shape (n,)."""

    latents: Floats
    """The latent that decodes to each, shape (n, latent_size)."""

    def __len__(self) -> int:
        return len(self.index)

    def part(self, wanted: slice | npt.NDArray[np.generic]) -> "Rows":
        """Some of the rows."""
        return Rows(index=self.index[wanted], latents=self.latents[wanted])

    def without(self, operations: OperationSet) -> "Rows":
        """The rows of other operations."""
        return self.part(~np.isin(self.index, operations.indices))

    def followed_by(self, others: "Rows") -> "Rows":
        """These rows and others after them."""
        return Rows(
            index=np.concatenate([self.index, others.index]),
            latents=np.concatenate([self.latents, others.latents]),
        )


class Supply:
    """Rows, taken some at a time, whatever parts they come in.

    Args:
        parts: The rows.
        empty: No rows, of the types that the parts have.
    """

    def __init__(self, parts: Iterator[Rows], empty: Rows) -> None:
        self._parts, self._left = parts, empty

    def take(self, count: int) -> Rows:
        """The next rows.

        Raises:
            CoverageError: If there are not so many.
        """
        index = np.empty(count, self._left.index.dtype)
        latents = np.empty((count, self._left.latents.shape[1]), np.float32)
        filled = 0
        while filled < count:
            if not len(self._left):
                self._left = self._next()
            taken, self._left = (
                self._left.part(slice(count - filled)),
                self._left.part(slice(count - filled, None)),
            )
            place = slice(filled, filled + len(taken))
            index[place], latents[place] = taken.index, taken.latents
            filled += len(taken)
        return Rows(index=index, latents=latents)

    def _next(self) -> Rows:
        for part in self._parts:
            return part
        raise CoverageError("no further different operations: all that the certified model reaches are drawn")


def until_few(found: npt.NDArray[np.intp], blocks: int) -> tuple[npt.NDArray[np.intp], bool]:
    """Where the search for new operations ends: with the first block that brings too few.

    Args:
        found: Positions of new ones in some blocks, ascending.
        blocks: How many blocks.
    Returns:
        The positions up to the end of that block, and whether there is one.
    """
    few = np.bincount(found // BLOCK, minlength=blocks) < SATURATED * BLOCK
    if not few.any():
        return found, False
    return found[found < (int(np.argmax(few)) + 1) * BLOCK], True


def are_lacking(index: Indices, lacking: Lacking, space: Space) -> npt.NDArray[np.bool_]:
    """Which of some different operations, shape (n,), were not returned before."""
    left = lacking(OperationSet.of(index, space)).indices.astype(np.int64, copy=False)
    return ascending.contains(left, index.astype(np.int64, copy=False))


class Draws(ABC):
    """Draws from one path.

    Args:
        decoder: The path's decoder.
        stream: Where its prior draws come from.
    """

    def __init__(self, decoder: Decoder, stream: Stream) -> None:
        self._decoder = decoder
        self._stream = stream
        self._space = decoder.space

    @property
    def space(self) -> Space:
        """What it draws operations of."""
        return self._space

    @property
    def stream(self) -> Stream:
        """Where its random numbers come from."""
        return self._stream

    @property
    @abstractmethod
    def reached(self) -> OperationSet | None:
        """The operations that have a witness; None in a vast space, where nothing lists them."""

    @abstractmethod
    def witnessed(self, index: Indices) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Which of some operations, shape (n,), have a witness, and the latents, meaningless for the others.

        In a vast space the posterior mean of each is decoded and compared. Where the path has no encoder,
        none has one.
        """

    def rows(self, count: int, *, seed: int, dial: Dial, offset: int = 0) -> Rows:
        """Rows ``offset`` to ``offset + count`` of the seed's stream, repetitions as they come.

        Raises:
            InputError: If the seed is out of range.
            CoverageError: If exploration is asked of a path that has nothing to explore with.
        """
        index = np.empty(count, self._space.index_type)
        values = np.empty((count, self._stream.latent_size), np.float32)

        def fill(block: int) -> None:
            start = block * BLOCK - offset
            keep = slice(max(0, -start), min(BLOCK, count - start))
            place = slice(start + keep.start, start + keep.stop)
            read = self._reader(seed, dial, block)
            if keep == slice(0, BLOCK):
                index[place] = read(values[place])
            else:
                part = self._buffer()
                index[place] = read(part)[keep]
                values[place] = part[keep]

        for _ in self._decoder.workers.map(fill, range(offset // BLOCK, -(-(offset + count) // BLOCK))):
            pass
        return Rows(index=index, latents=values)

    @abstractmethod
    def count(self, draws: int, *, seed: int, dial: Dial) -> OperationSet:
        """The set of operations in the first ``draws`` rows, whose latents are not kept."""

    @abstractmethod
    def unique(self, count: int, *, seed: int, dial: Dial) -> Rows:
        """Pairwise different operations.

        In a listed space each has a witness. In a vast space the draws among them are what their latents
        decode to here, whatever the margin, and may be near ties; only the others, which follow them, were
        found to have a witness.

        The first occurrences in the seed's stream, until a block brings less than 10 % new; then others in an
        order that the seed fixes. So a smaller draw is the beginning of a larger one.

        Raises:
            CoverageError: If the path does not give so many.
            InputError: If the seed is out of range.
        """

    @abstractmethod
    def new(self, count: int, *, seed: int, dial: Dial, lacking: Lacking) -> Supply:
        """As ``unique``, of operations that were not returned before.

        Args:
            count: How many will be taken at least.
            seed: The seed.
            dial: How far from the prior.
            lacking: Leaves out those that were returned; asked again as more are taken.
        Raises:
            CoverageError: If the path does not give so many; ``take`` may find that out, too.
            InputError: If the seed is out of range.
        """

    @abstractmethod
    def _witnesses_of(self, words: Words) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Of explored rows' words w1, shape (n,): which rows get a witness, and the witnesses."""

    @abstractmethod
    def expect_witnesses(self, what: str) -> None:
        """Refuse what needs the latent of an operation, of a path that has none to give.

        Args:
            what: What needs it, as the refusal begins.
        Raises:
            CoverageError: If it has none.
        """

    def _blocks(self, seed: int, dial: Dial) -> Iterator[Rows]:
        """The blocks of the stream in order and without end."""

        def rows(block: int) -> Rows:
            values = self._buffer()
            return Rows(index=self._reader(seed, dial, block)(values), latents=values)

        return self._decoder.workers.map(rows, range(sys.maxsize))

    def _reader(self, seed: int, dial: Dial, first: int) -> Callable[[Floats], Indices]:
        """A function that writes the next block of latents, from the block ``first`` on, into a buffer.

        It returns what they decode to. A thread may read one block after the other into one buffer.
        """
        decode = self._decoder.reader()
        fill, blocks = self._stream.prior_reader(seed, first * BLOCK), itertools.count(first)
        if dial.explore > 0:
            self.expect_witnesses("explore")

        def read(values: Floats) -> Indices:
            fill(values)
            if dial.temperature != 1:
                values *= np.float32(dial.temperature)
            if dial.explore > 0:
                self._explore(values, seed, next(blocks), dial.explore)
            return decode(values)

        return read

    def _buffer(self) -> Floats:
        return np.empty((BLOCK, self._stream.latent_size), np.float32)

    def none(self, rows: int = 0) -> Rows:
        """Rows that hold nothing yet; by default none."""
        return Rows(
            index=np.zeros(rows, self._space.index_type),
            latents=np.zeros((rows, self._stream.latent_size), np.float32),
        )

    def _explore(self, values: Floats, seed: int, block: int, share: float) -> None:
        words = self._stream.words(seed, EXPLORATION, block * BLOCK, len(values))
        chosen = np.flatnonzero((words[:, 0] >> np.uint64(11)) * 2.0**-53 < share)
        if len(chosen):
            found, latents = self._witnesses_of(words[chosen, 1])
            values[chosen[found]] = latents[found]
