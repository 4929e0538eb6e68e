"""
The few numbers a schedule turns while a training runs, and what a surge does to them.
"""

import math
from dataclasses import dataclass, replace

from ternary_trainer.settings import Surge


@dataclass(frozen=True, kw_only=True)
class Dials:
    """Where one path's training stands on its schedule."""

    rate: float
    """Learning rate."""
    beta: float
    """Weight of the KL to the prior."""
    noise: float = 1.0
    """Scale of the posterior's noise."""
    exploration: float = 0.0
    """Weight of the prior's term."""


def turned(dials: Dials, surge: Surge | None) -> Dials:
    """The dials under a surge, or as they are if there is none."""
    if surge is None:
        return dials
    return replace(
        dials,
        rate=dials.rate * surge.rate**surge.strength,
        beta=dials.beta * surge.beta**surge.strength,
        noise=dials.noise * surge.noise**surge.strength,
        exploration=dials.exploration * surge.exploration**surge.strength,
    )


def ramp(progress: float, end: float) -> float:
    """From 0 at progress 0 to 1 at `end`, then 1."""
    return min(1.0, progress / end)


def cosine(first: float, last: float, progress: float) -> float:
    """From first to last along half a cosine, progress in [0, 1]."""
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def geometric(first: float, last: float, progress: float) -> float:
    """From first to last at a constant ratio, both positive, progress in [0, 1]."""
    return first * math.exp(math.log(last / first) * progress)
