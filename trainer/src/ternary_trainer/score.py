"""
Scores that mean the same at every epoch.

Coverage is counted over draws of the validation stream, which is fixed for a run and is neither training's
nor a certificate's. Reconstruction and ELBO are over operations that the caller names.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ternary_sdk.coverage import expected_coverage, headline_draws
from ternary_sdk.space import Space
from ternary_trainer import evenness
from ternary_trainer.decoding import decode
from ternary_trainer.model import Decoder, Encoder
from ternary_trainer.orders import Divergence, divergence
from ternary_trainer.split import Operations

ACTIVE_VARIANCE = 0.1
_BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What prior draws of one decoder reach."""

    share: float | None
    """Expected coverage at the space's headline draws (50,000 of (3, 2)), in [0, 1]; None in a vast space."""
    divergence: Divergence
    """How far the draws are from uniform."""


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """How well one path gives back some operations."""

    exact: float
    """Share that decode from their posterior mean to themselves, in [0, 1]."""
    margin: float
    """Smallest gap between the two largest logits of any cell."""
    ce: float
    """Cross-entropy over all cells of decoding a posterior sample, nats, mean."""
    kl: Tensor
    """KL to the prior of each operation and dimension, nats, shape (n, latent size)."""
    variances: Tensor
    """Variance of the posterior mean in each dimension, shape (latent size,)."""
    cells: Tensor
    """Share of the operations whose digit in a cell comes back right, shape (cells,)."""
    radix: int
    """Of the operations; a cell that is guessed is right in 1/radix of them."""

    @property
    def elbo(self) -> float:
        """Negative ELBO at beta 1, nats."""
        return self.ce + float(self.kl.sum(1).mean())

    @property
    def active(self) -> int:
        """Dimensions with a variance of the mean above 0.1."""
        return active(self.variances)

    @property
    def lost_cells(self) -> int:
        """Cells that come back right less than halfway between a guess and always."""
        return lost_cells(self.cells, self.radix)


def latents(draws: int, size: int, generator: torch.Generator) -> Tensor:
    """Standard normal latents, shape (draws, size)."""
    return torch.randn(draws, size, generator=generator, device=generator.device)


@torch.no_grad()
def count(decoder: Decoder, prior: Tensor, space: Space) -> Tensor:
    """How often latents, shape (m, latent size), decode to each operation, int64, shape (size,)."""
    counts = torch.zeros(space.size, dtype=torch.int64, device=prior.device)
    for block in torch.split(prior, _BLOCK):
        counts += torch.bincount(decode(decoder, block, space).index, minlength=space.size)
    return counts


def coverage(decoder: Decoder, prior: Tensor, space: Space) -> Coverage:
    """Coverage at the space's headline draws and divergence, estimated from at least as many latents, shape
    (m, latent size); in a vast space divergence alone, from however many."""
    if not space.listed:
        return Coverage(share=None, divergence=evenness.divergence(decoder, prior, space))
    counts = count(decoder, prior, space).cpu()
    share = expected_coverage(counts.numpy(), headline_draws(space))
    return Coverage(share=share, divergence=divergence(counts, space))


@torch.no_grad()
def reconstruct(encoder: Encoder, decoder: Decoder, operations: Operations, noise: Tensor) -> Reconstruction:
    """Encode and decode operations.

    Args:
        encoder: Of the path.
        decoder: Of the same path.
        operations: n of them, at least 2.
        noise: Standard normal, shape (n, latent size), for the posterior sample; the same every epoch.
    """
    mean, logvar = encoder(operations.tables)
    given_back = decode(decoder, mean, operations.space)
    right = given_back.classes.t() == operations.classes
    sampled = decoder(mean + noise * (logvar / 2).exp())
    ce = cross_entropy(sampled, operations) / len(operations)
    return Reconstruction(
        exact=float(right.all(1).float().mean()),
        margin=float(given_back.margin.min()),
        ce=float(ce),
        kl=kl_to_prior(mean, logvar),
        variances=mean.var(0),
        cells=right.float().mean(0),
        radix=operations.space.radix,
    )


def active(variances: Tensor) -> int:
    """Of the variances of the posterior mean, shape (latent size,), how many are above 0.1."""
    return int((variances > ACTIVE_VARIANCE).sum())


def lost_cells(right: Tensor, radix: int) -> int:
    """Of the shares of operations whose digit in a cell comes back, shape (cells,), how many are nearer to a
    guess, 1/radix, than to 1."""
    return int((right < (1 + 1 / radix) / 2).sum())


def cross_entropy(logits: Tensor, operations: Operations) -> Tensor:
    """Cross-entropy of logits, shape (n, cells·radix), summed over all cells of n operations, nats."""
    classes = operations.classes.reshape(-1)
    return F.cross_entropy(logits.view(len(classes), -1), classes, reduction="sum")


def kl_to_prior(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mean, exp(logvar)) to N(0, 1), element-wise, nats."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)
