"""
Reading a foreign ONNX model: bytes in, a network out.

The model is understood node by node and never edited: what is shipped is written anew from the network
(``writing``). So nothing of the file but its numbers can reach a client.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto

from ternary_export.foreign.layers import Layers, Rows
from ternary_export.foreign.network import Network, pruned
from ternary_export.foreign.nodes import Known, Node, constant, label, named, shape, tensor
from ternary_export.foreign.operators import RULES, nearest
from ternary_sdk._internal.graphs.graph_shapes import MAX_ROW
from ternary_sdk.errors import FormatError

MAX_FILE: Final = 32 << 20
"""The most bytes that a foreign model may have: it may be stored in double precision."""

OLDEST_OPSET: Final = 9
"""From this operator set on, the operators that are read mean what they mean today."""

MOST_NODES: Final = 4096
"""The most nodes that are read: exporters write several for one that is shipped."""

MOST_AT_ONCE: Final = 4096
"""The most rows that a model of a fixed number may take: it is fed in such parts when it is compared."""

_NUMBERS: Final = (
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Foreign:
    """A foreign model that was understood."""

    what: str
    """Its file's name, for error messages."""

    data: bytes
    """The file as it was given."""

    network: Network
    input: str
    """The name of its only input."""

    batch: int
    """How many rows it takes at once, or -1 for any number."""

    tail: tuple[int, ...]
    """The shape of one row of the input."""

    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    """Names of the outputs and shapes of one row of each."""


def read(data: bytes, what: str) -> Foreign:
    """Understand a model:

    1. it is ONNX in one file, of a known operator set, without functions;
    2. every operator has a rule;
    3. it has one input, whose shape but for the batch is known;
    4. each node follows its operator's rule;
    5. its outputs are computed for each row.

    Args:
        data: The file's bytes.
        what: Its name in error messages.
    Raises:
        FormatError: Naming the node, tensor or input that is not accepted, and the nearest form that is.
    """
    model = _parsed(data, what)  # 1
    for number, node in enumerate(model.graph.node):  # 2
        if node.op_type not in (*RULES, "Constant") or node.domain not in ("", "ai.onnx"):
            raise FormatError(
                f"{label(what, number, node)}: the operator is not allowed; nearest: {nearest(node.op_type)}"
            )
    name, batch, tail = _input(model, what)  # 3
    _check(model, what)
    stored = {one.name: tensor(one, f"{what}: {named(one.name)}") for one in model.graph.initializer}
    known: dict[str, Known] = {**stored, name: Rows(step=0, tail=tail)}
    layers = Layers(math.prod(tail))
    with np.errstate(all="ignore"):  # what is not finite in the end is refused
        for number, node in enumerate(model.graph.node):  # 4
            known.update(_results(layers, node, known, label(what, number, node), batch))
        outputs = [*_outputs(model, layers, known, what)]  # 5
    network = pruned(layers.network(tuple(step for _, step, _ in outputs)))
    given = tuple((output, tail) for output, _, tail in outputs)
    return Foreign(what=what, data=data, network=network, input=name, batch=batch, tail=tail, outputs=given)


def _parsed(data: bytes, what: str) -> ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except Exception:  # noqa: BLE001 (protobuf's errors are typed nowhere that onnx exports)
        raise FormatError(f"{what}: not an ONNX model") from None
    if not all(isinstance(text, str) for text in _texts(model)):  # of what is not UTF-8, protobuf gives bytes
        raise FormatError(f"{what}: not an ONNX model: a name is not UTF-8")
    if not model.graph.node:
        raise FormatError(f"{what}: not an ONNX model, or one without nodes")
    if len(model.graph.node) > MOST_NODES:
        raise FormatError(f"{what}: has {len(model.graph.node):,} nodes, expected at most {MOST_NODES:,}")
    if model.functions:
        raise FormatError(f"{what}: has functions of its own; nearest: the same with its functions inlined")
    newest = onnx.defs.onnx_opset_version()
    found = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if len(found) != 1 or not OLDEST_OPSET <= found[0] <= newest:
        stated = ", ".join(map(str, found)) or "none"
        raise FormatError(
            f"{what}: has operator set {stated}, expected {OLDEST_OPSET} to {newest}; nearest: 20"
        )
    return model


def _texts(model: ModelProto) -> Iterator[object]:
    yield from (entry.domain for entry in model.opset_import)
    for node in model.graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    yield from (stored.name for stored in model.graph.initializer)
    for value in (*model.graph.input, *model.graph.output):
        yield from (value.name, *(axis.dim_param for axis in value.type.tensor_type.shape.dim))


def _check(model: ModelProto, what: str) -> None:
    """Pass a model through the onnx library's checker, except for what is refused in better words later."""
    for one in model.graph.initializer:
        tensor(one, f"{what}: {named(one.name)}")
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise FormatError(f"{what}: not a valid ONNX model ({reason})") from None


def _input(model: ModelProto, what: str) -> tuple[str, int, tuple[int, ...]]:
    stored = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in stored]
    if len(inputs) != 1:
        names = f" ({', '.join(named(one.name) for one in inputs)})" if inputs else ""
        raise FormatError(f"{what}: has {len(inputs)} inputs{names}, expected one")
    name = inputs[0].name
    batch, tail = _shape(inputs[0], f"{what}: input {named(name)}")
    if math.prod(tail) > MAX_ROW:
        raise FormatError(f"{what}: input {named(name)} has shape {shape(tail)}, at most {MAX_ROW} a row")
    return name, batch, tail


def _shape(value: ValueInfoProto, what: str) -> tuple[int, tuple[int, ...]]:
    kind = value.type.tensor_type
    if kind.elem_type not in _NUMBERS:
        raise FormatError(f"{what} has no element type that is read; nearest: float32")
    lengths = [axis.dim_value if axis.HasField("dim_value") else -1 for axis in kind.shape.dim]
    if lengths and lengths[0] > MOST_AT_ONCE:
        raise FormatError(
            f"{what} takes {lengths[0]:,} rows at once; nearest: any number, or {MOST_AT_ONCE:,}"
        )
    if len(lengths) not in (2, 3) or min(lengths[1:]) < 1 or lengths[0] == 0:
        stated = ", ".join(axis.dim_param or str(axis.dim_value) for axis in kind.shape.dim)
        raise FormatError(f"{what} has shape ({stated}); nearest: every length but the batch as a number")
    return lengths[0], tuple(lengths[1:])


def _results(
    layers: Layers, node: onnx.NodeProto, known: dict[str, Known], what: str, batch: int
) -> Iterator[tuple[str, Known]]:
    if node.op_type == "Constant":
        yield node.output[0], constant(node, what)
        return
    for name in node.input:
        if name and name not in known:
            raise FormatError(f"{what}: reads {named(name)}, which nothing before it computes")
    view = Node(
        what=what,
        operator=node.op_type,
        inputs=tuple(known[name] if name else None for name in node.input),
        outputs=max((place for place, name in enumerate(node.output, 1) if name), default=1),
        attributes={attribute.name: attribute for attribute in node.attribute},
        batch=batch,
    )
    yield from zip(node.output, RULES[node.op_type](layers, view), strict=False)


def _outputs(
    model: ModelProto, layers: Layers, known: dict[str, Known], what: str
) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    for output in model.graph.output:
        value = known.get(output.name)
        if not isinstance(value, Rows):
            raise FormatError(f"{what}: output {named(output.name)} is not computed for each row")
        yield output.name, layers.settled(value, f"{what}: output {named(output.name)}"), value.tail
