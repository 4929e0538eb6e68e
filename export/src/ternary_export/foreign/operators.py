"""
What each operator of a foreign model means for the network that is built: one rule each.

An operator without a rule is refused with the nearest form that is accepted. Rules say what exporters write,
not all that ONNX allows: what they leave out is refused by name, never passed over.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ternary_export.foreign.layers import Layers, Rows
from ternary_export.foreign.network import ACTIVATIONS, Doubles
from ternary_export.foreign.nodes import BATCH, MOST_WHOLE, Known, Node, Whole, shape

Rule = Callable[[Layers, Node], list[Known]]

_PLAIN: Final = f"Gemm, Add, Mul, Concat, {', '.join(sorted(ACTIVATIONS))}"


def _gemm(layers: Layers, node: Node) -> list[Known]:
    rows, weight = _columns_of(node), node.numbers(1)
    if node.integer("transA", 0):
        raise node.refused("it transposes its rows", "transA=0")
    weight = node.real("alpha", 1.0) * (weight if node.integer("transB", 0) else weight.T)
    bias = np.zeros(len(weight)) if node.given(2) is None else node.numbers(2) * node.real("beta", 1.0)
    return [_layer(layers, node, rows, weight, bias)]


def _matmul(layers: Layers, node: Node) -> list[Known]:
    rows, weight = _columns_of(node), node.numbers(1)
    return [_layer(layers, node, rows, weight.T, np.zeros(len(weight.T)))]


def _columns_of(node: Node) -> Rows:
    rows = node.rows(0)
    if len(rows.tail) != 1:
        raise node.refused(f"it multiplies {shape(rows.tail)}", "Flatten or Reshape to (n, features) first")
    return rows


def _layer(layers: Layers, node: Node, rows: Rows, weight: Doubles, bias: Doubles) -> Rows:
    if weight.ndim != 2 or weight.shape[1] != rows.width:
        expected = f"a stored matrix with {rows.width} inputs"
        raise node.refused(f"it multiplies {shape(rows.tail)} with {weight.T.shape}", expected)
    try:
        bias = np.broadcast_to(bias, (1, len(weight)))[0]
    except ValueError:
        raise node.refused(f"its bias has shape {bias.shape}", f"({len(weight)},)") from None
    return layers.linear(rows, weight, bias, node.what)


def _activation(layers: Layers, node: Node) -> list[Known]:
    if node.operator == "Elu" and node.real("alpha", 1.0) != 1:
        raise node.refused(f"its alpha is {node.real('alpha', 1.0):g}", "alpha=1")
    if node.operator == "Gelu" and node.text("approximate", "none") != "none":
        raise node.refused("it is approximated by tanh", "Gelu without an approximation")
    return [layers.activation(node.operator, node.rows(), node.what)]


def _leaky_relu(layers: Layers, node: Node) -> list[Known]:
    return [layers.activation("PRelu", node.rows(), node.what, node.real("alpha", 0.01))]


def _prelu(layers: Layers, node: Node) -> list[Known]:
    slope = node.numbers(1)
    if slope.size != 1:
        raise node.refused(f"it has {slope.size} slopes", "one slope for all features")
    return [layers.activation("PRelu", node.rows(), node.what, float(slope.ravel()[0]))]


def _arithmetic(layers: Layers, node: Node) -> list[Known]:
    left, right = node.given(0), node.given(1)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return [_of_lengths(node, left, right)]
    if isinstance(left, Rows) and isinstance(right, Rows):
        return [_of_two(layers, node, left, right)]
    if isinstance(left, Rows):
        return [_with_stored(node, left, node.numbers(1))]
    if node.operator == "Div":
        raise node.refused("it divides by what is computed", "Mul")
    rows, stored = node.rows(1), node.numbers(0)
    if node.operator == "Sub":
        return [rows.moved(np.full(rows.width, -1.0), _stretched(node, rows, stored))]
    return [_with_stored(node, rows, stored)]


def _of_lengths(node: Node, left: Whole, right: Whole) -> Whole:
    """What exporters compute from shapes, such as the half of a width."""
    if len(left) != 1 or len(right) != 1 or BATCH in (*left, *right) or (node.operator, *right) == ("Div", 0):
        raise node.refused(
            f"it computes with the lengths {left} and {right}", "lengths as numbers in the file"
        )
    return (_LENGTHS[node.operator](left[0], right[0]),)


_LENGTHS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "Add": lambda left, right: left + right,
    "Sub": lambda left, right: left - right,
    "Mul": lambda left, right: left * right,
    "Div": lambda left, right: left // right,
}


def _of_two(layers: Layers, node: Node, left: Rows, right: Rows) -> Rows:
    if node.operator == "Div":
        raise node.refused("it divides by what is computed", "Mul")
    if left.tail != right.tail:
        found = f"it pairs {shape(left.tail)} with {shape(right.tail)}"
        raise node.refused(found, "two tensors of one shape")
    if node.operator == "Mul":
        return layers.multiply(left, right, node.what)
    if node.operator == "Sub":
        right = right.moved(np.full(right.width, -1.0), None)
    return layers.add(left, right, node.what)


def _with_stored(node: Node, rows: Rows, stored: Doubles) -> Rows:
    numbers = _stretched(node, rows, stored)
    if node.operator == "Add":
        return rows.moved(None, numbers)
    if node.operator == "Sub":
        return rows.moved(None, -numbers)
    return rows.moved(numbers if node.operator == "Mul" else 1 / numbers, None)


def _stretched(node: Node, rows: Rows, stored: Doubles) -> Doubles:
    """One number for each of a row's."""
    try:
        return np.broadcast_to(stored, (1, *rows.tail)).ravel()
    except ValueError:
        found = f"it pairs {shape(rows.tail)} with stored {stored.shape}"
        raise node.refused(found, f"one number, or {shape(rows.tail)} without n") from None


