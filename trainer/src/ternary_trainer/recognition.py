"""
Which architecture a state shows: from the names and shapes of its tensors to an `Architecture`.

A width is shown by up to three tensors: a layer's weight and bias, and the weight of the layer that follows.
What most of them show counts, so that a single wrong tensor can be named. No tensor's values are read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from torch import Tensor

from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer.architecture import Architecture, Network, Residual

Shapes = Mapping[str, tuple[int, ...]]

_OF_PATH: Final = re.compile(
    r"(?:encoder_([A-Z])\.(?:encoder\.|fc_)|decoder_([A-Z])\.(?:decoder\.|fc_|residual|skip\.)).*"
)
_OF_STATE_NET: Final = re.compile(r"state_net\..*|grad_norm_[A-Z]_ema")
_NUMBER: Final = re.compile(r"[0-9]{1,2}")
"""Of a layer or block; what has a longer one is no part of a model."""


def shapes_of(state: Mapping[str, object]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that has one, by name."""
    return {
        str(name): tuple(tensor.shape)
        for name, tensor in state.items()
        if isinstance(tensor, Tensor) and not tensor.is_nested
    }


def architecture_of(state: Mapping[str, object], name: str) -> Architecture:
    """The architecture that a state shows, as `recognised` reads it from the shapes of its tensors."""
    return recognised(shapes_of(state), name)


def recognised(shapes: Shapes, name: str) -> Architecture:
    """The architecture that tensors show.

    Args:
        shapes: Shapes of a state's tensors by name.
        name: The file's name in error messages.
    Raises:
        FormatError: If there is no such model, naming the tensor that is missing or wrong.
    """
    letters = {match[1] or match[2] for match in map(_OF_PATH.fullmatch, shapes) if match}
    if not letters:
        raise FormatError(f"{name}: has no tensor of a path, expected 'encoder_A.fc_mu.weight' and others")
    paths = {path: _Path(shapes, path, name) for path in sorted(letters)}
    try:
        return Architecture(
            signature=_signature(paths, name),
            networks={path: shown.network() for path, shown in paths.items()},
            state_net=any(map(_OF_STATE_NET.fullmatch, shapes)),
        )
    except InputError as refusal:
        raise FormatError(f"{name}: {refusal}") from None


def _signature(paths: Mapping[str, "_Path"], name: str) -> Signature:
    first = next(iter(paths.values()))
    cells = first.most(
        first.encoder[0], [size for path in paths.values() for size in path.into(path.encoder[0])]
    )
    logits = first.most(first.last, [size for path in paths.values() for size in path.out(path.last)])
    latents = first.most(f"{first.heads}fc_mu", [size for path in paths.values() for size in path.latents])
    space = _space(cells, logits)
    if space is None:
        raise FormatError(
            f"{name}: tensor '{first.encoder[0]}.weight' takes {cells} values and '{first.last}.weight' "
            f"gives {logits} logits, expected r^k values and r·r^k logits, for a radix r and k inputs"
        )
    return Signature(space, latents, tuple(paths))


def _space(cells: int, logits: int) -> Space | None:
    radix, rest = divmod(logits, cells) if cells else (0, 0)
    if rest or radix < 2:
        return None
    inputs = next(power for power in range(64) if radix**power >= cells)
    return Space(radix, inputs) if inputs and radix**inputs == cells else None


class _Path:
    """What tensors show of one path."""

    def __init__(self, shapes: Shapes, path: str, name: str) -> None:
        self._shapes, self._name = shapes, name
        self.heads, self._decoder = f"encoder_{path}.", f"decoder_{path}."
        self.encoder = self._stack(f"{self.heads}encoder.") or [f"{self.heads}encoder.0"]
        self._plain = self._stack(f"{self._decoder}decoder.")
        if not self._plain and not any(shown.startswith(self._decoder) for shown in shapes):
            self._plain = [f"{self._decoder}decoder.0"]

    def _stack(self, prefix: str) -> list[str]:
        """Names of the linear layers of a sequence, in which every other module is a ReLU."""
        last = max(self._numbers(prefix), default=-1)
        return [f"{prefix}{number}" for number in range(0, last + 1, 2)]

    def _numbers(self, prefix: str) -> list[int]:
        found = {
            shown.removeprefix(prefix).split(".")[0] for shown in self._shapes if shown.startswith(prefix)
        }
        return [int(number) for number in found if _NUMBER.fullmatch(number)]

    @property
    def last(self) -> str:
        """The layer that gives the logits."""
        return self._plain[-1] if self._plain else f"{self._decoder}fc_out"

    @property
    def latents(self) -> list[int]:
        """What is shown of the latent size."""
        first = self._plain[0] if self._plain else f"{self._decoder}fc_in"
        return [
            *self.out(f"{self.heads}fc_mu"),
            *self.out(f"{self.heads}fc_logvar"),
            *self.into(first),
            *self.into(self._skip),
        ]

    @property
    def _skip(self) -> str:
        return f"{self._decoder}skip"

    def out(self, layer: str) -> list[int]:
        """What is shown of the size that a layer gives."""
        weight, bias = self._shapes.get(f"{layer}.weight", ()), self._shapes.get(f"{layer}.bias", ())
        return [shape[0] for shape, dimensions in ((weight, 2), (bias, 1)) if len(shape) == dimensions]

    def into(self, layer: str) -> list[int]:
        """What is shown of the size that a layer takes."""
        weight = self._shapes.get(f"{layer}.weight", ())
        return [weight[1]] if len(weight) == 2 else []

    def most(self, layer: str, sizes: Iterable[int]) -> int:
        """The size that most tensors show; the layer is named if none does."""
        ranked = Counter(sizes).most_common(1)
        if not ranked:
            raise FormatError(f"{self._name}: tensor '{layer}.weight' is missing or no matrix")
        return ranked[0][0]

    def network(self) -> Network:
        """The widths of the path's layers."""
        last = self._between(self.encoder[-1], f"{self.heads}fc_mu", f"{self.heads}fc_logvar")
        encoder = (*(self._between(*pair) for pair in pairwise(self.encoder)), last)
        decoder = (
            tuple(self._between(*pair) for pair in pairwise(self._plain)) if self._plain else self._residual()
        )
        skip = any(shown.startswith(f"{self._skip}.") for shown in self._shapes)
        return Network(encoder=encoder, decoder=decoder, skip=skip)

    def _between(self, layer: str, *following: str) -> int:
        return self.most(
            layer, [*self.out(layer), *(size for after in following for size in self.into(after))]
        )

    def _residual(self) -> Residual:
        blocks = max(self._numbers(f"{self._decoder}residual"), default=0)
        inner = [f"{self._decoder}residual{n}.block.{k}" for n in range(1, blocks + 1) for k in (0, 2)]
        return Residual(width=self._between(f"{self._decoder}fc_in", *inner, self.last), blocks=blocks)
