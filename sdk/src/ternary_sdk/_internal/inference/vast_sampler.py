"""
Drawing from a path of a vast space, where witnesses are made as they are needed: the posterior mean of an
operation, if it decodes to it clearly.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import ascending
from ternary_sdk._internal.ascending import Numbers, Runs
from ternary_sdk._internal.certificates.path_coverage import VERIFIER_MARGIN
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.drawing import (
    CHUNK,
    Draws,
    Lacking,
    Rows,
    Supply,
    are_lacking,
    until_few,
)
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Encoder, Floats
from ternary_sdk._internal.streams.stream import Stream, Words
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices

MOST_COUNTED: Final = 10_000_000
"""The most draws of which the set is kept: 80 MB."""

_AT_ONCE: Final = 32
"""Most blocks of draws, and of uniform operations, that are compared with what was seen at once."""

_DRY: Final = 0.01
"""A unique draw is given up when so small a share of uniform operations is new to it and has a witness."""


def _all(operations: OperationSet) -> OperationSet:
    return operations


class VastSampler(Draws):
    """Draws from one path.

    Args:
        decoder: The path's decoder.
        encoder: The path's encoder, if it has one: without it no witness can be made.
        stream: Where its prior draws and uniform operations come from.
    """

    def __init__(self, decoder: Decoder, encoder: Encoder | None, stream: Stream) -> None:
        super().__init__(decoder, stream)
        self._encoder = encoder

    @property
    def reached(self) -> None:
        """Nothing lists the operations that have a witness."""
        return

    def witnessed(self, index: Indices) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Which of some operations have a witness, and the posterior mean of each."""
        if self._encoder is None or not len(index):
            return np.zeros(len(index), np.bool_), np.zeros(
                (len(index), self._stream.latent_size), np.float32
            )
        latents = self._encoder.mean(self._space.from_index(index))
        decoded = self._decoder.decode(latents)
        return (decoded.index == index) & (decoded.margin >= VERIFIER_MARGIN), latents

    def count(self, draws: int, *, seed: int, dial: Dial) -> OperationSet:
        """The set of operations in the first ``draws`` rows, at most 10 million.

        Raises:
            InputError: If there are more.
        """
        if draws > MOST_COUNTED:
            raise InputError(
                f"draws: {draws:,} of the vast space {self._space}, expected at most {MOST_COUNTED:,}, whose "
                "set is kept in memory; 'ternary verify --recount' counts more"
            )
        blocks = -(-draws // BLOCK)

        def chunk(number: int) -> Numbers:
            values, first, found = self._buffer(), number * CHUNK, []
            read = self._reader(seed, dial, first)
            for block in range(first, min(first + CHUNK, blocks)):
                found.append(read(values)[: draws - block * BLOCK])
            return ascending.distinct(np.concatenate(found))

        total = Runs()
        for seen in self._decoder.workers.map(chunk, range(-(-blocks // CHUNK))):
            total.add(seen[~total.contain(seen)])
        return OperationSet.of(total.union(), self._space)

    def unique(self, count: int, *, seed: int, dial: Dial) -> Rows:
        """Pairwise different operations.

        Draws come first, whose margins are not tested. Where they run dry, uniform operations follow that
        were encoded and found to decode clearly.
        """
        return self.new(count, seed=seed, dial=dial, lacking=_all).take(count)

    def new(self, count: int, *, seed: int, dial: Dial, lacking: Lacking) -> Supply:  # noqa: ARG002
        """As ``unique``, of operations that were not returned before."""
        return Supply(self._parts(seed, dial, lacking), self.none())

    def _parts(self, seed: int, dial: Dial, lacking: Lacking) -> Iterator[Rows]:
        """Operations that are new to this draw end the search for them if they are few; whether they were
        returned in an earlier one does not."""
        seen, blocks, size, saturated = Runs(), self._blocks(seed, dial), 1, False
        while not saturated:
            some = list(islice(blocks, size))
            index = np.concatenate([part.index for part in some])
            latents = np.concatenate([part.latents for part in some])
            found, saturated = until_few(seen.first_occurrences(index), size)
            seen.add(np.sort(_numbers(index[found])))
            found = found[are_lacking(index[found], lacking, self._space)]
            yield Rows(index=index[found], latents=latents[found])
            size = min(2 * size, _AT_ONCE)
        yield from self._uniform(seed, seen, lacking)

    def _uniform(self, seed: int, seen: Runs, lacking: Lacking) -> Iterator[Rows]:
        """Uniform operations that have a witness, until hardly any is new to this draw."""
        if self._encoder is None:
            raise CoverageError(
                "different operations: the draws ran dry, and the path has no encoder to make others from"
            )
        start, size, dry = 0, 1, False
        while not dry:
            entries = self._stream.uniform(seed, start, size * BLOCK, self._space)
            wanted = entries[seen.first_occurrences(entries)]
            seen.add(np.sort(wanted))
            new = are_lacking(wanted, lacking, self._space)
            good, latents = self.witnessed(wanted[new])
            yield Rows(
                index=wanted[new][good].astype(self._space.index_type, copy=False), latents=latents[good]
            )
            witnessed = int(good.sum()) + int((~new).sum())
            start, dry = start + len(entries), size == _AT_ONCE and witnessed < _DRY * len(entries)
            size = min(2 * size, _AT_ONCE)
        raise CoverageError(
            f"different operations: the draws ran dry, and of the last {len(entries):,} uniform operations "
            f"only {witnessed:,} are others that have a witness"
        )

    def expect_witnesses(self, what: str) -> None:
        """Refuse a path that has no encoder."""
        if self._encoder is None:
            raise CoverageError(f"{what}: the path has no encoder, so no operation can be given a latent")

    def _witnesses_of(self, words: Words) -> tuple[npt.NDArray[np.bool_], Floats]:
        return self.witnessed((words % np.uint64(self._space.size)).astype(np.int64))


def _numbers(index: Indices) -> Numbers:
    return index.astype(np.int64, copy=False)