def _negative(_: Layers, node: Node) -> list[Known]:
    rows = node.rows()
    return [rows.moved(np.full(rows.width, -1.0), None)]


def _batch_normalization(_: Layers, node: Node) -> list[Known]:
    rows = _columns_of(node)
    if node.integer("training_mode", 0) or node.outputs > 1:
        raise node.refused("it is in training mode", "the model in evaluation mode: model.eval()")
    scale, bias, mean, variance = (_stretched(node, rows, node.numbers(place)) for place in range(1, 5))
    factor = scale / np.sqrt(variance + node.real("epsilon", 1e-5))
    return [rows.moved(factor, bias - mean * factor)]


def _same(_: Layers, node: Node) -> list[Known]:
    value = node.given(0)
    return [node.rows() if value is None else value]


def _dropout(_: Layers, node: Node) -> list[Known]:
    training = node.given(2)
    if training is not None and (not isinstance(training, tuple) or any(training)):
        raise node.refused("it is in training mode", "the model in evaluation mode: model.eval()")
    if node.outputs > 1:
        raise node.refused("it gives its mask", "Dropout with one output")
    return [node.rows()]


def _cast(_: Layers, node: Node) -> list[Known]:
    value, to = node.given(0), node.integer("to", 0)
    if isinstance(value, tuple) and to in (6, 7):
        return [value]
    if to not in (1, 11):
        raise node.refused(f"it casts to element type {to}", "float32 throughout")
    return [node.rows() if not isinstance(value, np.ndarray) else value]


def _concat(layers: Layers, node: Node) -> list[Known]:
    if all(isinstance(value, tuple) for value in node.inputs):
        joined = tuple(number for place in range(len(node.inputs)) for number in node.whole(place))
        if len(joined) > MOST_WHOLE:
            raise node.refused(f"it joins {len(joined):,} whole numbers", "lengths as numbers in the file")
        return [joined]
    parts = [node.rows(place) for place in range(len(node.inputs))]
    node.columns(node.integer("axis", 0))
    return [layers.join(parts, node.what)]


