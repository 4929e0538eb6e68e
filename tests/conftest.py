"""Untrained models for tests of what holds for any model; trained ones come from the evaluation package."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

State = dict[str, npt.NDArray[np.float32]]

LAYERS = {
    **{
        f"encoder_{path}.encoder.{n}": shape
        for path in "AB"
        for n, shape in ((0, (256, 9)), (2, (128, 256)), (4, (64, 128)))
    },
    **{f"encoder_{path}.{head}": (16, 64) for path in "AB" for head in ("fc_mu", "fc_logvar")},
    "decoder_A.decoder.0": (32, 16),
    "decoder_A.decoder.2": (64, 32),
    "decoder_A.decoder.4": (27, 64),
    "decoder_B.fc_in": (128, 16),
    **{f"decoder_B.residual{n}.block.{layer}": (128, 128) for n in (1, 2) for layer in (0, 2)},
    "decoder_B.fc_out": (27, 128),
}
"""Weight shapes of both paths, written out from the description of the model and not from its code."""


@pytest.fixture
def untrained() -> Callable[[int], State]:
    """Makes a random snapshot of the right shapes; it reaches a part of the space."""

    def make(seed: int) -> State:
        random = np.random.default_rng(seed)
        state: State = {}
        for layer, (out, size) in LAYERS.items():
            state[f"{layer}.weight"] = (2 * random.normal(size=(out, size)) / np.sqrt(size)).astype(
                np.float32
            )
            state[f"{layer}.bias"] = (0.3 * random.normal(size=out)).astype(np.float32)
        return state

    return make
