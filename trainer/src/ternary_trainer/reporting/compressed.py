"""
What one path needs to name an operation and to hold all of them: bits of a latent, bytes of a decoder.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_sdk.errors import InputError
from ternary_trainer.compression import MOST_LEVELS, Kind, smallest_code
from ternary_trainer.run import Run
from ternary_trainer.validation.subject import Floats, Network, Validated

LARGEST: Final = 1 << 17
"""Operations of a space at most; the search decodes all of them some hundred times."""
_ORDERS: Final = 1
_KINDS: Final[tuple[Kind, ...]] = ("uniform", "learned")


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """One path; each figure is a number, or why there is none."""

    uniform: float | str
    """Bits of a latent in levels of one width, with which every operation decodes."""
    learned: float | str
    """The same in levels of least squared error."""
    elbo: float | str
    """Negative ELBO at beta 1, bits, on the validation operations, of the snapshot's epoch."""
    stored: int
    """Bits of a latent as float32."""
    weights: int | str
    """Bytes of the decoder's parameters as float32."""


def compressed(subject: Validated, path: str, run: Run | None) -> Compressed:
    """Measure one path.

    Args:
        subject: The model.
        path: The letter.
        run: The subject's run, where it is one; only it records an ELBO.
    """
    uniform, learned = _codes(subject, path)
    parameters = subject.decoder_parameters.get(path)
    return Compressed(
        uniform=uniform,
        learned=learned,
        elbo="not known without its run" if run is None else _elbo(run, subject.rule, path),
        stored=32 * subject.signature.latent_size,
        weights="not known" if parameters is None else 4 * parameters,
    )


def _elbo(run: Run, rule: str, path: str) -> float:
    epoch = run.best(rule).epoch
    record = next(record for record in run.history if record.epoch == epoch)
    return record.paths[path].elbo / math.log(2)


def _codes(subject: Validated, path: str) -> list[float | str]:
    network, space = subject.networks.get(path), subject.space
    if network is None:
        return ["no encoder"] * 2
    if space.size > LARGEST:
        return [f"not measured in spaces of more than {LARGEST:,} operations"] * 2
    latents = network.encode(space.tables.astype(np.float32))
    lost = int(np.count_nonzero(network.index(latents) != np.arange(space.size)))
    if lost:
        return [f"none: {lost:,} operations do not decode from their own latent"] * 2
    return [_bits(network, latents, kind) for kind in _KINDS]


def _bits(network: Network, latents: Floats, kind: Kind) -> float | str:
    try:
        return smallest_code(latents, network.index, kind, orders=_ORDERS).bits
    except InputError:
        return f"none with {MOST_LEVELS} levels or fewer"
