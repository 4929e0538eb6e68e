"""
A path as functions: by torch from trained weights, or by ONNX Runtime from a package's graphs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import InputError
from ternary_trainer.device import CPU
from ternary_trainer.model import TernaryVAE, restored
from ternary_trainer.validation.subject import Floats, Network

_BLOCK = 8192


class TorchNetwork:
    """One path of trained weights."""

    def __init__(self, model: TernaryVAE, path: str, place: torch.device) -> None:
        self._encoder, self._decoder, self._place = model.encoder(path), model.decoder(path), place
        self._radix = model.signature.space.radix

    def encode(self, inputs: Floats) -> Floats:
        """Means, shape (n, 16), of inputs, shape (n, 9)."""
        with _inferring():
            mean, _ = self._encoder(self._tensor(inputs))
        result: Floats = mean.cpu().numpy()
        return result

    def logits(self, latents: Floats) -> Floats:
        """Logits, shape (n, 9, 3), of latents, shape (n, 16)."""
        blocks = torch.split(self._tensor(latents), _BLOCK)
        with _inferring():
            result: Floats = torch.cat([self._decoder(block) for block in blocks]).cpu().numpy()
        return result.reshape(len(latents), -1, self._radix)

    def _tensor(self, values: Floats) -> Tensor:
        return torch.from_numpy(np.array(values, dtype=np.float32)).to(self._place)


@contextmanager
def _inferring() -> Iterator[None]:
    # Layers this small lose more by being shared between cores than they gain.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


class GraphNetwork:
    """One path of a package."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        self._encoder, self._decoder = encoder, decoder

    def encode(self, inputs: Floats) -> Floats:
        """Means, shape (n, 16), of inputs, shape (n, 9)."""
        values = np.ascontiguousarray(inputs, dtype=np.float32)
        blocks = self._encoder.blocks(["mean"], "operations", values)
        means: Floats = np.concatenate([mean for (mean,) in blocks])[: len(values)]
        return means

    def logits(self, latents: Floats) -> Floats:
        """Logits, shape (n, 9, 3), of latents, shape (n, 16)."""
        return self._decoder.logits(latents)


def of_weights(state: Mapping[str, Tensor], place: torch.device = CPU) -> dict[str, Network]:
    """Both paths of trained weights, computed on a device."""
    model = restored(state).to(place).eval()
    return {path: TorchNetwork(model, path, place) for path in model.signature.paths}


@contextmanager
def of_package(package: Package) -> Iterator[dict[str, Network]]:
    """Every path of a verified package; its threads stop at the end.

    Raises:
        InputError: If its graphs are encrypted and were not unlocked.
    """
    if package.locked:
        raise InputError(
            f"{package.manifest.label}: its graphs are encrypted; give the license that opens it"
        )
    of = package.signature
    with Workers() as workers:
        yield {
            path.path: GraphNetwork(
                Encoder(package.graphs[path.encoder.member], path.encoder.member, workers, of),
                Decoder(package.graphs[path.decoder.member], path.decoder.member, workers, of),
            )
            for path in package.manifest.paths
            if path.encoder is not None
        }