def _split(layers: Layers, node: Node) -> list[Known]:
    rows = node.rows()
    node.columns(node.integer("axis", 0))
    sizes = node.integers("split") if node.given(1) is None else node.whole(1)
    if sizes is None:
        part = -(-rows.width // node.outputs)
        sizes = (*[part] * (node.outputs - 1), rows.width - part * (node.outputs - 1))
    if len(sizes) != node.outputs or sum(sizes) != rows.width or min(sizes) < 1:
        raise node.refused(f"it splits {rows.width} features into {sizes}", "parts that add up")
    ends = np.cumsum(sizes).tolist()
    return [
        layers.pick(rows, [*range(end - size, end)], (size,), node.what)
        for size, end in zip(sizes, ends, strict=True)
    ]


def _slice(layers: Layers, node: Node) -> list[Known]:
    value = node.given(0)
    starts, ends = node.whole(1), node.whole(2)
    axes = node.whole(3) if node.given(3) is not None else (0,)
    steps = node.whole(4) if node.given(4) is not None else (1,)
    if (len(starts), len(ends), len(axes), len(steps)) != (1, 1, 1, 1) or steps[0] < 1:
        raise node.refused("it cuts along several axes or backwards", "a slice of the features: x[:, a:b]")
    cut = slice(starts[0], ends[0], steps[0])
    if isinstance(value, tuple):
        return [value[cut]]
    rows = node.rows()
    node.columns(axes[0])
    places = [*range(rows.width)][cut]
    if not places:
        raise node.refused("it leaves no feature", "a slice of the features: x[:, a:b]")
    return [layers.pick(rows, places, (len(places),), node.what)]


def _transpose(layers: Layers, node: Node) -> list[Known]:
    value, order = node.given(0), node.integers("perm")
    if isinstance(value, np.ndarray):
        if order is not None and sorted(order) != [*range(value.ndim)]:
            raise node.refused(f"it transposes stored {value.shape} by {order}", "all axes, each once")
        return [np.transpose(value, order)]
    rows = node.rows()
    order = (*range(len(rows.tail), -1, -1),) if order is None else order
    if sorted(order) != [*range(len(rows.tail) + 1)] or order[0] != 0:
        raise node.refused(f"it moves the batch of {shape(rows.tail)} by {order}", "the batch first")
    places = np.arange(rows.width).reshape(1, *rows.tail).transpose(order)
    return [layers.pick(rows, places.ravel().tolist(), places.shape[1:], node.what)]


def _reshape(_: Layers, node: Node) -> list[Known]:
    value = node.given(0)
    if isinstance(value, np.ndarray):
        return [value.reshape(_whole_shape(node, value))]
    return [_reshaped(node, node.rows(), node.whole(1))]


def _whole_shape(node: Node, value: Doubles) -> Whole:
    target = node.whole(1)
    if math.prod(target) != value.size or min(target, default=1) < 1:
        raise node.refused(f"it reshapes stored {value.shape} to {target}", "weights stored as they are used")
    return target


def _flatten(_: Layers, node: Node) -> list[Known]:
    if node.integer("axis", 1) != 1:
        raise node.refused(f"its axis is {node.integer('axis', 1)}", "axis=1")
    return [_reshaped(node, node.rows(), (-1, node.rows().width))]


def _reshaped(node: Node, rows: Rows, target: Whole) -> Rows:
    """Another shape of each row; the batch stays what it is."""
    first, *lengths = target or (1,)
    known = math.prod(length for length in lengths if length != -1)
    tail = tuple(rows.width // max(known, 1) if length == -1 else length for length in lengths)
    if first not in (BATCH, -1, 0, node.batch) or lengths.count(-1) > 1 or math.prod(tail) != rows.width:
        wanted = ", ".join("n" if length == BATCH else str(length) for length in target)
        found = f"it reshapes {shape(rows.tail)} to ({wanted})"
        raise node.refused(found, "the batch first, -1, and as many numbers a row as before")
    return Rows(step=rows.step, tail=tail, scale=rows.scale, shift=rows.shift)


def _shape(_: Layers, node: Node) -> list[Known]:
    lengths = (BATCH, *node.rows().tail)
    end = node.integer("end", len(lengths))
    return [lengths[node.integer("start", 0) : end]]


def _gather(_: Layers, node: Node) -> list[Known]:
    if isinstance(node.given(0), Rows):
        raise node.refused("it picks features one by one", "a slice of the features: x[:, a:b]")
    values, places = node.whole(0), node.whole(1)
    if any(not -len(values) <= place < len(values) for place in places):
        raise node.refused(f"it picks number {places} of {len(values)}", "a place that is there")
    return [tuple(values[place] for place in places)]


def _axes(_: Layers, node: Node) -> list[Known]:
    """Squeeze and Unsqueeze of a shape's lengths: a number and a list of one are the same here."""
    if isinstance(node.given(0), Rows):
        raise node.refused(f"it changes the shape of {shape(node.rows().tail)}", "Reshape or Flatten")
    return [node.whole(0)]


RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(ACTIVATIONS, _activation),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
    **dict.fromkeys(("Squeeze", "Unsqueeze"), _axes),
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Concat": _concat,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "Identity": _same,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Neg": _negative,
    "PRelu": _prelu,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Transpose": _transpose,
}
"""Every operator that is read, beside Constant."""

_LAST: Final = "the logits that enter it, without it"
_SAMPLING: Final = "mean and log-variance as the outputs, without drawing from them"
_BRANCH: Final = "the branch that is taken, exported without control flow"
NEAREST: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax", "ArgMax"), _LAST),
    **dict.fromkeys(("RandomNormal", "RandomNormalLike", "Exp"), _SAMPLING),
    **dict.fromkeys(("If", "Loop", "Scan"), _BRANCH),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization"), "BatchNormalization, which is folded"),
    **dict.fromkeys(("Celu", "Selu", "ThresholdedRelu"), "Elu"),
    **dict.fromkeys(("Clip", "HardSigmoid", "HardSwish"), "Relu, Sigmoid or Tanh"),
    **dict.fromkeys(("Greater", "Less", "Where", "Mish"), "a smooth activation: Softplus, Gelu, Elu"),
    "Erf": "Gelu as one node: torch writes it with opset_version=20",
}
"""What to write in place of an operator that is refused."""


def nearest(operator: str) -> str:
    """What to write in place of an operator that is refused."""
    return NEAREST.get(operator, _PLAIN)
