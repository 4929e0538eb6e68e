"""
Consistency losses: two looks at the same thing must agree.

- `noise`: the posterior of a table with one cell replaced is that of the clean table (Sinha and Dieng,
  "Consistency regularization for variational auto-encoders", 2021). There the ELBO of the noisy table joins
  the loss as well; here it does not.
- `symmetry`: what a permutation of inputs or values does to posterior means is an affine map, the same for
  the whole batch. Equivariance as in Cohen and Welling, "Group equivariant convolutional networks", 2016; the
  map is not given but fitted in each step.
- `draws`: what a prior draw decodes to decodes to itself again. It is the sleep phase of Hinton et al., "The
  wake-sleep algorithm for unsupervised neural networks", 1995, with reconstruction as its loss.
"""

import torch
from torch import Tensor

from ternary_trainer import score
from ternary_trainer.decoding import decode
from ternary_trainer.mechanism_settings import Noise
from ternary_trainer.mechanisms.noise import noisy
from ternary_trainer.mechanisms.withheld import Withheld
from ternary_trainer.model import Decoder, Encoder
from ternary_trainer.relabelling import generators
from ternary_trainer.split import Operations

_RIDGE = 1e-3
"""Added to the batch's second moments, which are 1 where a dimension is used: idle ones have none."""


def of_noise(
    encoder: Encoder, operations: Operations, mean: Tensor, logvar: Tensor, random: torch.Generator
) -> Tensor:
    """KL from the posterior of a noisy table, one cell in the mean, to that of the clean one, nats."""
    other, spread = encoder(noisy(Noise(chance=1 / operations.space.cells), operations, random))
    apart = (spread.exp() + (other - mean).square()) / logvar.exp() + logvar - spread - 1
    divergence: Tensor = apart.sum(1).mean() / 2
    return divergence


def of_symmetry(
    encoder: Encoder, operations: Operations, mean: Tensor, withheld: Withheld, random: torch.Generator
) -> Tensor:
    """Share of the variance of images' means that no affine map of the means explains, in [0, 1].

    The map, one of the generators of all permutations in each step, is fitted by least squares.
    """
    space, device = operations.space, mean.device
    known = generators(space)
    change = known[int(torch.randint(len(known), (1,), generator=random, device=device))]
    cells, results = (torch.from_numpy(part.copy()).to(device) for part in (change.cells, change.results))
    images = results[operations.classes[:, cells]]
    kept = ~withheld(images)
    if int(kept.sum()) < 2 * mean.shape[1]:
        return mean.new_zeros(())
    wanted, _ = encoder((images[kept] + space.lowest).float())
    given, wanted = mean[kept] - mean[kept].mean(0), wanted - wanted.mean(0)
    moments = given.t() @ given / len(given) + _RIDGE * torch.eye(given.shape[1], device=device)
    fitted = given @ torch.linalg.solve(moments, given.t() @ wanted / len(given))
    unexplained: Tensor = (wanted - fitted).square().sum() / wanted.square().sum().clamp(min=1e-6)
    return unexplained


def of_draws(
    encoder: Encoder,
    decoder: Decoder,
    operations: Operations,
    latents: Tensor,
    withheld: Withheld,
) -> Tensor:
    """Cross-entropy of decoding the posterior mean of what latents decode to, nats, mean over draws.

    Args:
        encoder: Of the path.
        decoder: Of the same path.
        operations: Of the step; only their space matters.
        latents: Prior draws, shape (n, latent size). Those of withheld operations count nothing.
        withheld: Which operations may not be shown.
    """
    space = operations.space
    with torch.no_grad():
        classes = decode(decoder, latents, space).classes.t().contiguous()
        classes = classes[~withheld(classes)]
    if not len(classes):
        return latents.new_zeros(())
    drawn = Operations.of(classes, space)
    mean, _ = encoder(drawn.tables)
    return score.cross_entropy(decoder(mean), drawn) / len(latents)
