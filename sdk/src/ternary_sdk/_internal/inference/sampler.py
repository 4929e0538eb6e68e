"""
Drawing from a path of a listed space, whose every reachable operation has a proved witness.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.drawing import CHUNK, SATURATED, Draws, Lacking, Rows, Supply
from ternary_sdk._internal.inference.proof import Witnesses
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Floats
from ternary_sdk._internal.streams.stream import COMPLETION, Stream, Words
from ternary_sdk.errors import CoverageError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices


class Sampler(Draws):
    """Draws from one path.

    Args:
        decoder: The path's decoder.
        witnesses: A proved latent for each operation it reaches.
        stream: Where its prior draws come from.
    """

    def __init__(self, decoder: Decoder, witnesses: Witnesses, stream: Stream) -> None:
        super().__init__(decoder, stream)
        self._witnesses = witnesses
        self._reachable = witnesses.operations.indices

    @property
    def reached(self) -> OperationSet:
        """The operations that have a witness."""
        return self._witnesses.operations

    def witnessed(self, index: Indices) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Which of some operations have a witness, and the latents."""
        return self._witnesses.operations.mask[index], self._witnesses.latents[index]

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

        Every count up to the number reached succeeds.
        """
        reached = len(self._reachable)
        if count > reached:
            raise CoverageError(
                f"{count:,} different operations were asked for, but the certified model reaches {reached:,}"
            )
        return self._different(self._witnesses.operations, seed, dial).take(count)

    def new(self, count: int, *, seed: int, dial: Dial, lacking: Lacking) -> Supply:
        """As ``unique``, of operations that were not returned before; those are left out at the beginning."""
        left, reached = lacking(self._witnesses.operations), len(self._reachable)
        if count > len(left):
            raise CoverageError(
                f"{count:,} new operations were asked for, but of the {reached:,} that the certified model "
                f"reaches {reached - len(left):,} were returned before"
            )
        return self._different(left, seed, dial)

    def _different(self, wanted: OperationSet, seed: int, dial: Dial) -> Supply:
        return Supply(self._parts(wanted.mask, seed, dial), self.none())

    def _parts(self, wanted: npt.NDArray[np.bool_], seed: int, dial: Dial) -> Iterator[Rows]:
        unseen = self._witnesses.operations.mask.copy()
        for part in self._blocks(seed, dial):
            first = _first_occurrences(part.index, unseen)
            unseen[part.index[first]] = False
            yield part.part(first[wanted[part.index[first]]])
            if len(first) < SATURATED * BLOCK:
                break
        yield self._complete(np.flatnonzero(unseen & wanted).astype(self._space.index_type), seed)

    def _complete(self, unseen: Indices, seed: int) -> Rows:
        """The unseen operations, ordered by a random word of their own index."""
        order = self._stream.words(seed, COMPLETION, 0, self._space.size)[unseen, 0]
        ordered = unseen[np.argsort(order, kind="stable")]
        return Rows(index=ordered, latents=self._witnesses.latents[ordered])

    def expect_witnesses(self, what: str) -> None:
        """Refuse a path that reaches nothing."""
        if len(self._reachable) == 0:
            raise CoverageError(
                f"{what}: the certified model reaches no operation, so no witness can be drawn"
            )

    def _witnesses_of(self, words: Words) -> tuple[npt.NDArray[np.bool_], Floats]:
        picks = self._reachable[words % np.uint64(len(self._reachable))]
        return np.ones(len(picks), np.bool_), self._witnesses.latents[picks]


def _first_occurrences(index: Indices, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Positions, ascending, at which a wanted operation occurs for the first time in the block."""
    positions = np.arange(len(index))
    first = np.empty(len(wanted), dtype=np.intp)
    # Later writes win, so writing from the last position to the first leaves the first.
    first[index[::-1]] = positions[::-1]
    return np.flatnonzero((first[index] == positions) & wanted[index])
