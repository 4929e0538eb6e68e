"""Untrained networks of any signature, by the names that snapshots give their tensors."""

import itertools
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from ternary_sdk.signature import Signature

State = dict[str, npt.NDArray[np.float32]]


def untrained_of(
    signature: Signature, seed: int = 1, *, residual: bool = False, skip: bool = False, width: int = 24
) -> State:
    """Random weights; each path has two hidden layers, or with ``residual`` two blocks of two layers.

    They are large enough that draws spread over a part of the space.
    """
    space, latents = signature.space, signature.latent_size
    logits, random, state = space.cells * space.radix, np.random.default_rng(seed), State()

    def layer(name: str, size: int, out: int) -> None:
        scale = 2 / np.sqrt(size)
        state[f"{name}.weight"] = (scale * random.normal(size=(out, size))).astype(np.float32)
        state[f"{name}.bias"] = (0.3 * random.normal(size=out)).astype(np.float32)

    for path in signature.paths:
        for number, (size, out) in enumerate(itertools.pairwise((space.cells, width, width))):
            layer(f"encoder_{path}.encoder.{2 * number}", size, out)
        for head in ("fc_mu", "fc_logvar"):
            layer(f"encoder_{path}.{head}", width, latents)
        if residual:
            layer(f"decoder_{path}.fc_in", latents, width)
            for block, inner in itertools.product((1, 2), (0, 2)):
                layer(f"decoder_{path}.residual{block}.block.{inner}", width, width)
            layer(f"decoder_{path}.fc_out", width, logits)
        else:
            for number, (size, out) in enumerate(itertools.pairwise((latents, width, width, logits))):
                layer(f"decoder_{path}.decoder.{2 * number}", size, out)
        if skip:
            layer(f"decoder_{path}.skip", latents, logits)
            del state[f"decoder_{path}.skip.bias"]
    return state


def thresholds(signature: Signature, *, scale: float = 10.0) -> State:
    """A model by hand, as good as a model can be: each cell is one latent, cut where the normal distribution
    has equal parts, and an encoder gives the middle of a part. It needs a latent for each cell.

    A margin is the distance from the nearest cut, times ``scale``.
    """
    space, latents = signature.space, signature.latent_size
    cells, radix, normal, state = space.cells, space.radix, NormalDist(), State()
    cuts = [normal.inv_cdf(digit / radix) for digit in range(1, radix)]
    middles = [normal.inv_cdf((digit + 0.5) / radix) for digit in range(radix)]
    # Line d, with the slope d, leads between cuts d - 1 and d: it meets the line before it at cut d - 1.
    offsets = [0.0, *itertools.accumulate(-cut for cut in cuts)]

    def layer(name: str, weight: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = weight.astype(np.float32), bias.astype(np.float32)

    every, steps = np.eye(cells), radix - 1
    rises = np.diff(middles)
    slopes = np.array([rises[0], *np.diff(rises)])
    for path in signature.paths:
        # Features max(0, digit - j), j = 0 … radix - 2, of which a mean is piecewise linear.
        starts = np.repeat(np.arange(steps), cells) + float(space.lowest)
        layer(f"encoder_{path}.encoder.0", np.tile(every, (steps, 1)), -starts)
        layer(f"encoder_{path}.encoder.2", np.eye(steps * cells), np.zeros(steps * cells))
        means = np.zeros((latents, steps * cells))
        means[:cells] = np.hstack([slope * every for slope in slopes])
        layer(f"encoder_{path}.fc_mu", means, np.pad(np.full(cells, middles[0]), (0, latents - cells)))
        layer(f"encoder_{path}.fc_logvar", np.zeros((latents, steps * cells)), np.zeros(latents))
        both = np.eye(cells, latents)
        layer(f"decoder_{path}.decoder.0", np.vstack([both, -both]), np.zeros(2 * cells))
        layer(f"decoder_{path}.decoder.2", np.eye(2 * cells), np.zeros(2 * cells))
        rows = np.kron(every, scale * np.arange(float(radix))[:, np.newaxis])
        bias = np.tile(np.multiply(scale, offsets), cells)
        layer(f"decoder_{path}.decoder.4", np.hstack([rows, -rows]), bias)
    return state
