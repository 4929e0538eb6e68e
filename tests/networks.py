"""Untrained networks of any signature, by the names that snapshots give their tensors."""

import itertools

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
