"""
Architectures: which networks a model of a signature has, as plain data.

A recipe states one, a checkpoint's tensors show one, and `model` builds it. The preset `V55` is that of every
v5.5 checkpoint; what it says may not change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk.errors import InputError
from ternary_sdk.signature import STANDARD, Signature

MOST_LAYERS: Final = 16
"""The most hidden layers of an encoder or a plain decoder, and the most blocks of a residual one."""
MOST_WIDTH: Final = 4096
"""The largest width of a layer."""


@dataclass(frozen=True, kw_only=True)
class Residual:
    """A decoder of blocks: a layer, then blocks of two layers that are added to their input, then the
    logits."""

    width: int
    """Of every layer, 1 to 4096."""
    blocks: int
    """How many, 1 to 16."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One path's encoder and decoder. Layers are linear, with ReLU between."""

    encoder: tuple[int, ...]
    """Widths of the encoder's hidden layers, 1 to 16 of them; two heads follow, mean and log-variance."""
    decoder: tuple[int, ...] | Residual
    """Widths of the decoder's hidden layers, up to 16, or a decoder of blocks."""
    skip: bool = False
    """Whether the logits are the decoder's plus a linear map of the latents."""


NETWORKS: Final[Mapping[str, Network]] = {
    "A": Network(encoder=(256, 128, 64), decoder=(32, 64)),
    "B": Network(encoder=(256, 128, 64), decoder=Residual(width=128, blocks=2)),
}
"""Those of v5.5, and what a recipe's paths A and B have unless it says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """All that decides the names and shapes of a model's tensors.

    Raises:
        InputError: If the networks are not those of the signature's paths, a width or a number of layers is
            out of range, or a StateNet stands beside other paths than A and B.
    """

    signature: Signature
    networks: Mapping[str, Network]
    """One for each path, in the signature's order."""
    state_net: bool
    """Whether StateNet and the two gradient norms of v5.5 are part of the state."""

    def __post_init__(self) -> None:
        problem = next(_problems(self), None)
        if problem:
            raise InputError(problem)

    @classmethod
    def of(cls, signature: Signature, networks: Mapping[str, Network]) -> "Architecture":
        """The architecture of a training. Only a model like v5.5's has a StateNet, as its checkpoints do."""
        like_v55 = signature == STANDARD and networks == NETWORKS
        return cls(signature=signature, networks=networks, state_net=like_v55)


def _problems(architecture: Architecture) -> Iterator[str]:
    paths = architecture.signature.paths
    if tuple(architecture.networks) != paths:
        yield f"networks: of paths {', '.join(architecture.networks) or 'none'}, expected {', '.join(paths)}"
    if architecture.state_net and paths != STANDARD.paths:
        yield f"StateNet: beside paths {', '.join(paths)}, expected A, B"
    for path, network in architecture.networks.items():
        yield from _sizes(f"networks.{path}.encoder", network.encoder, least=1)
        if isinstance(network.decoder, Residual):
            yield from _outside(f"networks.{path}.decoder.width", network.decoder.width, MOST_WIDTH)
            yield from _outside(f"networks.{path}.decoder.blocks", network.decoder.blocks, MOST_LAYERS)
        else:
            yield from _sizes(f"networks.{path}.decoder", network.decoder, least=0)


def _sizes(name: str, widths: tuple[int, ...], *, least: int) -> Iterator[str]:
    if not least <= len(widths) <= MOST_LAYERS:
        yield f"{name}: {len(widths)} hidden layers, expected {least} to {MOST_LAYERS}"
    for width in widths:
        yield from _outside(name, width, MOST_WIDTH)


def _outside(name: str, value: int, most: int) -> Iterator[str]:
    if not 1 <= value <= most:
        yield f"{name}: {value}, expected 1 to {most}"


V55: Final = Architecture(signature=STANDARD, networks=NETWORKS, state_net=True)
"""That of v5.5 checkpoints and of the recipes `coverage` and `v5.5`."""
