"""
The mechanisms that a recipe switches on, at work in the training of one path.

They take their random numbers from the path's own stream, so a resumed run goes on as if it had not stopped.
The validation loss has none of them: it means the same with and without.
"""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from ternary_trainer.mechanisms import composition, permutation, withheld
from ternary_trainer.mechanisms.withheld import Withheld
from ternary_trainer.model import Decoder, Encoder
from ternary_trainer.settings import Recipe, Separate
from ternary_trainer.split import Operations


class Mechanisms:
    """What happens to a path's operations, and the terms that join its loss."""

    def __init__(
        self, recipe: Recipe, settings: Separate, encoder: Encoder, decoder: Decoder, random: torch.Generator
    ) -> None:
        self._settings, self._encoder, self._decoder = settings, encoder, decoder
        self._random = random
        self._recipe = recipe

    @cached_property
    def _withheld(self) -> Withheld:
        """Made when the first mechanism asks: most trainings have none."""
        recipe = self._recipe
        return withheld.of(
            recipe.space, recipe.holdout_family, recipe.training_operations, self._random.device
        )

    def replaced(self, operations: Operations) -> Operations:
        """The operations of a step, or images in their place."""
        settings = self._settings.permutation
        if settings is None:
            return operations
        return permutation.permuted(settings, operations, self._withheld, self._random)

    def terms(self, operations: Operations, mean: Tensor) -> Iterator[Tensor]:
        """Terms of the loss, weighted, each of shape ().

        Args:
            operations: Of the step.
            mean: Of their posterior, shape (n, latent size).
        """
        if composed := self._settings.composition:
            yield composed.weight * composition.of_sums(
                self._encoder, self._decoder, operations, mean, self._withheld, self._random
            )
