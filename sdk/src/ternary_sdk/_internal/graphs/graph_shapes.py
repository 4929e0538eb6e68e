"""
Types and shapes of everything a graph computes, worked out before anything is computed.

Each operator here has one rule, and an operator without a rule is not allowed. A shape has at most one
symbolic axis, the batch, so what a graph can ask for in memory is linear in the rows it is given.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.graphs.interface import BATCH
from ternary_sdk._internal.graphs.onnx_graph import FLOAT, INT32, Constant, Node
from ternary_sdk.errors import FormatError

MAX_ROW: Final = 1024
"""The most elements a tensor may have for each row of the batch."""

SEVERAL: Final = 0
"""In place of a number of inputs: two or more."""

Shape = tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class Value:
    """What is known about a tensor while the graph is walked."""

    type: str
    """float32, int32, int64 or bool."""

    shape: Shape
    constant: Constant | None = None
    """Its contents, if they are stored in the graph."""


Rule = Callable[[Node, list[Value]], list[Value]]


def infer(node: Node, inputs: list[Value]) -> list[Value]:
    """What a node computes.

    Raises:
        FormatError: If its operator is not allowed or its inputs and attributes break the operator's rule.
    """
    rule, arity, allowed = _rule(node)
    if len(inputs) != arity and (arity != SEVERAL or len(inputs) < 2):
        expected = "2 or more" if arity == SEVERAL else arity
        raise FormatError(f"{node.what}: {len(inputs)} inputs, expected {expected}")
    if unknown := node.attributes.keys() - allowed:
        raise FormatError(f"{node.what}: attribute {min(unknown)!r} is not allowed")
    outputs = rule(node, inputs)
    if len(outputs) != len(node.outputs):
        raise FormatError(f"{node.what}: {len(node.outputs)} outputs, expected {len(outputs)}")
    for output in outputs:
        if output.shape.count(BATCH) > 1 or size(output.shape) > MAX_ROW:
            raise FormatError(f"{node.what}: gives shape {_show(output.shape)}, more than {MAX_ROW} a row")
    return outputs


def _rule(node: Node) -> tuple[Rule, int, frozenset[str]]:
    if node.operator not in _RULES:
        raise FormatError(f"{node.what}: the operator is not one of {', '.join(sorted(_RULES))}")
    return _RULES[node.operator]


def _gemm(node: Node, inputs: list[Value]) -> list[Value]:
    _floats(node, inputs)
    left, right = (
        _matrix(node, value, flag) for value, flag in zip(inputs, ("transA", "transB"), strict=False)
    )
    if left[1] != right[0] or left[1] == BATCH:
        raise FormatError(f"{node.what}: multiplies {_show(left)} with {_show(right)}")
    # Stored once, used once (firewall): the products of a row then cost no more than there are parameters.
    if sum(value.constant is not None for value in inputs[:2]) != 1:
        raise FormatError(f"{node.what}: expected one stored matrix times one that is computed")
    result = (left[0], right[1])
    _broadcasts(node, inputs[2].shape, result)
    return [Value(type="float32", shape=result)]


def _matrix(node: Node, value: Value, flag: str) -> Shape:
    if len(value.shape) != 2 or node.attributes.get(flag, 0) not in (0, 1):
        raise FormatError(f"{node.what}: needs matrices, and {flag} 0 or 1; found {_show(value.shape)}")
    return value.shape[::-1] if node.attributes.get(flag) else value.shape


def _elementwise(node: Node, inputs: list[Value]) -> list[Value]:
    """One number for each number, at the operator's own defaults: none of these has an attribute here."""
    _floats(node, inputs)
    return [Value(type="float32", shape=inputs[0].shape)]


def _prelu(node: Node, inputs: list[Value]) -> list[Value]:
    """LeakyRelu with its slope as a stored number, so that no attribute has to be a float."""
    _floats(node, inputs)
    value, slope = inputs
    if slope.constant is None or slope.shape != (1,):
        raise FormatError(f"{node.what}: its slope is {_show(slope.shape)}, expected one stored number")
    return [Value(type="float32", shape=value.shape)]


def _pairwise(node: Node, inputs: list[Value]) -> list[Value]:
    takes = "bool" if node.operator == "Or" else "float32"
    _of_type(node, inputs, takes)
    if inputs[0].shape != inputs[1].shape:
        raise FormatError(f"{node.what}: pairs {_show(inputs[0].shape)} with {_show(inputs[1].shape)}")
    return [Value(type="bool" if node.operator == "Greater" else takes, shape=inputs[0].shape)]


def _concat(node: Node, inputs: list[Value]) -> list[Value]:
    """Bits below bits, or features of a row beside features of the same row."""
    kind, axis = inputs[0].type, node.attributes.get("axis")
    _of_type(node, inputs, kind)
    batch_at = {("bool", 0): 1, ("float32", 1): 0}.get((kind, axis if axis is not None else -1))
    shapes = [value.shape for value in inputs]
    if batch_at is None or any(len(shape) != 2 or shape[batch_at] != BATCH for shape in shapes):
        found = " and ".join(map(_show, shapes))
        raise FormatError(
            f"{node.what}: joins {kind} {found}, expected bool, first axis, batch last; "
            "or float32, second axis, batch first"
        )
    length = sum(map(size, shapes))
    return [Value(type=kind, shape=(length, BATCH) if batch_at else (BATCH, length))]


