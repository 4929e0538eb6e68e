"""
From latents to operations: digits, canonical indices and margins of what a decoder gives.

Everything that trains, scores or reports decodes here, so that a tie means the same everywhere: the lower
digit.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Decoded latents, as columns: comparisons then run along memory, which is several times faster."""

    logits: Tensor
    """Shape (cells, radix, n)."""
    classes: Tensor
    """The digit with the largest logit, int64, shape (cells, n)."""
    index: Tensor
    """Canonical index, int64, shape (n,)."""

    @property
    def margin(self) -> Tensor:
        """Of each row the smallest gap between the two largest logits of a cell, shape (n,)."""
        one, other, *rest = self.logits.detach().unbind(1)
        best, second = torch.maximum(one, other), torch.minimum(one, other)
        for logit in rest:
            second = torch.maximum(second, torch.minimum(best, logit))
            best = torch.maximum(best, logit)
        return (best - second).amin(0)


def decode(decoder: nn.Module, latents: Tensor, space: Space) -> Decoded:
    """Decode latents.

    Args:
        decoder: From latents, shape (n, latent size), to logits, shape (n, cells·radix).
        latents: Shape (n, latent size).
        space: That the decoder's operations are of; a tie goes to the lower digit.
    """
    logits = decoder(latents).t().contiguous().view(space.cells, space.radix, -1)
    first, second, *others = logits.detach().unbind(1)
    classes, best = (second > first).long(), torch.maximum(first, second)
    for digit, logit in enumerate(others, start=2):
        classes = torch.where(logit > best, digit, classes)
        best = torch.maximum(best, logit)
    return Decoded(logits=logits, classes=classes, index=(classes * places(space, logits.device)).sum(0))


def places(space: Space, device: torch.device) -> Tensor:
    """The place value of each cell, int64, shape (cells, 1)."""
    return torch.from_numpy(space.places.copy()).to(device)[:, None]


def one_hot(classes: Tensor, space: Space) -> Tensor:
    """Digits, int64, shape (cells, n), as ones and zeros, float, shape (cells · radix, n)."""
    rows = torch.zeros(space.cells, space.radix, classes.shape[1], device=classes.device)
    return rows.scatter_(1, classes[:, None], 1.0).flatten(0, 1)


def downhill(draws: Decoded, potential: Tensor) -> Tensor:
    """Gradient of the mean potential of draws, times n, with respect to their logits: q·(f - Σ q f) a cell.

    Args:
        draws: n of them, with softmax probabilities q.
        potential: What f a draw would have with each digit of each cell, its other digits as they are.
    Returns:
        Shape (cells, radix, n), as the potential's.
    """
    chances = _softmax(draws.logits.detach())
    return chances * (potential - (chances * potential).sum(1, keepdim=True))


def _softmax(logits: Tensor) -> Tensor:
    """Chances of each digit from logits, shape (cells, radix, n) both."""
    # Written out because torch's softmax over so few values costs ten times as much.
    powers = (logits - logits.amax(1, keepdim=True)).exp_()
    return powers.div_(powers.sum(1, keepdim=True))
