"""
A network under construction: what each operator of a foreign model adds to it.

A scale and a shift of each feature wait until it is known who reads them: a layer after them takes them into
its weights, a layer before them otherwise. So normalisation costs a client nothing.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ternary_export.foreign.network import (
    Activation,
    Doubles,
    Floats,
    Joined,
    Linear,
    Network,
    Pairwise,
    Step,
)
from ternary_sdk._internal.graphs.graph_shapes import MAX_ROW
from ternary_sdk._internal.graphs.onnx_graph import MAX_NODES
from ternary_sdk.errors import FormatError

MAX_STEPS: Final = 2 * MAX_NODES
"""The most steps that are read; fewer are shipped, because what no output needs is left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """A tensor of the foreign model that has the batch as its first axis."""

    step: int
    """The step that computes it; 0 is the input."""

    tail: tuple[int, ...]
    """Lengths of its other axes; a row's numbers are in row-major order."""

    scale: Doubles | None = None
    """What each number is multiplied by, shape (width,); None for 1."""

    shift: Doubles | None = None
    """What is added to each number afterwards, shape (width,); None for 0."""

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return math.prod(self.tail)

    def moved(self, scale: Doubles | None, shift: Doubles | None) -> "Rows":
        """The same, scaled and then shifted."""
        old_scale, old_shift = self.scale, self.shift
        if scale is not None:
            old_scale = scale if old_scale is None else old_scale * scale
            old_shift = None if old_shift is None else old_shift * scale
        if shift is not None:
            old_shift = shift if old_shift is None else old_shift + shift
        return replace(self, scale=old_scale, shift=old_shift)


class Layers:
    """Steps in order of execution; each has at most as many numbers a row as a client computes.

    Args:
        width: Numbers of a row of the input.
        steps: Those that are there already.
    """

    def __init__(self, width: int, steps: tuple[Step, ...] = ()) -> None:
        self._width = width
        self._steps: list[Step] = [*steps]

    def linear(self, rows: Rows, weight: Doubles, bias: Doubles, what: str) -> Rows:
        """A layer; weight (out, in), bias (out,).

        Raises:
            FormatError: If a weight is not finite in single precision.
        """
        if rows.shift is not None:
            bias = bias + weight @ rows.shift
        if rows.scale is not None:
            weight = weight * rows.scale
        return self._linear(rows.step, weight, bias, what)

    def activation(self, operator: str, rows: Rows, what: str, slope: float | None = None) -> Rows:
        """A function of each number."""
        step = Activation(operator=operator, source=self.settled(rows, what), slope=slope)
        return self._appended(step, rows.tail, what)

    def add(self, left: Rows, right: Rows, what: str) -> Rows:
        """Sums of two tensors of one shape."""
        numbers = self.settled(left, what), self.settled(right, what)
        return self._appended(Pairwise(operator="Add", left=numbers[0], right=numbers[1]), left.tail, what)

    def multiply(self, left: Rows, right: Rows, what: str) -> Rows:
        """Products of two tensors of one shape."""
        numbers = self.settled(left, what), self.settled(right, what)
        return self._appended(Pairwise(operator="Mul", left=numbers[0], right=numbers[1]), left.tail, what)

    def join(self, parts: list[Rows], what: str) -> Rows:
        """Features side by side."""
        if len(parts) == 1:
            return parts[0]
        numbers = tuple(self.settled(part, what) for part in parts)
        return self._appended(Joined(sources=numbers), (sum(part.width for part in parts),), what)

    def pick(self, rows: Rows, places: list[int], tail: tuple[int, ...], what: str) -> Rows:
        """Some of a row's numbers, in an order: parts, and transposed ones."""
        number = self.settled(rows, what)
        step = self._steps[number - 1] if number else None
        if isinstance(step, Linear):
            weight, bias = step.weight[places], step.bias[places]
            picked = self._appended(replace(step, weight=weight, bias=bias), tail, what)
        else:
            weight = np.eye(rows.width, dtype=np.float32)[places]
            bias = np.zeros(len(places), np.float32)
            picked = self._appended(Linear(source=number, weight=weight, bias=bias), tail, what)
        return picked

    def settled(self, rows: Rows, what: str) -> int:
        """The number of the step that computes these very numbers, scaled and shifted.

        Raises:
            FormatError: If a weight is not finite in single precision.
        """
        if rows.scale is None and rows.shift is None:
            return rows.step
        scale = np.ones(rows.width) if rows.scale is None else rows.scale
        shift = np.zeros(rows.width) if rows.shift is None else rows.shift
        step = self._steps[rows.step - 1] if rows.step else None
        if isinstance(step, Linear):
            weight, bias = step.weight * scale[:, np.newaxis], step.bias * scale + shift
            return self._linear(step.source, weight, bias, what).step
        return self._linear(rows.step, np.diag(scale), shift, what).step

    def network(self, outputs: tuple[int, ...]) -> Network:
        """What was built."""
        return Network(width=self._width, steps=tuple(self._steps), outputs=outputs)

    def _linear(self, source: int, weight: Doubles, bias: Doubles, what: str) -> Rows:
        step = Linear(source=source, weight=_single(weight, what), bias=_single(bias, what))
        return self._appended(step, (len(bias),), what)

    def _appended(self, step: Step, tail: tuple[int, ...], what: str) -> Rows:
        self._steps.append(step)
        if len(self._steps) > MAX_STEPS:
            raise FormatError(f"{what}: is beyond the {MAX_STEPS} layers, activations and sums that are read")
        rows = Rows(step=len(self._steps), tail=tail)
        if rows.width > MAX_ROW:
            raise FormatError(f"{what}: gives {rows.width:,} numbers a row, expected at most {MAX_ROW:,}")
        return rows


def _single(values: Doubles, what: str) -> Floats:
    result = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(result).all():
        raise FormatError(f"{what}: its weights are not finite in single precision")
    return result
