"""
What a way of training must offer to the loop in `train`: an epoch, its own loss, and its state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from ternary_trainer.dials import Dials
from ternary_trainer.history import EpochRecord
from ternary_trainer.settings import Surge
from ternary_trainer.split import Operations


@dataclass(frozen=True, kw_only=True)
class PathFigures:
    """What one path's training says about an epoch."""

    reconstruction: float
    """Cross-entropy summed over the cells of a table, nats, mean over the steps."""
    kl: float
    """KL to the prior, nats, mean over the steps."""
    dials: Dials
    """Where the schedule stood at the end, surges included."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a training says about an epoch."""

    phase: str
    paths: Mapping[str, PathFigures]
    """By the path's letter."""
    coupling: Mapping[str, float] | None = None
    """What the method adapts by itself, if anything."""


class Method(Protocol):
    """A way of training all paths of a model, one epoch at a time."""

    def run_epoch(self, epoch: int, surge: Surge | None, last: EpochRecord | None) -> Figures:
        """Change the weights by one epoch of training, knowing the record of the one before."""
        ...

    def validation_loss(self, operations: Operations, random: torch.Generator) -> float:
        """The method's own loss on operations, weighted as in the last epoch; noise from `random`."""
        ...

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs besides the weights, as plain values and tensors."""
        ...

    def restore(self, state: dict[str, Any], *, moved: str = "") -> None:
        """Go on from `state`.

        Args:
            state: As `state` gave it.
            moved: Where the state is of another kind of device, whose number streams cannot go on here, the
                purpose of the new streams that begin instead.
        """
        ...
