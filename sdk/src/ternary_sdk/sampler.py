"""
Drawing operations: from the prior, by exploration, or all different.

Which row a draw holds depends on its seed, dial and position alone, never on how many rows are asked for,
how a request is split or how many threads compute it. docs/sampling.md says how it came to its speed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk import latents
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.operations import OPERATIONS, OperationSet
from ternary_sdk.proof import Witnesses
from ternary_sdk.runtime import BLOCK, Decoder, Floats, Indices

WINDOW: Final = 8
"""Blocks in flight at a time: enough to keep every core busy, few enough to keep memory flat."""

SATURATED: Final = 0.01
"""A unique draw turns from the prior to the witnesses when a block brings less than this share new."""

MAX_TEMPERATURE: Final = 100.0


@dataclass(frozen=True, kw_only=True)
class Dial:
    """How far a draw departs from the prior.

    Raises:
        InputError: If a setting is out of range.
    """

    explore: float = 0.0
    """Probability, in [0, 1], that a row is a uniformly chosen witness instead of a prior draw."""

    temperature: float = 1.0
    """Factor on the prior's latents, in (0, 100]; above 1 reaches for rarer operations."""

    def __post_init__(self) -> None:
        if not 0 <= self.explore <= 1:
            raise InputError(f"explore: {self.explore}, expected 0 to 1")
        if not 0 < self.temperature <= MAX_TEMPERATURE:
            raise InputError(f"temperature: {self.temperature}, expected above 0, up to {MAX_TEMPERATURE:g}")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Drawn rows."""

    index: Indices
    """Canonical indices, shape (n,)."""

    latents: Floats
    """The latent that decodes to each, shape (n, 16)."""


class Sampler:
    """Draws from one path.

    Args:
        decoder: The path's decoder.
        witnesses: A proved latent for each operation it reaches.
    """

    def __init__(self, decoder: Decoder, witnesses: Witnesses) -> None:
        self._decoder = decoder
        self._witnesses = witnesses
        self._reachable = witnesses.operations.indices

    def rows(self, count: int, *, seed: int, dial: Dial, offset: int = 0) -> Rows:
        """Rows ``offset`` to ``offset + count`` of the seed's stream, repetitions as they come.

        Raises:
            InputError: If the seed is out of range.
            CoverageError: If exploration is asked of a model that reaches nothing.
        """
        drawn = Rows(
            index=np.empty(count, np.int32), latents=np.empty((count, latents.LATENT_SIZE), np.float32)
        )
        for block, part in self._blocks(offset // BLOCK, -(-(offset + count) // BLOCK), seed, dial):
            start = block * BLOCK - offset
            keep = slice(max(0, -start), min(BLOCK, count - start))
            place = slice(start + keep.start, start + keep.stop)
            drawn.index[place], drawn.latents[place] = part.index[keep], part.latents[keep]
        return drawn

    def count(self, draws: int, *, seed: int, dial: Dial) -> OperationSet:
        """The set of operations in the first ``draws`` rows, in memory that does not grow with them."""
        seen = np.zeros(OPERATIONS, dtype=np.bool_)
        for block, part in self._blocks(0, -(-draws // BLOCK), seed, dial):
            seen[part.index[: draws - block * BLOCK]] = True
        return OperationSet(seen)

    def unique(self, count: int, *, seed: int, dial: Dial) -> Rows:
        """Pairwise different operations, all of them certified reachable.

        The first occurrences in the seed's stream, until a block brings less than 1 % new; then the unseen
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
        for _, part in self._blocks(0, None, seed, dial) if count else ():
            first = _first_occurrences(part.index, unseen)[:missing]
            unseen[part.index[first]] = False
            parts.append(Rows(index=part.index[first], latents=part.latents[first]))
            missing -= len(first)
            if not missing or len(first) < SATURATED * BLOCK:
                break
        parts.append(self._complete(np.flatnonzero(unseen).astype(np.int32), missing, seed))
        return Rows(
            index=np.concatenate([part.index for part in parts]),
            latents=np.concatenate([part.latents for part in parts]),
        )

    def _complete(self, unseen: Indices, missing: int, seed: int) -> Rows:
        """The first ``missing`` of the unseen operations, ordered by a random word of their own index."""
        order = latents.words(seed, latents.COMPLETION, 0, OPERATIONS)[unseen, 0] if missing else unseen
        chosen = unseen[np.argsort(order, kind="stable")][:missing]
        return Rows(index=chosen, latents=self._witnesses.latents[chosen])

    def _blocks(self, start: int, stop: int | None, seed: int, dial: Dial) -> Iterator[tuple[int, Rows]]:
        """Blocks of the stream in order, without end if ``stop`` is None, a window of them in flight."""
        compute = self._compute(seed, dial)
        while stop is None or start < stop:
            window = range(start, start + WINDOW if stop is None else min(start + WINDOW, stop))
            yield from zip(window, self._decoder.workers.map(compute, window), strict=True)
            start = window.stop

    def _compute(self, seed: int, dial: Dial) -> Callable[[int], Rows]:
        session = self._decoder.session()

        def block(number: int) -> Rows:
            values = latents.prior(seed, number * BLOCK, BLOCK)
            if dial.temperature != 1:
                values *= np.float32(dial.temperature)
            if dial.explore > 0:
                self._explore(values, seed, number, dial.explore)
            (index,) = session.run(["index"], {"latents": values})
            return Rows(index=index, latents=values)

        return block

    def _explore(self, values: Floats, seed: int, number: int, share: float) -> None:
        if len(self._reachable) == 0:
            raise CoverageError(
                "explore: the certified model reaches no operation, so no witness can be drawn"
            )
        words = latents.words(seed, latents.EXPLORATION, number * BLOCK, BLOCK)
        chosen = (words[:, 0] >> np.uint64(11)) * 2.0**-53 < share
        picks = self._reachable[words[chosen, 1] % np.uint64(len(self._reachable))]
        values[chosen] = self._witnesses.latents[picks]


def _first_occurrences(index: Indices, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Positions, ascending, at which a wanted operation occurs for the first time in the block."""
    positions = np.arange(len(index))
    first = np.empty(OPERATIONS, dtype=np.intp)
    # Later writes win, so writing from the last position to the first leaves the first.
    first[index[::-1]] = positions[::-1]
    return np.flatnonzero((first[index] == positions) & wanted[index])
