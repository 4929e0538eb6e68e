"""
Noise injection: the encoder reads tables with some cells replaced, and must give back the clean ones.

This is the denoising criterion (Vincent et al., "Extracting and composing robust features with denoising
autoencoders", 2008; Im et al., "Denoising criterion for variational auto-encoding framework", 2017). A table
with one other cell is itself an operation, so noise asks for something that the task contradicts. It may be a
held-out one: nothing withholds it, and its target is a training operation.
"""

import torch
from torch import Tensor

from ternary_trainer.mechanism_settings import Noise
from ternary_trainer.split import Operations


def noisy(settings: Noise, operations: Operations, random: torch.Generator) -> Tensor:
    """Tables as an encoder reads them, shape (n, cells): each cell is replaced by chance."""
    classes, space = operations.classes, operations.space
    replaced = torch.rand(classes.shape, generator=random, device=classes.device) < settings.chance
    shift = torch.randint(1, space.radix, classes.shape, generator=random, device=classes.device)
    return ((classes + shift * replaced) % space.radix + space.lowest).float()
