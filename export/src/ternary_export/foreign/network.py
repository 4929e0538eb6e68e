"""
A feed-forward network as data: what a foreign model is once its ONNX is understood.

Steps are numbered from 1 in order of execution; number 0 is the input. Everything that folds into a layer
(scales, normalisation, picked features) is already folded here, so a network is no more than its layers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """A layer: source · weightᵀ + bias."""

    source: int
    weight: Floats
    """Shape (out, in)."""

    bias: Floats
    """Shape (out,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Activation:
    """A function of each number by itself."""

    operator: str
    """One of ``ACTIVATIONS``, named as ONNX names it."""

    source: int
    slope: float | None = None
    """Of PRelu, below zero; None of the others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairwise:
    """Sums or products of two tensors of one width: skip connections and gates."""

    operator: Literal["Add", "Mul"]
    left: int
    right: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """Features of several steps side by side."""

    sources: tuple[int, ...]


Step = Linear | Activation | Pairwise | Joined

_ROWS: Final = 1024
"""Rows computed at a time: every step's result is held, and a row has at most 1,024 numbers in each."""

ACTIVATIONS: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "Elu": functional.elu,
    "Gelu": functional.gelu,
    "Relu": functional.relu,
    "Sigmoid": torch.sigmoid,
    "Softplus": lambda values: torch.logaddexp(values, torch.zeros_like(values)),
    "Tanh": torch.tanh,
}
"""Those without a number of their own; PRelu, which has a slope, is beside them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Layers from one input to one or more outputs."""

    width: int
    """Numbers of a row of the input."""

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    """The numbers of the steps whose results are given."""

    def parameters(self) -> Iterator[tuple[str, Floats]]:
        """Every stored tensor by a name that says where it stands, such as ``3.weight``."""
        for number, step in enumerate(self.steps, 1):
            if isinstance(step, Linear):
                yield f"{number}.weight", step.weight
                yield f"{number}.bias", step.bias
            elif isinstance(step, Activation) and step.slope is not None:
                yield f"{number}.slope", np.array([step.slope], np.float32)

    @property
    def size(self) -> int:
        """How many weights and biases it holds; a slope is neither."""
        layers = (step for step in self.steps if isinstance(step, Linear))
        return sum(layer.weight.size + layer.bias.size for layer in layers)

    def compute(self, rows: Doubles) -> tuple[Doubles, ...]:
        """The outputs in double precision, which stands for exact arithmetic beside single precision.

        Args:
            rows: Shape (n, width).
        """
        with torch.inference_mode():
            parts = [
                self._block(torch.from_numpy(rows[start : start + _ROWS]))
                for start in range(0, len(rows), _ROWS)
            ]
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

    def _block(self, rows: Tensor) -> list[Doubles]:
        known = [rows]
        for step in self.steps:
            known.append(_computed(step, known))
        return [known[number].numpy() for number in self.outputs]


def _computed(step: Step, known: list[Tensor]) -> Tensor:
    if isinstance(step, Linear):
        weight, bias = (torch.from_numpy(part.astype(np.float64)) for part in (step.weight, step.bias))
        return known[step.source] @ weight.T + bias
    if isinstance(step, Activation):
        value = known[step.source]
        if step.slope is not None:
            return functional.leaky_relu(value, float(np.float32(step.slope)))
        return ACTIVATIONS[step.operator](value)
    if isinstance(step, Pairwise):
        left, right = known[step.left], known[step.right]
        return left + right if step.operator == "Add" else left * right
    return torch.cat([known[number] for number in step.sources], 1)


def sources(step: Step) -> tuple[int, ...]:
    """The numbers of the steps that a step reads."""
    if isinstance(step, Pairwise):
        return step.left, step.right
    return step.sources if isinstance(step, Joined) else (step.source,)


def pruned(network: Network) -> Network:
    """A network without the steps that no output needs."""
    needed = set(network.outputs)
    for number in range(len(network.steps), 0, -1):
        if number in needed:
            needed.update(sources(network.steps[number - 1]))
    kept = [number for number in range(1, len(network.steps) + 1) if number in needed]
    now = {0: 0, **{number: place for place, number in enumerate(kept, 1)}}
    return Network(
        width=network.width,
        steps=tuple(_renumbered(network.steps[number - 1], now) for number in kept),
        outputs=tuple(now[number] for number in network.outputs),
    )


def chained(first: Network, second: Network) -> Network:
    """The second network fed with the first one's only output."""
    start = first.outputs[0]
    now = {0: start, **{number: len(first.steps) + number for number in range(1, len(second.steps) + 1)}}
    return Network(
        width=first.width,
        steps=(*first.steps, *(_renumbered(step, now) for step in second.steps)),
        outputs=tuple(now[number] for number in second.outputs),
    )


def _renumbered(step: Step, now: Mapping[int, int]) -> Step:
    if isinstance(step, Pairwise):
        return replace(step, left=now[step.left], right=now[step.right])
    if isinstance(step, Joined):
        return replace(step, sources=tuple(now[number] for number in step.sources))
    return replace(step, source=now[step.source])
