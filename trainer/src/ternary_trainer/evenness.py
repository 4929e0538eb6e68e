"""
How even prior draws of a vast space are, by what can be counted there: cells, pairs and a sample of triples.

The sample is fixed for a space, so that figures of epochs, runs and models can be compared.
"""

import hashlib
import math
from collections.abc import Sequence
from functools import cache
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer.decoding import decode, one_hot
from ternary_trainer.model import Decoder
from ternary_trainer.orders import Divergence, sampling_bias

_LABEL: Final = "ternary-triples-v1"
_BLOCK: Final = 4096


@torch.no_grad()
def digits(decoder: Decoder, latents: Tensor, space: Space) -> Tensor:
    """What latents, shape (n, latent size), decode to: digits, int64, shape (cells, n)."""
    blocks = torch.split(latents, _BLOCK)
    return torch.cat([decode(decoder, block, space).classes for block in blocks], dim=1)


@torch.no_grad()
def divergence(decoder: Decoder, prior: Tensor, space: Space) -> Divergence:
    """How far what a decoder makes of latents, shape (n, latent size), is from uniform."""
    tally = Tally(space)
    for block in torch.split(prior, _BLOCK):
        tally.add(decode(decoder, block, space).classes)
    return tally.divergence()


@cache
def matched(space: Space) -> tuple[tuple[int, int], ...]:
    """Pairs of cells that share none; with every third cell beside each they are the sample of triples.

    Neighbours in the order of the cells by SHA-256 of the text `ternary-triples-v1/RADIX,INPUTS/CELL`.
    """
    keys = [hashlib.sha256(f"{_LABEL}/{space}/{cell}".encode()).digest() for cell in range(space.cells)]
    order = sorted(range(space.cells), key=keys.__getitem__)
    return tuple(zip(order[::2], order[1::2], strict=False))


class Tally:
    """Exact counts of the digits of draws: of each cell, of each pair, and of the sample of triples."""

    def __init__(self, space: Space) -> None:
        self._space = space
        rows = space.cells * space.radix
        self._pairs = torch.zeros(rows, rows, dtype=torch.float64)
        self._triples = torch.zeros(len(matched(space)) * space.radix**2, rows, dtype=torch.float64)
        self._draws = 0

    def add(self, classes: Tensor) -> None:
        """Count draws: digits, int64, shape (cells, n), n at most 2^24: up to there sums are exact."""
        radix, rows = self._space.radix, one_hot(classes, self._space)
        of_cells = rows.view(self._space.cells, radix, -1)
        first, second = (of_cells[list(cells)] for cells in zip(*matched(self._space), strict=True))
        both = (first[:, :, None] * second[:, None]).flatten(0, 2)
        self._pairs += (rows @ rows.t()).cpu()
        self._triples += (both @ rows.t()).cpu()
        self._draws += classes.shape[1]

    @classmethod
    def together(cls, tallies: "Sequence[Tally]") -> "Tally":
        """The counts of all the draws of one or more tallies of one space."""
        tally = cls(tallies[0]._space)
        for part in tallies:
            tally._count(part, 1)
        return tally

    def without(self, part: "Tally") -> "Tally":
        """The counts of all draws but those of a tally that is a part of this one."""
        tally = Tally.together([self])
        tally._count(part, -1)
        return tally

    def _count(self, part: "Tally", times: int) -> None:
        self._pairs += times * part._pairs
        self._triples += times * part._triples
        self._draws += times * part._draws

    @property
    def cells(self) -> Tensor:
        """The share of draws that have each digit in each cell, shape (cells, radix)."""
        joint = (self._pairs / self._draws).view(*[self._space.cells, self._space.radix] * 2)
        marginal: Tensor = joint.diagonal(dim1=0, dim2=2).diagonal(dim1=0, dim2=1)
        return marginal

    @property
    def dependence(self) -> Tensor:
        """Mutual information of each pair of cells, nats, sampling bias subtracted, shape (cells, cells).

        0 on the diagonal.
        """
        _, pairs = self._of_pairs()
        return pairs.fill_diagonal_(0.0)

    def _of_pairs(self) -> tuple[Tensor, Tensor]:
        """KL to uniform of each cell, and what each pair of cells adds to it; not of a cell with itself."""
        radix, cells, draws = self._space.radix, self._space.cells, self._draws
        joint = (self._pairs / draws).view(cells, radix, cells, radix)
        single = _kl(self.cells, radix, 1) - sampling_bias(radix, draws)
        pairs = _kl(joint.transpose(1, 2), radix, 2) - sampling_bias(radix**2, draws)
        return single, pairs - single[:, None] - single[None, :]

    def divergence(self) -> Divergence:
        """In nats, sampling bias subtracted; of triples, the sample's mean times the number of all."""
        cells, (single, pairs) = self._space.cells, self._of_pairs()
        triples = self._of_triples(single, pairs)
        upper = torch.ones(cells, cells).triu(1) > 0
        return Divergence(
            entropy=None,
            single=float(single.sum()),
            pairs=float(pairs[upper].sum()),
            higher=float(triples.mean()) * math.comb(cells, 3),
        )

    def _of_triples(self, single: Tensor, pairs: Tensor) -> Tensor:
        """What each triple of the sample adds to its cells and pairs."""
        radix, cells, draws = self._space.radix, self._space.cells, self._draws
        chosen = matched(self._space)
        joint = (self._triples / draws).view(len(chosen), radix, radix, cells, radix).permute(0, 3, 1, 2, 4)
        whole = _kl(joint, radix, 3) - sampling_bias(radix**3, draws)  # (pairs, cells)
        i, j = (torch.tensor(side) for side in zip(*chosen, strict=True))
        lower = (single[i] + single[j] + pairs[i, j])[:, None] + single[None] + pairs[i] + pairs[j]
        third = torch.ones(len(chosen), cells, dtype=torch.bool)
        third[torch.arange(len(chosen)), i] = third[torch.arange(len(chosen)), j] = False
        return (whole - lower)[third]


def _kl(shares: Tensor, radix: int, axes: int) -> Tensor:
    """KL to uniform over the last axes, each of length radix."""
    terms = torch.special.xlogy(shares, shares * radix**axes)
    divergence: Tensor = terms.flatten(-axes).sum(-1)
    return divergence
