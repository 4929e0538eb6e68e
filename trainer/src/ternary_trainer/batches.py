"""
What a path trains on, step by step: passes over a listed space's training operations, or fresh operations of
a vast space.

Both take their numbers from the path's own stream, so a resumed run goes on with the operations that would
have followed.
"""

from collections.abc import Iterator
from typing import Protocol

import torch

from ternary_trainer import split
from ternary_trainer.settings import Effort, Learn, Recipe
from ternary_trainer.split import Operations
from ternary_trainer.vast_split import VastSplit


class Batches(Protocol):
    """The training operations of one path."""

    def steps(self, effort: Learn | Effort) -> int:
        """How many steps an epoch has."""
        ...

    def epoch(self, effort: Learn | Effort) -> Iterator[Operations]:
        """The operations of each step of an epoch."""
        ...


def of(recipe: Recipe, random: torch.Generator) -> Batches:
    """The training operations of a recipe, in an order from a number stream."""
    if recipe.space.listed:
        family, count = recipe.holdout_family, recipe.training_operations
        data = split.training(recipe.space, random.device, family, count)
        return _Listed(data, recipe.batch, random)
    return _Fresh(VastSplit(recipe.space, recipe.holdout_family), recipe.batch, random)


class _Listed:
    """Every operation once in a pass, in a new order each time; what does not fill a batch is left out."""

    def __init__(self, data: Operations, batch: int, random: torch.Generator) -> None:
        self._data, self._batch, self._random = data, batch, random

    def steps(self, effort: Learn | Effort) -> int:
        return (effort.passes or 0) * (len(self._data) // self._batch)

    def epoch(self, effort: Learn | Effort) -> Iterator[Operations]:
        left = self.steps(effort)
        while left:
            order = torch.randperm(len(self._data), generator=self._random, device=self._random.device)
            batches = order[: len(order) - len(order) % self._batch].view(-1, self._batch)[:left]
            yield from map(self._data.take, batches)
            left -= len(batches)


class _Fresh:
    """Operations that hardly ever come twice, uniform among those that nothing holds out."""

    def __init__(self, rule: VastSplit, batch: int, random: torch.Generator) -> None:
        self._rule, self._batch, self._random = rule, batch, random

    def steps(self, effort: Learn | Effort) -> int:
        return effort.steps or 0

    def epoch(self, effort: Learn | Effort) -> Iterator[Operations]:
        for _ in range(self.steps(effort)):
            yield self._rule.training(self._batch, self._random)
