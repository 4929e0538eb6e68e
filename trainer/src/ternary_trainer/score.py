"""
Scores that mean the same at every epoch.

Coverage is counted over draws of the validation stream, which is fixed for a run and is neither training's
nor a certificate's. Reconstruction and ELBO are over operations that the caller names.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ternary_sdk.coverage import expected_coverage
from ternary_sdk.operations import OPERATIONS, TRITS
from ternary_trainer import space
from ternary_trainer.model import CLASSES, LATENT, DecoderA, DecoderB, Encoder
from ternary_trainer.soundness import QUOTED
from ternary_trainer.split import Operations
from ternary_trainer.uniformity import decode

ACTIVE_VARIANCE = 0.1
_BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What prior draws of one decoder reach."""

    share: float
    """Expected coverage at 50,000 draws, in [0, 1]."""
    divergence: space.Divergence
    """How far the draws are from uniform."""


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """How well one path gives back some operations."""

    exact: float
    """Share that decode from their posterior mean to themselves, in [0, 1]."""
    margin: float
    """Smallest gap between the two largest logits of any trit."""
    ce: float
    """Cross-entropy over nine trits of decoding a posterior sample, nats, mean."""
    kl: Tensor
    """KL to the prior of each operation and dimension, nats, shape (n, 16)."""
    variances: Tensor
    """Variance of the posterior mean in each dimension, shape (16,)."""

    @property
    def elbo(self) -> float:
        """Negative ELBO at beta 1, nats."""
        return self.ce + float(self.kl.sum(1).mean())

    @property
    def active(self) -> int:
        """Dimensions with a variance of the mean above 0.1."""
        return int((self.variances > ACTIVE_VARIANCE).sum())


def latents(draws: int, generator: torch.Generator) -> Tensor:
    """Standard normal latents, shape (draws, 16)."""
    return torch.randn(draws, LATENT, generator=generator, device=generator.device)


@torch.no_grad()
def count(decoder: DecoderA | DecoderB, prior: Tensor) -> Tensor:
    """How often latents, shape (m, 16), decode to each operation, int64, shape (19683,)."""
    counts = torch.zeros(OPERATIONS, dtype=torch.int64, device=prior.device)
    for block in torch.split(prior, _BLOCK):
        counts += torch.bincount(decode(decoder, block).index, minlength=OPERATIONS)
    return counts


def coverage(decoder: DecoderA | DecoderB, prior: Tensor) -> Coverage:
    """Coverage at 50,000 draws and divergence, estimated from latents, shape (m, 16), m at least 50,000."""
    counts = count(decoder, prior).cpu()
    return Coverage(share=expected_coverage(counts.numpy(), QUOTED), divergence=space.divergence(counts))


@torch.no_grad()
def reconstruct(
    encoder: Encoder, decoder: DecoderA | DecoderB, operations: Operations, noise: Tensor
) -> Reconstruction:
    """Encode and decode operations.

    Args:
        encoder: Of the path.
        decoder: Of the same path.
        operations: n of them.
        noise: Standard normal, shape (n, 16), for the posterior sample; the same every epoch.
    """
    mean, logvar = encoder(operations.tables)
    exact = decoder(mean).view(-1, TRITS, CLASSES)
    top = exact.topk(2, dim=-1).values
    sampled = decoder(mean + noise * (logvar / 2).exp()).view(-1, CLASSES)
    ce = F.cross_entropy(sampled, operations.classes.view(-1), reduction="sum") / len(operations)
    return Reconstruction(
        exact=float((exact.argmax(-1) == operations.classes).all(1).float().mean()),
        margin=float((top[..., 0] - top[..., 1]).min()),
        ce=float(ce),
        kl=kl_to_prior(mean, logvar),
        variances=mean.var(0),
    )


def kl_to_prior(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mean, exp(logvar)) to N(0, 1), element-wise, nats."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)
