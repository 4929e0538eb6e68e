"""
State dict to ONNX: the graphs of a package, node by node.

The graphs are written out by hand instead of traced: their bytes then depend on the weights alone, carry no
metadata, and the decoder can be laid out for speed. Its last layer runs transposed and grouped by class, so
that the argmax compares contiguous rows, and the index is one product of place values with digits
that are written as bits (docs/adr/0014).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ternary_sdk._internal.graphs.interface import Tensor, has_index, of_decoder, of_encoder
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Space

IR_VERSION: Final = 10
OPSET: Final = 20

State = Mapping[str, npt.NDArray[np.float32]]


class _Graph:
    """A graph under construction: nodes in order of execution, and the constants they name."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, npt.NDArray[np.generic]] = {}

    def node(self, operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        node = helper.make_node(operator, inputs, [output])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return output

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self._constants[name] = np.ascontiguousarray(value)
        return name

    def linear(self, layer: str, source: str, output: str) -> str:
        """A layer of the state dict: source · weightᵀ + bias, one row an example."""
        weight = self.constant(f"{layer}.weight", self._state[f"{layer}.weight"])
        bias = self.constant(f"{layer}.bias", self._state[f"{layer}.bias"])
        return self.node("Gemm", [source, weight, bias], output, transB=1)

    def relu(self, source: str) -> str:
        return self.node("Relu", [source], f"{source}.relu")

    def split(self, source: str, outputs: list[str], axis: int) -> None:
        self._nodes.append(helper.make_node("Split", [source], outputs, axis=axis, num_outputs=len(outputs)))

    def finish(self, name: str, given: onnx.ValueInfoProto, results: list[onnx.ValueInfoProto]) -> bytes:
        tensors = [numpy_helper.from_array(value, key) for key, value in self._constants.items()]
        graph = helper.make_graph(self._nodes, name, [given], results, tensors)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=""
        )
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


def encoder_graph(state: State, path: str, signature: Signature = STANDARD) -> bytes:
    """The encoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: The path's letter.
        signature: What the model is of.
    Returns:
        ONNX bytes: ``operations`` (n, cells) to ``mean`` and ``log_variance``, (n, latent_size) each.
    """
    graph = _Graph(state)
    hidden = "operations"
    for layer in _layers(state, f"encoder_{path}.encoder"):
        hidden = graph.relu(graph.linear(f"encoder_{path}.encoder.{layer}", hidden, f"hidden.{layer}"))
    graph.linear(f"encoder_{path}.fc_mu", hidden, "mean")
    graph.linear(f"encoder_{path}.fc_logvar", hidden, "log_variance")
    interface = of_encoder(signature)
    return graph.finish(f"encoder_{path}", _value(interface.inputs[0]), [*map(_value, interface.outputs)])


def decoder_graph(state: State, path: str, signature: Signature = STANDARD) -> bytes:
    """The decoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: The path's letter.
        signature: What the model is of.
    Returns:
        ONNX bytes: ``latents`` (n, latent_size) to ``index`` int32 (n,) and ``logits`` (radix, cells, n),
        class first; in spaces of more than 2^24 operations ``digits`` int32 (cells, n) instead of the index.
    """
    graph = _Graph(state)
    residual = f"decoder_{path}.fc_in.weight" in state
    hidden, last = (_residual_layers if residual else _plain_layers)(graph, state, f"decoder_{path}")
    _operation(graph, _class_first(graph, state, hidden, last, signature.space), signature.space)
    interface = of_decoder(signature)
    return graph.finish(f"decoder_{path}", _value(interface.inputs[0]), [*map(_value, interface.outputs)])


def _layers(state: State, name: str) -> list[int]:
    """The numbers of a sequence's linear layers, ascending."""
    found = (key.removeprefix(f"{name}.").split(".") for key in state if key.startswith(f"{name}."))
    return sorted({int(parts[0]) for parts in found if parts[-1] == "weight"})


def _plain_layers(graph: _Graph, state: State, decoder: str) -> tuple[str, str]:
    *inner, last = _layers(state, f"{decoder}.decoder")
    hidden = "latents"
    for layer in inner:
        hidden = graph.relu(graph.linear(f"{decoder}.decoder.{layer}", hidden, f"hidden.{layer}"))
    return hidden, f"{decoder}.decoder.{last}"


