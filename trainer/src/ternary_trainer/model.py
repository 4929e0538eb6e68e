"""
The networks: a VAE over truth tables for each path, and StateNet beside those of v5.5.

State names are those of existing v5.5 checkpoints; export and every vendor's stored models depend on them
and, for the architecture `V55`, on the shapes and on the order in which weights are first drawn. A layer may
not be renamed or reordered here.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from ternary_sdk.signature import Signature
from ternary_trainer.architecture import V55, Architecture, Network, Residual
from ternary_trainer.recognition import architecture_of

_STATE: Final = 9
"""Figures that StateNet reads."""


def _layers(*widths: int) -> list[nn.Module]:
    """Linear layers from one width to the next, each followed by a ReLU."""
    return [layer for pair in itertools.pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]


class Encoder(nn.Module):
    """Truth tables to the mean and log-variance of their latents: hidden layers, then two heads.

    Args:
        signature: Of the model.
        widths: Of the hidden layers, at least one.
    """

    def __init__(self, signature: Signature, widths: Sequence[int]) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*_layers(signature.space.cells, *widths))
        self.fc_mu = nn.Linear(widths[-1], signature.latent_size)
        self.fc_logvar = nn.Linear(widths[-1], signature.latent_size)

    def forward(self, tables: Tensor) -> tuple[Tensor, Tensor]:
        """Float values, shape (n, cells), to (mean, log-variance), each of shape (n, latent_size)."""
        hidden = self.encoder(tables)
        return self.fc_mu(hidden), self.fc_logvar(hidden)


class PlainDecoder(nn.Module):
    """Latents to logits by hidden layers one after another. Path A of v5.5 has 16→32→64→27.

    Args:
        signature: Of the model.
        widths: Of the hidden layers.
        skip: Whether a linear map of the latents is added to the logits.
    """

    def __init__(self, signature: Signature, widths: Sequence[int], *, skip: bool = False) -> None:
        super().__init__()
        last = widths[-1] if widths else signature.latent_size
        hidden = _layers(signature.latent_size, *widths)
        self.decoder = nn.Sequential(*hidden, nn.Linear(last, _logits(signature)))
        self.skip = _skip(signature) if skip else None

    def forward(self, latents: Tensor) -> Tensor:
        """Latents, shape (n, latent_size), to logits, shape (n, cells·radix).

        Logit radix·k + c is of digit c in cell k.
        """
        logits: Tensor = self.decoder(latents)
        return logits if self.skip is None else logits + self.skip(latents)


class Block(nn.Module):
    """Two layers of equal width, added to their input; the ReLU after the sum is the decoder's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, hidden: Tensor) -> Tensor:
        """Shape (n, width), in and out."""
        result: Tensor = hidden + self.block(hidden)
        return result


class ResidualDecoder(nn.Module):
    """Latents to logits by blocks. Path B of v5.5 has 16→128, two blocks, 128→27.

    Args:
        signature: Of the model.
        shape: Width and number of blocks.
        skip: Whether a linear map of the latents is added to the logits.
    """

    def __init__(self, signature: Signature, shape: Residual, *, skip: bool = False) -> None:
        super().__init__()
        self.fc_in = nn.Linear(signature.latent_size, shape.width)
        self._blocks = [Block(shape.width) for _ in range(shape.blocks)]
        for number, block in enumerate(self._blocks, start=1):
            self.add_module(f"residual{number}", block)
        self.fc_out = nn.Linear(shape.width, _logits(signature))
        self.skip = _skip(signature) if skip else None

    def forward(self, latents: Tensor) -> Tensor:
        """Latents, shape (n, latent_size), to logits, shape (n, cells·radix).

        Logit radix·k + c is of digit c in cell k.
        """
        hidden = self.fc_in(latents)
        for block in self._blocks:
            hidden = block(torch.relu(hidden))
        logits: Tensor = self.fc_out(hidden)  # no ReLU after the last block
        return logits if self.skip is None else logits + self.skip(latents)


Decoder = PlainDecoder | ResidualDecoder


def _logits(signature: Signature) -> int:
    return signature.space.cells * signature.space.radix


def _skip(signature: Signature) -> nn.Linear:
    return nn.Linear(signature.latent_size, _logits(signature), bias=False)


def _decoder(signature: Signature, network: Network) -> Decoder:
    if isinstance(network.decoder, Residual):
        return ResidualDecoder(signature, network.decoder, skip=network.skip)
    return PlainDecoder(signature, network.decoder, skip=network.skip)


class StateNet(nn.Module):
    """Proposes corrections to the training's own settings; see docs/training.md for what it is worth."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(_STATE, 32), nn.LayerNorm(32), nn.Tanh(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4), nn.Tanh())

    def forward(self, state: Tensor) -> Tensor:
        """State, shape (n, 9), to corrections of [rate, l1, l2, l3] in (-1, 1), shape (n, 4)."""
        corrections: Tensor = self.decoder(self.encoder(state))
        return corrections


class TernaryVAE(nn.Module):
    """Every path of a model, and StateNet where the architecture has one.

    That of v5.5 has 50,203 + 117,499 + 1,068 parameters and two scalar buffers.
    """

    grad_norm_A_ema: Tensor  # noqa: N815 - a v5.5 state name
    grad_norm_B_ema: Tensor  # noqa: N815

    def __init__(self, architecture: Architecture = V55) -> None:
        super().__init__()
        self.architecture = architecture
        self._encoders: dict[str, Encoder] = {}
        self._decoders: dict[str, Decoder] = {}
        signature = architecture.signature
        for path, network in architecture.networks.items():
            self._encoders[path] = Encoder(signature, network.encoder)
            self._decoders[path] = _decoder(signature, network)
            self.add_module(f"encoder_{path}", self._encoders[path])
            self.add_module(f"decoder_{path}", self._decoders[path])
        if architecture.state_net:
            self.state_net = StateNet()
            for path in signature.paths:
                self.register_buffer(f"grad_norm_{path}_ema", torch.tensor(1.0))

    @property
    def signature(self) -> Signature:
        """What it is a model of."""
        return self.architecture.signature

    def encoder(self, path: str) -> Encoder:
        """The encoder of one path."""
        return self._encoders[path]

    def decoder(self, path: str) -> Decoder:
        """The decoder of one path."""
        return self._decoders[path]

    def parameters_of(self, path: str) -> list[nn.Parameter]:
        """Encoder's and decoder's parameters of one path, in a fixed order."""
        return [*self.encoder(path).parameters(), *self.decoder(path).parameters()]


def initial(seed: int, architecture: Architecture = V55) -> TernaryVAE:
    """A model with torch's default initialisation, a function of the seed and the architecture alone.

    The caller's random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TernaryVAE(architecture)


def restored(state: Mapping[str, Tensor]) -> TernaryVAE:
    """A model with the given state, which has every tensor; no random number is drawn for it.

    Raises:
        FormatError: If the state shows no architecture.
    """
    with torch.device("meta"):
        model = TernaryVAE(architecture_of(state, "state"))
    model.load_state_dict(state, assign=True)
    return model


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of a model's state by name, in the order of `TernaryVAE.state_dict`."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in TernaryVAE(architecture).state_dict().items()}
