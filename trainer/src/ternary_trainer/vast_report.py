"""
What a run's kept snapshots are worth in a vast space, measured once at its end.

Of a training, this is the only part that looks at the true holdout and at the families held out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk.space import Space
from ternary_trainer import score, seeds
from ternary_trainer.decoding import decode
from ternary_trainer.evenness import Tally
from ternary_trainer.model import Decoder, Encoder, TernaryVAE
from ternary_trainer.orders import Divergence
from ternary_trainer.settings import Scoring
from ternary_trainer.split import Operations
from ternary_trainer.vast_split import VastSplit, held_families, members

_BLOCK: Final = 4096


@dataclass(frozen=True, kw_only=True)
class VastPathReport:
    """One path of a snapshot of a vast space."""

    draws: int
    """Prior draws decoded, from a stream of their own."""
    near_ties: int
    """Of these, with a margin below 0.001."""
    colliding_pairs: int
    """Pairs of draws that are the same operation, counted exactly."""
    expected_pairs: float
    """How many uniform draws have on average; the count of them varies by its square root."""
    kl_single: float
    """KL to uniform of single cells, nats."""
    kl_pairs: float
    """Mutual information in pairs of cells, nats."""
    kl_higher: float
    """Dependence of three cells, nats, from a fixed sample of triples."""
    operations: int
    """Operations of the true holdout that were encoded, and so many of each family."""
    holdout_exact: float
    """Share of them that decodes from its posterior mean exactly, in [0, 1]."""
    families_exact: Mapping[str, float]
    """The same of each family that is held out as a whole, by its name."""
    margin: float
    """Smallest gap between the two largest logits over the posterior means of all these operations."""
    active: int
    """Dimensions whose mean varies by more than 0.1 over the true holdout's operations."""
    least_variance: float
    """Of those variances, the smallest."""
    lost_cells: int
    """Cells that the true holdout's operations do not get back."""

    @property
    def evenness(self) -> float:
        """The perplexity of cells, pairs and triples as a share of the space; 1 if even."""
        parts = Divergence(entropy=None, single=self.kl_single, pairs=self.kl_pairs, higher=self.kl_higher)
        return parts.perplexity


def measure(model: TernaryVAE, path: str, seed: int, scoring: Scoring) -> VastPathReport:
    """Measure one path of a model of a vast space.

    Args:
        model: The snapshot.
        path: The path's letter.
        seed: The run's; the draws are of its report stream, the operations the same for every run.
        scoring: How many draws and operations.
    """
    space, decoder = model.signature.space, model.decoder(path)
    tally, indices, near = _draws(decoder, model.signature.latent_size, seed, scoring.report_draws, space)
    divergence = tally.divergence()
    count = scoring.report_operations or 0
    held = _Rebuilt(model, path, _blocks(space, count, VastSplit(space).holdout, "holdout"))
    families = {
        family: _Rebuilt(model, path, _blocks(space, count, partial(members, family, space), family))
        for family in held_families(space)
    }
    return VastPathReport(
        draws=scoring.report_draws,
        near_ties=near,
        colliding_pairs=colliding_pairs(indices),
        expected_pairs=scoring.report_draws * (scoring.report_draws - 1) / 2 / space.size,
        kl_single=divergence.single,
        kl_pairs=divergence.pairs,
        kl_higher=divergence.higher,
        operations=count,
        holdout_exact=held.exact,
        families_exact={family: found.exact for family, found in families.items()},
        margin=min(found.margin for found in (held, *families.values())),
        active=score.active(held.variances),
        least_variance=float(held.variances.min()),
        lost_cells=held.lost_cells,
    )


def colliding_pairs(indices: Tensor) -> int:
    """Pairs of equal entries, int64, shape (n,)."""
    ordered = np.sort(indices.numpy())
    ends = np.flatnonzero(np.diff(ordered, append=-1))
    times = np.diff(ends, prepend=-1)
    return int((times * (times - 1) // 2).sum())


@torch.no_grad()
def _draws(decoder: Decoder, size: int, seed: int, draws: int, space: Space) -> tuple[Tally, Tensor, int]:
    random, tally, near = seeds.generator(seed, "report"), Tally(space), 0
    indices = torch.empty(draws, dtype=torch.int64)
    for start in range(0, draws, _BLOCK):
        latents = score.latents(min(_BLOCK, draws - start), size, random)
        decoded = decode(decoder, latents, space)
        tally.add(decoded.classes)
        near += int((decoded.margin < MARGIN).sum())
        indices[start : start + len(latents)] = decoded.index
    return tally, indices, near


def _blocks(
    space: Space, count: int, draw: Callable[[int, torch.Generator], Operations], purpose: str
) -> Iterator[Operations]:
    """The same operations for every run: blocks of one stream, which belongs to the space and the purpose."""
    random = seeds.generator(0, f"{purpose} operations of {space}")
    for start in range(0, count, _BLOCK):
        yield draw(min(_BLOCK, count - start), random)


class _Rebuilt:
    """What comes back of some operations, block by block."""

    def __init__(self, model: TernaryVAE, path: str, blocks: Iterator[Operations]) -> None:
        """Encode and decode all of them."""
        space, size = model.signature.space, model.signature.latent_size
        self.margin = float("inf")
        self._radix, self._count, self._exact = space.radix, 0, 0
        self._cells = torch.zeros(space.cells, dtype=torch.float64)
        self._sums = torch.zeros(2, size, dtype=torch.float64)
        with torch.no_grad():
            for operations in blocks:
                self._add(model.encoder(path), model.decoder(path), operations)

    def _add(self, encoder: Encoder, decoder: Decoder, operations: Operations) -> None:
        mean, _ = encoder(operations.tables)
        decoded = decode(decoder, mean, operations.space)
        right = decoded.classes.t() == operations.classes
        self._count += len(operations)
        self._exact += int(right.all(1).sum())
        self._cells += right.sum(0)
        self._sums += torch.stack([mean.double().sum(0), mean.double().square().sum(0)])
        self.margin = min(self.margin, float(decoded.margin.min()))

    @property
    def exact(self) -> float:
        return self._exact / self._count

    @property
    def variances(self) -> Tensor:
        mean, square = self._sums / self._count
        variances: Tensor = square - mean.square()
        return variances

    @property
    def lost_cells(self) -> int:
        return score.lost_cells(self._cells / self._count, self._radix)
