"""
An ONNX graph under construction, node by node (docs/adr/0002).

The same calls give the same bytes: nothing of the machine, the time or the libraries is written.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ternary_sdk._internal.graphs.interface import Interface, Tensor

IR_VERSION: Final = 10
OPSET: Final = 20

Floats = npt.NDArray[np.float32]


class GraphBuilder:
    """A graph under construction: nodes in order of execution, and the constants they name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, npt.NDArray[np.generic]] = {}

    def node(self, operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        """Append a node with one result, and give the result's name."""
        node = helper.make_node(operator, inputs, [output])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return output

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        """Store a tensor, and give its name."""
        self._constants[name] = np.ascontiguousarray(value)
        return name

    def linear(self, source: str, layer: str, weight: Floats, bias: Floats, output: str) -> str:
        """A layer: source · weightᵀ + bias, one row an example; weight (out, in), bias (out,)."""
        names = [self.constant(f"{layer}.weight", weight), self.constant(f"{layer}.bias", bias)]
        return self.node("Gemm", [source, *names], output, transB=1)

    def split(self, source: str, outputs: list[str], axis: int) -> None:
        """Append a node that splits a tensor into equal parts."""
        self._nodes.append(helper.make_node("Split", [source], outputs, axis=axis, num_outputs=len(outputs)))

    def finish(self, name: str, interface: Interface) -> bytes:
        """The model's bytes; its inputs and outputs are those of an interface."""
        tensors = [numpy_helper.from_array(value, key) for key, value in self._constants.items()]
        inputs, outputs = ([*map(_value, side)] for side in (interface.inputs, interface.outputs))
        graph = helper.make_graph(self._nodes, name, inputs, outputs, tensors)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=""
        )
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    element = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}[tensor.type]
    return helper.make_tensor_value_info(tensor.name, element, list(tensor.shape))
