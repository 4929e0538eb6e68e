"""
Check `latent-spectrum`: does every latent dimension tell operations apart?
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.space import Space
from ternary_trainer.validation.intervals import Floats, bootstrap
from ternary_trainer.validation.outcome import Outcome, at_least, judged, not_applicable, shown
from ternary_trainer.validation.subject import Network, Subject
from ternary_trainer.validation.thresholds import Thresholds

LEAST_OPERATIONS: Final = 30
"""Of a space, for a bootstrap over its operations to mean anything."""


def latent_spectrum(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Variance over all operations of the posterior mean, in the dimension where it is least."""
    if subject.space.size < LEAST_OPERATIONS:
        return not_applicable(
            f"The space has {subject.space.size} operations, too few to resample: "
            f"expected at least {LEAST_OPERATIONS}."
        )
    figures: list[Figure] = []
    for path, network in subject.networks.items():
        spectrum = variances(network, subject.space)
        interval = bootstrap(_moments(network, subject.space), _least_variance)
        figures += [
            at_least(
                "least variance", path, float(spectrum.min()), thresholds.latent_variance, interval=interval
            ),
            shown("active dimensions", path, int((spectrum > thresholds.latent_variance).sum())),
        ]
    whose = {1: "the path", 2: "both paths"}.get(len(subject.networks), "all paths")
    return judged(figures, f"All dimensions of {whose} carry information.")


def variances(network: Network, space: Space) -> Floats:
    """Variance of the posterior mean in each dimension over all operations, shape (latent size,)."""
    result: Floats = network.encode(space.tables.astype(np.float32)).astype(np.float64).var(axis=0)
    return result


def _moments(network: Network, space: Space) -> Floats:
    return moments(network.encode(space.tables.astype(np.float32)))


def moments(means: npt.NDArray[np.float32]) -> Floats:
    """Posterior means, shape (n, latent size), beside their squares, shape (n, 2 · latent size)."""
    mean = means.astype(np.float64)
    return np.concatenate([mean, np.square(mean)], axis=1)


def _least_variance(means: Floats) -> Floats:
    first, second = np.split(means, 2, axis=1)
    least: Floats = (second - np.square(first)).min(axis=1)
    return least
