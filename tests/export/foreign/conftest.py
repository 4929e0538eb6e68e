"""Models as other people's exporters write them, node by node."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]


class Sketch:
    """A foreign model: constants and nodes are added, ``data`` gives the file."""

    def __init__(self, tail: tuple[Any, ...] = (16,), *, seed: int = 1, batch: Any = "batch") -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[TensorProto] = []
        self.inputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [batch, *tail])]
        self.outputs: list[onnx.ValueInfoProto] = []
        self.opset = 20

    def store(self, value: Array | list[Any], name: str = "") -> str:
        name = name or f"stored{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> Any:
        names = [f"t{len(self.nodes)}{'' if number == 0 else f'.{number}'}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def layer(self, source: str, size: int, out: int, scale: float = 2.0) -> str:
        """As torch writes nn.Linear."""
        weight = (scale * self.random.normal(size=(out, size)) / np.sqrt(size)).astype(np.float32)
        bias = (0.3 * self.random.normal(size=out)).astype(np.float32)
        return str(self.node("Gemm", source, self.store(weight), self.store(bias), transB=1))

    def output(self, *names: str) -> "Sketch":
        self.outputs.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", "numbers"]) for name in names
        )
        return self

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "somebody's", self.inputs, self.outputs, self.stored)
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=10,
            producer_name="somebody",
            doc_string="a model",
        )

    @property
    def data(self) -> bytes:
        data: bytes = self.model().SerializeToString()
        return data


def plain_decoder(sketch: Sketch, latents: int = 16, logits: int = 27, operator: str = "Relu") -> Sketch:
    hidden = sketch.node(operator, sketch.layer("z", latents, 24))
    return sketch.output(sketch.layer(hidden, 24, logits))


@pytest.fixture
def sketch() -> Callable[..., Sketch]:
    return Sketch


@pytest.fixture
def plain() -> Callable[..., Sketch]:
    """A decoder of one hidden layer."""

    def make(latents: int = 16, logits: int = 27, operator: str = "Relu") -> Sketch:
        return plain_decoder(Sketch((latents,)), latents, logits, operator)

    return make
