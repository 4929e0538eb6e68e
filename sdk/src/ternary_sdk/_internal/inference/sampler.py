"""
Drawing operations: from the prior, by exploration, or all different.

Which row a draw holds depends on its seed, dial and position alone, never on how many rows are asked for,
how a request is split or how many threads compute it. docs/sampling.md says how it came to its speed.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import index as as_integer
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.inference.proof import Witnesses
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Floats
from ternary_sdk._internal.streams.stream import COMPLETION, EXPLORATION, Stream
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices

CHUNK: Final = 8
"""Blocks counted in one task, by one reader of the stream."""

SATURATED: Final = 0.10
"""A unique draw turns from the prior to the witnesses when a block brings less than this share new."""

MIN_TEMPERATURE: Final = 0.01
"""Less means nothing: already here every draw decodes to one or two operations (docs/sampling.md)."""
MAX_TEMPERATURE: Final = 100.0
_TEMPERATURES: Final = f"{MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}"


def whole(value: int, name: str, most: int) -> int:
    """An argument that must be an integer in [0, most], NumPy's included, true and false not.

    Raises:
        InputError: If it is none.
    """
    try:
        number = as_integer(value)
    except TypeError:
        raise InputError(f"{name}: {value!r}, expected an integer") from None
    if isinstance(value, bool) or not 0 <= number <= most:
        raise InputError(f"{name}: {value}, expected 0 to {most:,}")
    return number


def _is_number(value: object) -> bool:
    """Whether it is an integer or a float, NumPy's included, true and false not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Dial:
    """How far a draw departs from the prior.

    Raises:
        InputError: If a setting is no number or out of range.
    """

    explore: float = 0.0
    """Probability, in [0, 1], that a row is a uniformly chosen witness instead of a prior draw."""

    temperature: float = 1.0
    """Factor on the prior's latents, in [0.01, 100]; above 1 reaches for rarer operations."""

    def __post_init__(self) -> None:
        if not _is_number(self.explore):
            raise InputError(f"explore: {self.explore!r}, expected a number from 0 to 1")
        if not _is_number(self.temperature):
            raise InputError(f"temperature: {self.temperature!r}, expected a number from {_TEMPERATURES}")
        if not 0 <= self.explore <= 1:
            raise InputError(f"explore: {self.explore}, expected 0 to 1")
        if not MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE:
            raise InputError(f"temperature: {self.temperature}, expected {_TEMPERATURES}")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Drawn rows."""

    index: Indices
    """Canonical indices, shape (n,)."""

    latents: Floats
    """The latent that decodes to each, shape (n, latent_size)."""


class Sampler:
    """Draws from one path.

    Args:
        decoder: The path's decoder.
        witnesses: A proved latent for each operation it reaches.
        stream: Where its prior draws come from.
    """

    def __init__(self, decoder: Decoder, witnesses: Witnesses, stream: Stream) -> None:
        self._decoder = decoder
        self._witnesses = witnesses
        self._stream = stream
        self._reachable = witnesses.operations.indices
        self._space = decoder.space

    def rows(self, count: int, *, seed: int, dial: Dial, offset: int = 0) -> Rows:
        """Rows ``offset`` to ``offset + count`` of the seed's stream, repetitions as they come.

        Raises:
            InputError: If the seed is out of range.
            CoverageError: If exploration is asked of a model that reaches nothing.
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

    def count(self, draws: int, *, seed: int, dial: Dial) -> OperationSet:
        """The set of operations in the first ``draws`` rows, in memory that does not grow with them."""
        blocks = -(-draws // BLOCK)

        def chunk(number: int) -> npt.NDArray[np.bool_]:
            seen, values, first = np.zeros(self._space.size, dtype=np.bool_), self._buffer(), number * CHUNK
            read = self._reader(seed, dial, first)
            for block in range(first, min(first + CHUNK, blocks)):
                seen[read(values)[: draws - block * BLOCK]] = True
            return seen

        total = np.zeros(self._space.size, dtype=np.bool_)
        for seen in self._decoder.workers.map(chunk, range(-(-blocks // CHUNK))):
            total |= seen
        return OperationSet(total, self._space)

    def unique(self, count: int, *, seed: int, dial: Dial) -> Rows:
        """Pairwise different operations, all of them certified reachable.

        The first occurrences in the seed's stream, until a block brings less than 10 % new; then the unseen
        ones in an order that the seed fixes. So every count up to the number reached succeeds, and
        a smaller draw is the beginning of a larger one.

        Raises:
            CoverageError: If ``count`` exceeds what the certified model reaches.
            InputError: If the seed is out of range.
        """
        reached = len(self._reachable)
        if count > reached:
            raise CoverageError(
                f"{count:,} different operations were asked for, but the certified model reaches {reached:,}"
            )
        unseen = self._witnesses.operations.mask.copy()
        parts: list[Rows] = []
        missing = count
        for part in self._endless(seed, dial) if count else ():
            first = _first_occurrences(part.index, unseen)[:missing]
            unseen[part.index[first]] = False
            parts.append(Rows(index=part.index[first], latents=part.latents[first]))
            missing -= len(first)
            if not missing or len(first) < SATURATED * BLOCK:
                break
        parts.append(self._complete(np.flatnonzero(unseen).astype(self._space.index_type), missing, seed))
        return Rows(
            index=np.concatenate([part.index for part in parts]),
            latents=np.concatenate([part.latents for part in parts]),
        )

    def _complete(self, unseen: Indices, missing: int, seed: int) -> Rows:
        """The first ``missing`` of the unseen operations, ordered by a random word of their own index."""
        if not missing:
            return Rows(index=unseen[:0], latents=self._witnesses.latents[:0])
        order = self._stream.words(seed, COMPLETION, 0, self._space.size)[unseen, 0]
        chosen = unseen[np.argsort(order, kind="stable")][:missing]
        return Rows(index=chosen, latents=self._witnesses.latents[chosen])

    def _endless(self, seed: int, dial: Dial) -> Iterator[Rows]:
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

    def _explore(self, values: Floats, seed: int, block: int, share: float) -> None:
        if len(self._reachable) == 0:
            raise CoverageError(
                "explore: the certified model reaches no operation, so no witness can be drawn"
            )
        words = self._stream.words(seed, EXPLORATION, block * BLOCK, len(values))
        chosen = (words[:, 0] >> np.uint64(11)) * 2.0**-53 < share
        picks = self._reachable[words[chosen, 1] % np.uint64(len(self._reachable))]
        values[chosen] = self._witnesses.latents[picks]


def _first_occurrences(index: Indices, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Positions, ascending, at which a wanted operation occurs for the first time in the block."""
    positions = np.arange(len(index))
    first = np.empty(len(wanted), dtype=np.intp)
    # Later writes win, so writing from the last position to the first leaves the first.
    first[index[::-1]] = positions[::-1]
    return np.flatnonzero((first[index] == positions) & wanted[index])
