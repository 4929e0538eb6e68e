"""
A VAE of an operation and its parameters: one latent, logits and normal scores.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from ternary_trainer import seeds
from ternary_trainer.model import Encoder, PlainDecoder
from ternary_trainer.settings import Recipe

HEADS: Final[dict[str, tuple[int, ...]]] = {"linear": (), "hidden": (64, 64)}
"""Widths of the hidden layers from the latent to the parameters."""


def _layers(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class HybridEncoder(nn.Module):
    """Tables and normal scores to mean and log-variance, as `Encoder` with c more inputs."""

    def __init__(self, count: int, recipe: Recipe, widths: Sequence[int]) -> None:
        super().__init__()
        plain = Encoder(recipe.signature, widths)
        plain.encoder[0] = nn.Linear(recipe.space.cells + count, widths[0])
        self.plain = plain

    def forward(self, tables: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes (n, cells) and (n, c) to two of shape (n, latent size)."""
        mean, logvar = self.plain(torch.cat([tables, scores], 1))
        return mean, logvar


class HybridDecoder(nn.Module):
    """Latents to logits, as `PlainDecoder`, and by `scores` to the parameters."""

    def __init__(self, count: int, recipe: Recipe, widths: Sequence[int], head: str) -> None:
        super().__init__()
        self.plain = PlainDecoder(recipe.signature, widths)
        self.head = _layers([recipe.latent_size, *HEADS[head], count]) if count else None

    def forward(self, latents: Tensor) -> Tensor:
        """Logits, shape (n, cells·radix); what evens the draws asks for no more."""
        logits: Tensor = self.plain(latents)
        return logits

    def scores(self, latents: Tensor) -> Tensor:
        """Normal scores of the parameters, shape (n, c)."""
        if self.head is None:
            return torch.zeros(len(latents), 0)
        found: Tensor = self.head(latents)
        return found


class Hybrid:
    """One path, with the three questions that `PathTraining` asks a model."""

    def __init__(self, recipe: Recipe, count: int, head: str, seed: int) -> None:
        network = recipe.networks["A"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds.derive(seed, "hybrid: initial weights"))
            self._encoder = HybridEncoder(count, recipe, network.encoder)
            self._decoder = HybridDecoder(count, recipe, network.decoder, head)

    def encoder(self, path: str = "A") -> HybridEncoder:  # noqa: ARG002
        """The path's."""
        return self._encoder

    def decoder(self, path: str = "A") -> HybridDecoder:  # noqa: ARG002
        """The path's."""
        return self._decoder

    def parameters_of(self, path: str = "A") -> list[nn.Parameter]:  # noqa: ARG002
        """All weights, in a fixed order."""
        return [*self._encoder.parameters(), *self._decoder.parameters()]
