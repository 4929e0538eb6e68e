"""
The schedules of the published v5.5 recipe, as functions of the epoch alone.

What the recipe adapts to the training itself (rho in phase 3, l1, l2, the gradient balance) is in `coupled`.
"""

import math
from typing import Final

_RATES: Final = (
    (350, 5e-6),
    (300, 1e-5),
    (250, 2e-5),
    (220, 5e-5),
    (180, 1e-4),
    (120, 3e-4),
    (50, 5e-4),
    (0, 1e-3),
)
_PLANNED: Final = 400
_CONSOLIDATION: Final = 40
_COUPLING: Final = 120
_EXPLORATION: Final = 250


def phase(epoch: int) -> str:
    """isolation, consolidation, coupling or exploration."""
    starts = ((_EXPLORATION, "exploration"), (_COUPLING, "coupling"), (_CONSOLIDATION, "consolidation"))
    return next((name for start, name in starts if epoch >= start), "isolation")


def rate(epoch: int) -> float:
    """Learning rate: 1e-3, halved at 50, then down to 5e-6."""
    return next(value for start, value in _RATES if epoch >= start)


def beta_a(epoch: int) -> float:
    """Weight of path A's KL: 0 to 0.3 over 50 epochs, then linear to 0.8 at 400."""
    if epoch < 50:
        return 0.3 * epoch / 50
    return 0.3 + 0.5 * min(1.0, (epoch - 50) / (_PLANNED - 50))


def beta_b(epoch: int, disruption: int) -> float:
    """Weight of path B's KL: 0 until the disruption, then at once beta A times |sin 0.785|."""
    return 0.0 if epoch < disruption else beta_a(epoch) * abs(math.sin(0.785))


def temperature_a(epoch: int) -> float:
    """Scale of path A's noise: 1.0 to 0.3 over 400 epochs, swinging by 10 %, from 250 on 50 %, period 30."""
    base = 1.0 - 0.7 * min(1.0, epoch / _PLANNED)
    swing = 0.5 if epoch >= _EXPLORATION else 0.1
    return max(0.1, base * (1 + swing * math.cos(2 * math.pi * epoch / 30)))


def temperature_b(epoch: int) -> float:
    """Scale of path B's noise: 0.9 to 0.2 over 400 epochs, 30 epochs late; 0.3 from 250 on."""
    if epoch >= _EXPLORATION:
        return 0.3
    return 0.9 - 0.7 * min(1.0, max(0, epoch - 30) / _PLANNED)


def rho(epoch: int, before: float, balanced: bool) -> float:
    """Share of the other path in the latents that a decoder sees; in phase 3 it rises only while balanced."""
    if epoch < _CONSOLIDATION:
        return 0.1
    if epoch < _COUPLING:
        return 0.1 + 0.2 * (epoch - _CONSOLIDATION) / (_COUPLING - _CONSOLIDATION)
    if epoch < _EXPLORATION:
        return 0.3 + 0.4 * min(1.0, (epoch - _COUPLING) / 80) if balanced else before
    return 0.7


def l3(epoch: int) -> float:
    """Weight of the entropy difference, period 30; the difference carries no gradient."""
    return 0.3 + 0.15 * math.cos(2 * math.pi * (epoch % 30) / 30 + math.pi / 2)