def _matmul(node: Node, inputs: list[Value]) -> list[Value]:
    """A sum of rows times stored numbers; these are no parameters, so that a layer has to be a Gemm."""
    _floats(node, inputs)
    vector, matrix = inputs
    if vector.constant is None or len(vector.shape) != 1:
        raise FormatError(f"{node.what}: its left side is {_show(vector.shape)}, expected a stored vector")
    if matrix.shape != (*vector.shape, BATCH):
        raise FormatError(f"{node.what}: multiplies {_show(vector.shape)} with {_show(matrix.shape)}")
    return [Value(type="float32", shape=(BATCH,))]


def _where(node: Node, inputs: list[Value]) -> list[Value]:
    condition, *choices = inputs
    if condition.type != "bool":
        raise FormatError(f"{node.what}: its condition is {condition.type}, expected bool")
    _floats(node, choices)
    for choice in choices:
        _broadcasts(node, choice.shape, condition.shape)
    return [Value(type="float32", shape=condition.shape)]


def _split(node: Node, inputs: list[Value]) -> list[Value]:
    _floats(node, inputs)
    shape, parts = inputs[0].shape, node.attributes.get("num_outputs", 0)
    if node.attributes.get("axis", 0) != 0 or not shape or not isinstance(shape[0], int):
        raise FormatError(f"{node.what}: splits {_show(shape)}, expected the first axis, of fixed length")
    if parts != len(node.outputs) or not parts or shape[0] % parts:
        raise FormatError(f"{node.what}: splits {shape[0]} rows into {parts}, expected equal parts")
    return [Value(type="float32", shape=(shape[0] // parts, *shape[1:]))] * parts


def _reshape(node: Node, inputs: list[Value]) -> list[Value]:
    value, target = inputs
    _floats(node, [value])
    lengths = _integers(node, target)
    fixed = [length for length in lengths if length > 0]
    if lengths != [*fixed, -1] or value.shape.count(BATCH) != 1:
        raise FormatError(f"{node.what}: reshapes {_show(value.shape)} to {lengths}, expected the batch last")
    shape: Shape = (*fixed, BATCH)
    if value.shape[-1] != BATCH or size(shape) != size(value.shape):
        raise FormatError(f"{node.what}: reshapes {_show(value.shape)} to {_show(shape)}")
    return [Value(type="float32", shape=shape)]


def _reduce_sum(node: Node, inputs: list[Value]) -> list[Value]:
    value, axes = inputs
    _floats(node, [value])
    if _integers(node, axes) != [0] or node.attributes.get("keepdims", 1) != 0 or len(value.shape) < 2:
        raise FormatError(f"{node.what}: expected the sum over the first axis, which is dropped")
    if value.shape[0] == BATCH:
        raise FormatError(f"{node.what}: sums over the batch")
    return [Value(type="float32", shape=value.shape[1:])]


def _cast(node: Node, inputs: list[Value]) -> list[Value]:
    found, to = inputs[0].type, node.attributes.get("to", 0)
    if (found, to) not in _CASTS:
        raise FormatError(
            f"{node.what}: casts {found} to element type {to}, expected float32 to {INT32} or bool to {FLOAT}"
        )
    return [Value(type=_CASTS[found, to], shape=inputs[0].shape)]


_CASTS: Final = {("float32", INT32): "int32", ("bool", FLOAT): "float32"}

# Where and ReduceSum stand at the end of decoders made before docs/adr/0014; their packages stay readable.
_RULES: Final[Mapping[str, tuple[Rule, int, frozenset[str]]]] = {
    "Add": (_pairwise, 2, frozenset()),
    "Cast": (_cast, 1, frozenset({"to"})),
    "Concat": (_concat, SEVERAL, frozenset({"axis"})),
    "Elu": (_elementwise, 1, frozenset()),
    "Gelu": (_elementwise, 1, frozenset()),
    "Gemm": (_gemm, 3, frozenset({"transA", "transB"})),
    "Greater": (_pairwise, 2, frozenset()),
    "MatMul": (_matmul, 2, frozenset()),
    "Max": (_pairwise, 2, frozenset()),
    "Mul": (_pairwise, 2, frozenset()),
    "Or": (_pairwise, 2, frozenset()),
    "PRelu": (_prelu, 2, frozenset()),
    "ReduceSum": (_reduce_sum, 2, frozenset({"keepdims"})),
    "Relu": (_elementwise, 1, frozenset()),
    "Reshape": (_reshape, 2, frozenset()),
    "Sigmoid": (_elementwise, 1, frozenset()),
    "Softplus": (_elementwise, 1, frozenset()),
    "Split": (_split, 1, frozenset({"axis", "num_outputs"})),
    "Tanh": (_elementwise, 1, frozenset()),
    "Where": (_where, 3, frozenset()),
}


def _floats(node: Node, values: list[Value]) -> None:
    _of_type(node, values, "float32")


def _of_type(node: Node, values: list[Value], expected: str) -> None:
    for value in values:
        if value.type != expected:
            raise FormatError(f"{node.what}: takes {value.type}, expected {expected}")


def _broadcasts(node: Node, shape: Shape, onto: Shape) -> None:
    """Refuse a shape that does not stretch to another by repeating axes of length 1."""
    tail = onto[len(onto) - len(shape) :]
    if len(shape) > len(onto) or any(a not in (1, b) for a, b in zip(shape, tail, strict=True)):
        raise FormatError(f"{node.what}: {_show(shape)} does not stretch to {_show(onto)}")


def _integers(node: Node, value: Value) -> list[int]:
    constant = value.constant
    if constant is None or constant.type != "int64" or len(constant.shape) != 1:
        raise FormatError(f"{node.what}: needs a list of integers stored in the graph")
    return list(struct.unpack(f"<{constant.shape[0]}q", constant.data))


def size(shape: Shape) -> int:
    """Elements for each row of the batch, or in all where a shape does not have the batch."""
    return math.prod(length for length in shape if isinstance(length, int))


def _show(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"
