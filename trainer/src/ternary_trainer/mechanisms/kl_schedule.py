"""
Schedules of the KL's weight, in place of the ramp over the first third of `learn`.

Annealing is due to Bowman et al., "Generating sentences from a continuous space", 2016; cycles are from Fu et
al., "Cyclical annealing schedule", 2019.
"""

from ternary_trainer.mechanism_settings import KlSchedule


def factor(settings: KlSchedule, progress: float) -> float:
    """Factor on beta at a share of the whole training, in [0, 1]."""
    if settings.kind == "constant":
        return 1.0
    return min(1.0, 2 * (progress * settings.cycles % 1))