def _residual_layers(graph: _Graph, state: State, decoder: str) -> tuple[str, str]:
    """All blocks but the last are followed by a ReLU."""
    hidden = graph.relu(graph.linear(f"{decoder}.fc_in", "latents", "hidden"))
    blocks = 1
    while f"{decoder}.residual{blocks + 1}.block.0.weight" in state:
        hidden = graph.relu(_residual(graph, decoder, f"residual{blocks}", hidden))
        blocks += 1
    return _residual(graph, decoder, f"residual{blocks}", hidden), f"{decoder}.fc_out"


def _residual(graph: _Graph, decoder: str, block: str, hidden: str) -> str:
    inner = graph.relu(graph.linear(f"{decoder}.{block}.block.0", hidden, f"{block}.0"))
    change = graph.linear(f"{decoder}.{block}.block.2", inner, f"{block}.2")
    return graph.node("Add", [change, hidden], f"{block}.sum")


def _class_first(graph: _Graph, state: State, hidden: str, last: str, space: Space) -> str:
    """The last layer as weight · hiddenᵀ, its rows regrouped from (cell, class) to (class, cell)."""
    radix, cells = space.radix, space.cells
    weight = state[f"{last}.weight"].reshape(cells, radix, -1).transpose(1, 0, 2).reshape(radix * cells, -1)
    bias = state[f"{last}.bias"].reshape(cells, radix).T.reshape(radix * cells, 1)
    names = [graph.constant(f"{last}.weight", weight), hidden, graph.constant(f"{last}.bias", bias)]
    rows = graph.node("Gemm", names, "logits.rows", transB=1)
    shape = graph.constant("logits.shape", np.array([radix, cells, -1], dtype=np.int64))
    graph.node("Reshape", [rows, shape], "logits")
    return rows


_TERNARY: Final = {
    "class.1.wins": "middle.wins",
    "class.2.wins": "digit.is.two",
    "best.of.2": "best.of.two",
    "digit.from.1": "digit.is.positive",
}
"""What the first graphs called these: names are part of a graph's digest, and its seed follows from that."""


def _operation(graph: _Graph, rows: str, space: Space) -> None:
    """The decoded operation; strict comparisons pin ties to the lowest class.

    A digit is the sum of its bits "it is 1 or more", "it is 2 or more", …, a thermometer that has only as
    many states as there are classes: NaN, which compares false, still gives a digit in range. Bits are a
    quarter of the bytes of floats, and the sum over digits and places becomes one product of a vector with a
    matrix, which ONNX Runtime computes several times as fast as it chooses (Where) and adds (ReduceSum).
    """

    def named(name: str) -> str:
        return _TERNARY.get(name, name) if space.radix == 3 else name

    classes = [f"class.{digit}" for digit in range(space.radix)]
    graph.split(rows, classes, axis=0)
    best, wins = classes[0], []
    for digit in range(1, space.radix):
        wins.append(graph.node("Greater", [classes[digit], best], named(f"class.{digit}.wins")))
        if digit < space.radix - 1:
            best = graph.node("Max", [best, classes[digit]], named(f"best.of.{digit + 1}"))
    bits = wins[-1:]
    for digit in range(space.radix - 2, 0, -1):
        bits.insert(0, graph.node("Or", [wins[digit - 1], bits[0]], named(f"digit.from.{digit}")))
    together = graph.node("Concat", bits, "bits", axis=0) if len(bits) > 1 else bits[0]
    numbers = graph.node("Cast", [together], "bits.float", to=TensorProto.FLOAT)
    (_index if has_index(space) else _digits)(graph, numbers, space)


def _index(graph: _Graph, numbers: str, space: Space) -> None:
    # Every sum of place values is at most 2^24: exact in float32, in whatever order a machine adds.
    place = graph.constant("place", np.tile(space.places.astype(np.float32), space.radix - 1))
    total = graph.node("MatMul", [place, numbers], "index.float")
    graph.node("Cast", [total], "index", to=TensorProto.INT32)


def _digits(graph: _Graph, numbers: str, space: Space) -> None:
    shape = graph.constant("planes.shape", np.array([space.radix - 1, space.cells, -1], dtype=np.int64))
    planes = graph.node("Reshape", [numbers, shape], "planes")
    axes = graph.constant("axes", np.array([0], dtype=np.int64))
    total = graph.node("ReduceSum", [planes, axes], "digits.float", keepdims=0)
    graph.node("Cast", [total], "digits", to=TensorProto.INT32)


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    element = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}[tensor.type]
    return helper.make_tensor_value_info(tensor.name, element, list(tensor.shape))
