"""
Prior draws of a path in a vast space, in batches, and what they say of how even the path is.

Nobody can count which operations of a vast space are drawn. What can be counted is how often draws repeat,
and how often each cell, pair and triple of cells has each of its values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch

from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk.space import Indices, Space
from ternary_trainer.evenness import Tally
from ternary_trainer.validation import intervals
from ternary_trainer.validation.intervals import Interval
from ternary_trainer.validation.subject import Decoder, Floats

BATCHES: Final = 16
_AT_ONCE: Final = 1 << 16


class VastDecoder(Decoder, Protocol):
    """One path, as far as it decodes, with its margins."""

    def decode(self, latents: Floats) -> tuple[Indices, Floats]:
        """Canonical indices and margins, shape (n,) both, of latents, shape (n, latent size)."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """Prior draws of one path."""

    space: Space
    batches: tuple[Indices, ...]
    """The clear draws of each batch, in order."""
    tallies: tuple[Tally, ...]
    """Counts of their digits."""
    near_ties: int
    """Draws with a margin below 0.001, which count for nothing else."""
    changed: int
    """How many of the first 65,536 draws are clear but decode otherwise in another order."""

    @cached_property
    def indices(self) -> Indices:
        """All clear draws, in order."""
        return np.concatenate(self.batches)

    @cached_property
    def tally(self) -> Tally:
        """Counts of the digits of all clear draws."""
        return Tally.together(self.tallies)

    @cached_property
    def counts(self) -> Evenness:
        """How often the draws repeat, and the bounds that follow."""
        return counted(self.indices, self.near_ties, self.space)

    @cached_property
    def evenness(self) -> tuple[float, Interval]:
        """The perplexity of the digits as a share of the space, with its 95 % interval by the jackknife."""
        middle = self.tally.divergence().perplexity
        left = [self.tally.without(part).divergence().perplexity for part in self.tallies]
        return middle, intervals.left_out(middle, left)

    @cached_property
    def equal_pairs(self) -> tuple[float, Interval]:
        """Pairs of equal draws as a multiple of what perfect draws give on average, with its 95 % interval.

        It estimates N times the probability that two draws are equal; 1 is perfect.
        """
        operations, times = np.unique(self.indices, return_counts=True)
        repeated = operations[times > 1]
        parts = np.array([_times(batch, repeated) for batch in self.batches])
        whole, draws = parts.sum(axis=0), len(self.indices)
        left = [
            _of_perfect(whole - part, draws - len(batch), self.space)
            for part, batch in zip(parts, self.batches, strict=True)
        ]
        middle = _of_perfect(whole, draws, self.space)
        return middle, intervals.left_out(middle, left)


def counted(indices: Indices, near_ties: int, space: Space) -> Evenness:
    """Counts of clear draws, shape (n,), beside which so many were left out."""
    _, times = np.unique(indices, return_counts=True)
    return Evenness(
        space=space,
        draws=len(indices) + near_ties,
        near_ties=near_ties,
        distinct=len(times),
        once=int((times == 1).sum()),
        twice=int((times == 2).sum()),
        pairs=_pairs(times),
    )


def expected_pairs(draws: int, space: Space) -> float:
    """Pairs of equal draws among perfect ones, on average."""
    return draws * (draws - 1) / 2 / space.size


def draw(decoder: VastDecoder, prior: Callable[[int, int], Floats], draws: int, space: Space) -> Drawn:
    """Decode prior latents.

    Args:
        decoder: Of the path.
        prior: Gives rows of latents from a start.
        draws: How many to decode.
        space: Of the operations.
    """
    batches, tallies, near_ties, changed = [], [], 0, 0
    ends = [draws * number // BATCHES for number in range(BATCHES + 1)]
    for first, end in pairwise(ends):
        tally, parts = Tally(space), []
        for start in range(first, end, _AT_ONCE):
            latents = prior(start, min(_AT_ONCE, end - start))
            indices, margins = decoder.decode(latents)
            clear = margins >= MARGIN
            if start == 0:
                backwards, _ = decoder.decode(latents[::-1])
                changed = int((backwards[::-1] != indices)[clear].sum())
            tally.add(torch.from_numpy(indices[clear] // space.places[:, np.newaxis] % space.radix))
            parts.append(indices[clear])
            near_ties += int((~clear).sum())
        batches.append(np.concatenate(parts))
        tallies.append(tally)
    return Drawn(
        space=space, batches=tuple(batches), tallies=tuple(tallies), near_ties=near_ties, changed=changed
    )


def _times(batch: Indices, operations: Indices) -> npt.NDArray[np.int64]:
    """How often a batch holds each operation of an ascending list."""
    if not len(operations):
        return np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(operations, batch), len(operations) - 1)
    return np.bincount(place[operations[place] == batch], minlength=len(operations))


def _of_perfect(times: npt.NDArray[np.int64], draws: int, space: Space) -> float:
    return _pairs(times) / expected_pairs(draws, space)


def _pairs(times: npt.NDArray[np.int64]) -> int:
    return int((times * (times - 1) // 2).sum())
