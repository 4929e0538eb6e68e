"""
A path as functions: by torch from trained weights, or by ONNX Runtime from a package's graphs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ternary_sdk._internal.inference import runtime
from ternary_sdk._internal.packages.manifest_entries import ModelPath
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices
from ternary_trainer.decoding import decode
from ternary_trainer.device import CPU
from ternary_trainer.model import TernaryVAE, restored
from ternary_trainer.validation.subject import Floats
from ternary_trainer.validation.vast_draws import VastDecoder

_BLOCK = 8192
"""Latents that are decoded at a time."""
_ENCODED = 32_768
"""Inputs that are encoded at a time."""


class TorchNetwork:
    """One path of trained weights."""

    def __init__(self, model: TernaryVAE, path: str, place: torch.device) -> None:
        self._encoder, self._decoder, self._place = model.encoder(path), model.decoder(path), place
        self._space = model.signature.space

    def encode(self, inputs: Floats) -> Floats:
        """Posterior means, shape (n, latent size), of inputs, shape (n, cells)."""
        blocks = torch.split(self._tensor(inputs), _ENCODED)
        with _inferring():
            result: Floats = torch.cat([self._encoder(block)[0] for block in blocks]).cpu().numpy()
        return result

    def index(self, latents: Floats) -> Indices:
        """Canonical indices, shape (n,), of what latents, shape (n, latent size), decode to."""
        blocks = torch.split(self._tensor(latents), _BLOCK)
        with _inferring():
            parts = [decode(self._decoder, block, self._space).index for block in blocks]
        result: Indices = torch.cat(parts).cpu().numpy()
        return result

    def decode(self, latents: Floats) -> tuple[Indices, Floats]:
        """Canonical indices and margins, shape (n,) both, of latents, shape (n, latent size)."""
        indices, margins = [], []
        with _inferring():
            for block in torch.split(self._tensor(latents), _BLOCK):
                decoded = decode(self._decoder, block, self._space)
                indices.append(decoded.index)
                margins.append(decoded.margin)
        return torch.cat(indices).cpu().numpy(), torch.cat(margins).cpu().numpy()

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


class GraphDecoder:
    """One path of a package, without an encoder."""

    def __init__(self, decoder: runtime.Decoder) -> None:
        self._decoder = decoder

    def index(self, latents: Floats) -> Indices:
        """Canonical indices, shape (n,), of what latents, shape (n, latent size), decode to."""
        return self._decoder.index(latents)

    def decode(self, latents: Floats) -> tuple[Indices, Floats]:
        """Canonical indices and margins, shape (n,) both, of latents, shape (n, latent size)."""
        decoded = self._decoder.decode(np.ascontiguousarray(latents))
        return decoded.index, decoded.margin


class GraphNetwork(GraphDecoder):
    """One path of a package, with its encoder."""

    def __init__(self, encoder: runtime.Encoder, decoder: runtime.Decoder) -> None:
        super().__init__(decoder)
        self._encoder = encoder

    def encode(self, inputs: Floats) -> Floats:
        """Posterior means, shape (n, latent size), of inputs, shape (n, cells)."""
        values = np.ascontiguousarray(inputs, dtype=np.float32)  # off the grid, too, as `mean` has none
        blocks = [mean for (mean,) in self._encoder.blocks(["mean"], "operations", values)]
        empty = np.empty((0, self._encoder.signature.latent_size), np.float32)
        return np.concatenate([empty, *blocks])[: len(values)]


def of_weights(state: Mapping[str, Tensor], place: torch.device = CPU) -> dict[str, TorchNetwork]:
    """Every path of trained weights, computed on a device."""
    model = restored(state).to(place).eval()
    return {path: TorchNetwork(model, path, place) for path in model.signature.paths}


def decoder_parameters(state: Mapping[str, Tensor]) -> dict[str, int]:
    """How many parameters the decoder of each path has."""
    model = restored(state)
    return {
        path: sum(weight.numel() for weight in model.decoder(path).parameters())
        for path in model.signature.paths
    }


@contextmanager
def of_package(package: Package) -> Iterator[dict[str, VastDecoder]]:
    """Every path of a verified package; its threads stop at the end.

    Raises:
        InputError: If its graphs are encrypted and were not unlocked.
    """
    if package.locked:
        raise InputError(
            f"{package.manifest.label}: its graphs are encrypted; give the license that opens it"
        )
    with runtime.Workers() as workers:
        yield {entry.path: _of_graphs(package, entry, workers) for entry in package.manifest.paths}


def _of_graphs(package: Package, entry: ModelPath, workers: runtime.Workers) -> GraphDecoder:
    member, of = entry.decoder.member, package.signature
    decoder = runtime.Decoder(package.graphs[member], member, workers, of)
    if entry.encoder is None:
        return GraphDecoder(decoder)
    member = entry.encoder.member
    return GraphNetwork(runtime.Encoder(package.graphs[member], member, workers, of), decoder)
