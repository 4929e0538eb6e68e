"""
State dict to ONNX: the four graphs of a package, node by node.

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

from ternary_sdk._internal.streams.stream import LATENT_SIZE
from ternary_sdk.operations import TRITS

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


def encoder_graph(state: State, path: str) -> bytes:
    """The encoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: ``"A"`` or ``"B"``.
    Returns:
        ONNX bytes: ``operations`` (n, 9) to ``mean`` and ``log_variance``, (n, 16) each.
    """
    graph = _Graph(state)
    hidden = "operations"
    for layer in (0, 2, 4):
        hidden = graph.relu(graph.linear(f"encoder_{path}.encoder.{layer}", hidden, f"hidden.{layer}"))
    graph.linear(f"encoder_{path}.fc_mu", hidden, "mean")
    graph.linear(f"encoder_{path}.fc_logvar", hidden, "log_variance")
    return graph.finish(
        f"encoder_{path}",
        _value("operations", TensorProto.FLOAT, ["n", TRITS]),
        [_value(name, TensorProto.FLOAT, ["n", LATENT_SIZE]) for name in ("mean", "log_variance")],
    )


def decoder_graph(state: State, path: str) -> bytes:
    """The decoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: ``"A"`` or ``"B"``.
    Returns:
        ONNX bytes: ``latents`` (n, 16) to ``index`` int32 (n,) and ``logits`` (3, 9, n), class first.
    """
    graph = _Graph(state)
    hidden, last = _hidden_a(graph) if path == "A" else _hidden_b(graph)
    logits = _class_first(graph, state, hidden, last)
    _argmax_index(graph, logits)
    return graph.finish(
        f"decoder_{path}",
        _value("latents", TensorProto.FLOAT, ["n", LATENT_SIZE]),
        [_value("index", TensorProto.INT32, ["n"]), _value("logits", TensorProto.FLOAT, [3, TRITS, "n"])],
    )


def _hidden_a(graph: _Graph) -> tuple[str, str]:
    first = graph.relu(graph.linear("decoder_A.decoder.0", "latents", "hidden.0"))
    return graph.relu(graph.linear("decoder_A.decoder.2", first, "hidden.2")), "decoder_A.decoder.4"


def _hidden_b(graph: _Graph) -> tuple[str, str]:
    hidden = graph.relu(graph.linear("decoder_B.fc_in", "latents", "hidden"))
    hidden = graph.relu(_residual(graph, "residual1", hidden))
    return _residual(graph, "residual2", hidden), "decoder_B.fc_out"


def _residual(graph: _Graph, block: str, hidden: str) -> str:
    inner = graph.relu(graph.linear(f"decoder_B.{block}.block.0", hidden, f"{block}.0"))
    change = graph.linear(f"decoder_B.{block}.block.2", inner, f"{block}.2")
    return graph.node("Add", [change, hidden], f"{block}.sum")


def _class_first(graph: _Graph, state: State, hidden: str, last: str) -> str:
    """The last layer as weight · hiddenᵀ, its 27 rows regrouped from (trit, class) to (class, trit)."""
    weight = state[f"{last}.weight"].reshape(TRITS, 3, -1).transpose(1, 0, 2).reshape(3 * TRITS, -1)
    bias = state[f"{last}.bias"].reshape(TRITS, 3).T.reshape(3 * TRITS, 1)
    names = [graph.constant(f"{last}.weight", weight), hidden, graph.constant(f"{last}.bias", bias)]
    rows = graph.node("Gemm", names, "logits.rows", transB=1)
    shape = graph.constant("logits.shape", np.array([3, TRITS, -1], dtype=np.int64))
    graph.node("Reshape", [rows, shape], "logits")
    return rows


def _argmax_index(graph: _Graph, rows: str) -> None:
    """The canonical index; strict comparisons pin ties to the lowest class.

    A digit is the sum of two bits, "it is 1 or 2" and "it is 2", a thermometer that has only three states
    whatever the logits are: NaN, which compares false, still gives an index in range. Bits are a quarter of
    the bytes of floats, and the sum over digits and places becomes one product of a vector with a matrix,
    which ONNX Runtime computes several times as fast as it chooses (Where) and adds (ReduceSum).
    """
    low, middle, high = "class.0", "class.1", "class.2"
    graph.split(rows, [low, middle, high], axis=0)
    middle_wins = graph.node("Greater", [middle, low], "middle.wins")
    best = graph.node("Max", [low, middle], "best.of.two")
    two = graph.node("Greater", [high, best], "digit.is.two")
    positive = graph.node("Or", [middle_wins, two], "digit.is.positive")
    bits = graph.node("Concat", [positive, two], "bits", axis=0)
    numbers = graph.node("Cast", [bits], "bits.float", to=TensorProto.FLOAT)
    # Every sum of place values is below 2^24: exact in float32, in whatever order a machine adds.
    place = graph.constant("place", np.tile(3.0 ** np.arange(TRITS, dtype=np.float32), 2))
    total = graph.node("MatMul", [place, numbers], "index.float")
    graph.node("Cast", [total], "index", to=TensorProto.INT32)


def _value(name: str, element: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element, shape)
