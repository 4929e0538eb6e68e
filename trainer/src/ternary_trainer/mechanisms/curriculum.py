"""
Curriculum and progressive difficulty: a training begins with the easiest operations and takes in the others.

- `influence`: an operation is easy if neighbouring cells agree; a constant is the easiest. Neighbours differ
  in one input. The order is fixed (Bengio et al., "Curriculum learning", 2009).
- `loss`: an operation is easy if the path already gives it back; the order is made anew in every epoch
  (Kumar, Packer and Koller, "Self-paced learning for latent variable models", 2010).
"""

import itertools
import math

import torch
from torch import Tensor

from ternary_trainer.mechanism_settings import Curriculum
from ternary_trainer.model import Decoder, Encoder
from ternary_trainer.split import Operations


def share(settings: Curriculum, epoch: int) -> float:
    """Of the training operations, easiest first, that an epoch uses; in (0, 1]."""
    return min(1.0, settings.start + (1 - settings.start) * epoch / settings.epochs)


def used(
    settings: Curriculum, epoch: int, operations: Operations, encoder: Encoder, decoder: Decoder, least: int
) -> Operations:
    """The operations that an epoch uses, at least `least` of them."""
    part = share(settings, epoch)
    if part == 1:
        return operations
    difficulty = influence(operations) if settings.by == "influence" else loss(operations, encoder, decoder)
    count = max(least, math.ceil(part * len(operations)))
    return operations.take(difficulty.argsort(stable=True)[:count])


def influence(operations: Operations) -> Tensor:
    """Pairs of neighbouring cells with different results, int64, shape (n,)."""
    space = operations.space
    cube = operations.classes.view(-1, *[space.radix] * space.inputs)
    found = torch.zeros(len(operations), dtype=torch.int64, device=cube.device)
    for axis in range(1, space.inputs + 1):
        for one, other in itertools.combinations(cube.unbind(axis), 2):
            found += (one != other).flatten(1).sum(1)
    return found


@torch.no_grad()
def loss(operations: Operations, encoder: Encoder, decoder: Decoder) -> Tensor:
    """Cross-entropy of decoding each posterior mean, nats, shape (n,)."""
    mean, _ = encoder(operations.tables)
    logits = decoder(mean).view(*operations.classes.shape, -1).transpose(1, 2)
    return torch.nn.functional.cross_entropy(logits, operations.classes, reduction="none").sum(1)
