"""
Check `latent-spectrum` of a vast space: over a sample of uniform operations.
"""

from functools import partial
from typing import Final

import numpy as np

from ternary_sdk._internal.packages.validation import Figure
from ternary_trainer.validation.intervals import Floats, bootstrap
from ternary_trainer.validation.outcome import Outcome, at_least, judged, shown
from ternary_trainer.validation.spectrum import moments
from ternary_trainer.validation.subject import Network
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_subject import Sample, VastSubject

SAMPLED: Final = 1 << 14
"""Operations that are resampled at most."""


def needed(subject: VastSubject) -> int:
    """How many dimensions must vary: one for each cell, if a latent has more than that."""
    return min(subject.signature.latent_size, subject.space.cells)


def latent_spectrum(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Variance of the posterior mean in the least of the dimensions that must vary."""
    figures: list[Figure] = []
    count, size = needed(subject), subject.signature.latent_size
    sample = subject.sampled.first(SAMPLED)
    for path, network in subject.networks.items():
        spectrum = variances(network, sample)
        least = partial(_least, count=count)
        interval = bootstrap(moments(network.encode(sample.tables)), least)
        name = "least variance" if count == size else f"least variance of the {count} most varied dimensions"
        value = float(np.sort(spectrum)[-count])
        figures += [
            at_least(name, path, value, thresholds.latent_variance, interval=interval),
            shown("active dimensions", path, int((spectrum > thresholds.latent_variance).sum())),
        ]
    more = "" if count == size else f" {count} of {size} are needed, one for each cell."
    return judged(figures, f"As many dimensions as are needed tell operations apart.{more}")


def variances(network: Network, sample: Sample) -> Floats:
    """Variance of the posterior mean in each dimension over some operations, shape (latent size,)."""
    result: Floats = network.encode(sample.tables).astype(np.float64).var(axis=0)
    return result


def _least(means: Floats, count: int) -> Floats:
    first, second = np.split(means, 2, axis=1)
    least: Floats = np.sort(second - np.square(first), axis=1)[:, -count]
    return least
