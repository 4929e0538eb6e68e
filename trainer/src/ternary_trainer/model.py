"""
The v5.5 networks: two VAEs over truth tables, and StateNet.

State names and shapes are those of existing v5.5 checkpoints; export and every vendor's stored models
depend on them, so a layer may not be renamed, resized or reordered here.
"""

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import torch
from torch import Tensor, nn

from ternary_sdk.operations import TRITS

LATENT: Final = 16
CLASSES: Final = 3
LOGITS: Final = TRITS * CLASSES

PathName = Literal["A", "B"]
PATHS: Final[tuple[PathName, PathName]] = ("A", "B")


class Encoder(nn.Module):
    """Truth tables to the mean and log-variance of their latents: 9→256→128→64, then two heads of 16."""

    def __init__(self) -> None:
        super().__init__()
        widths = (TRITS, 256, 128, 64)
        layers = (layer for pair in itertools.pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU()))
        self.encoder = nn.Sequential(*layers)
        self.fc_mu = nn.Linear(widths[-1], LATENT)
        self.fc_logvar = nn.Linear(widths[-1], LATENT)

    def forward(self, tables: Tensor) -> tuple[Tensor, Tensor]:
        """Float trits, shape (n, 9), to (mean, log-variance), each of shape (n, 16)."""
        hidden = self.encoder(tables)
        return self.fc_mu(hidden), self.fc_logvar(hidden)


class DecoderA(nn.Module):
    """The chaotic path: 16→32→64→27, ReLU between."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, LOGITS)
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Latents, shape (n, 16), to logits, shape (n, 27); logit 3·k + c is of trit k being c - 1."""
        logits: Tensor = self.decoder(latents)
        return logits


class Residual(nn.Module):
    """Two layers of equal width, added to their input; the ReLU after the sum is the decoder's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, hidden: Tensor) -> Tensor:
        """Shape (n, width), in and out."""
        result: Tensor = hidden + self.block(hidden)
        return result


class DecoderB(nn.Module):
    """The frozen path: 16→128, two residual blocks, 128→27."""

    def __init__(self) -> None:
        super().__init__()
        self.fc_in = nn.Linear(LATENT, 128)
        self.residual1 = Residual(128)
        self.residual2 = Residual(128)
        self.fc_out = nn.Linear(128, LOGITS)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents, shape (n, 16), to logits, shape (n, 27); logit 3·k + c is of trit k being c - 1."""
        hidden = torch.relu(self.residual1(torch.relu(self.fc_in(latents))))
        logits: Tensor = self.fc_out(self.residual2(hidden))  # no ReLU after the second block
        return logits


class StateNet(nn.Module):
    """Proposes corrections to the training's own settings; see docs/training.md for what it is worth."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(9, 32), nn.LayerNorm(32), nn.Tanh(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4), nn.Tanh())

    def forward(self, state: Tensor) -> Tensor:
        """State, shape (n, 9), to corrections of [rate, l1, l2, l3] in (-1, 1), shape (n, 4)."""
        corrections: Tensor = self.decoder(self.encoder(state))
        return corrections


class TernaryVAE(nn.Module):
    """Both paths and StateNet: 50,203 + 117,499 + 1,068 parameters and two scalar buffers."""

    grad_norm_A_ema: Tensor  # noqa: N815 - a v5.5 state name
    grad_norm_B_ema: Tensor  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self.encoder_A = Encoder()
        self.decoder_A = DecoderA()
        self.encoder_B = Encoder()
        self.decoder_B = DecoderB()
        self.state_net = StateNet()
        self.register_buffer("grad_norm_A_ema", torch.tensor(1.0))
        self.register_buffer("grad_norm_B_ema", torch.tensor(1.0))

    def encoder(self, path: PathName) -> Encoder:
        """The encoder of one path."""
        return self.encoder_A if path == "A" else self.encoder_B

    def decoder(self, path: PathName) -> DecoderA | DecoderB:
        """The decoder of one path."""
        return self.decoder_A if path == "A" else self.decoder_B

    def parameters_of(self, path: PathName) -> list[nn.Parameter]:
        """Encoder's and decoder's parameters of one path, in a fixed order."""
        return [*self.encoder(path).parameters(), *self.decoder(path).parameters()]


def initial(seed: int) -> TernaryVAE:
    """A model with torch's default initialisation, a function of the seed alone.

    The caller's random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TernaryVAE()


def restored(state: Mapping[str, Tensor]) -> TernaryVAE:
    """A model with the given state, which has every tensor; no random number is drawn for it."""
    with torch.device("meta"):
        model = TernaryVAE()
    model.load_state_dict(state, assign=True)
    return model


def _expected_shapes() -> Mapping[str, tuple[int, ...]]:
    with torch.device("meta"):
        return MappingProxyType(
            {name: tuple(tensor.shape) for name, tensor in TernaryVAE().state_dict().items()}
        )


EXPECTED_SHAPES: Final = _expected_shapes()
"""Shape of every tensor of a v5.5 state, by name."""
