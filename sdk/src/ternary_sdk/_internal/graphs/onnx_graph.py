"""
The subset of ONNX that a package's graphs are written in, read from protobuf bytes without the onnx library.

Whatever lies outside the subset is refused by name, so the bytes say nothing that is not in ``OnnxGraph``:
no functions, subgraphs, external or sparse data, metadata or foreign domains. Field numbers
are those of onnx.proto (github.com/onnx/onnx, IR version 10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.graphs import onnx_unread as unread
from ternary_sdk._internal.graphs.interface import BATCH, Tensor
from ternary_sdk._internal.graphs.protobuf import Message
from ternary_sdk.errors import FormatError

IR_VERSION: Final = 10
OPSET: Final = 20

MAX_NODES: Final = 64
MAX_TENSORS: Final = 64
MAX_ELEMENTS: Final = 1 << 21
MAX_RANK: Final = 4

FLOAT: Final = 1
INT32: Final = 6
INT64: Final = 7
_TYPES: Final = {FLOAT: "float32", INT32: "int32"}
_SIZES: Final = {FLOAT: 4, INT64: 8}
_ATTRIBUTE_INT: Final = 2


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation of the graph."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, int]
    what: str
    """Where it stands, for error messages."""


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A tensor stored in the graph."""

    type: str
    """float32 or int64."""

    shape: tuple[int, ...]
    data: bytes
    """Its elements, little-endian, in row-major order."""


@dataclass(frozen=True, kw_only=True)
class OnnxGraph:
    """A whole model."""

    nodes: tuple[Node, ...]
    """In order of execution."""

    constants: Mapping[str, Constant]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read(model: bytes, what: str) -> OnnxGraph:
    """Read an ONNX model.

    Args:
        model: The file's bytes, already capped in size.
        what: Its name in error messages.
    Raises:
        FormatError: If the bytes are malformed or hold anything outside the subset.
    """
    message = Message(model, what)
    version = message.integer(1, "ir_version")
    if version != IR_VERSION:
        raise FormatError(f"{what}: IR version {version}, expected {IR_VERSION}")
    if message.octets(2, "producer_name"):
        raise FormatError(f"{what}: holds a producer name, expected none")
    graph = message.octets(7, "graph")
    _check_opset(message.messages(8, "opset_import"), what)
    message.end(unread.MODEL)
    return _read_graph(Message(graph, f"{what}: graph"), what)


def _check_opset(imports: list[bytes], what: str) -> None:
    if len(imports) != 1:
        raise FormatError(f"{what}: {len(imports)} operator sets, expected one")
    message = Message(imports[0], f"{what}: operator set")
    domain, version = message.text(1, "domain"), message.integer(2, "version")
    message.end({})
    if domain or version != OPSET:
        raise FormatError(f"{what}: operator set {domain!r} {version}, expected the default one, {OPSET}")


def _read_graph(message: Message, what: str) -> OnnxGraph:
    nodes = _limited(message.messages(1, "node"), MAX_NODES, "nodes", what)
    message.text(2, "name")
    tensors = _limited(message.messages(5, "initializer"), MAX_TENSORS, "initializers", what)
    inputs, outputs = message.messages(11, "input"), message.messages(12, "output")
    message.end(unread.GRAPH)
    constants: dict[str, Constant] = {}
    for number, data in enumerate(tensors):
        name, constant = _read_constant(Message(data, f"{what}: initializer {number}"))
        if name in constants:
            raise FormatError(f"{what}: two initializers are called {name!r}")
        constants[name] = constant
    return OnnxGraph(
        nodes=tuple(_read_node(Message(data, f"{what}: node {i}")) for i, data in enumerate(nodes)),
        constants=constants,
        inputs=tuple(_read_value(Message(data, f"{what}: input {i}")) for i, data in enumerate(inputs)),
        outputs=tuple(_read_value(Message(data, f"{what}: output {i}")) for i, data in enumerate(outputs)),
    )


def _limited(found: list[bytes], most: int, plural: str, what: str) -> list[bytes]:
    if len(found) > most:
        raise FormatError(f"{what}: {len(found)} {plural}, expected at most {most}")
    return found


def _read_node(message: Message) -> Node:
    inputs, outputs = message.texts(1, "input"), message.texts(2, "output")
    operator = message.text(4, "op_type")
    attributes: dict[str, int] = {}
    for data in message.messages(5, "attribute"):
        name, value = _read_attribute(Message(data, f"{message.what}: attribute"))
        if name in attributes:
            raise FormatError(f"{message.what}: attribute {name!r} appears twice")
        attributes[name] = value
    message.end(unread.NODE)
    return Node(
        operator=operator,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        attributes=attributes,
        what=f"{message.what} ({operator})",
    )


def _read_attribute(message: Message) -> tuple[str, int]:
    name, value = message.text(1, "name"), message.integer(3, "i", default=0)
    kind = message.integer(20, "type")
    message.end(unread.ATTRIBUTE)
    if kind != _ATTRIBUTE_INT:
        raise FormatError(f"{message.what} {name!r} has type {kind}, expected an integer")
    return name, value


def _read_constant(message: Message) -> tuple[str, Constant]:
    shape, kind = tuple(message.integers(1, "dims")), message.integer(2, "data_type")
    name, data = message.text(8, "name"), message.octets(9, "raw_data")
    message.end(unread.TENSOR)
    if kind not in _SIZES:
        raise FormatError(f"{message.what} {name!r} has element type {kind}, expected float32 or int64")
    size = 1
    for length in shape:
        size *= min(length, MAX_ELEMENTS + 1)
    if not name or len(shape) > MAX_RANK or not 0 < size <= MAX_ELEMENTS:
        raise FormatError(
            f"{message.what} {name!r} has shape {shape[:8]}, expected 1 to {MAX_ELEMENTS} elements"
        )
    if len(data) != size * _SIZES[kind]:
        raise FormatError(
            f"{message.what} {name!r} holds {len(data)} bytes, its shape {shape} needs {size * _SIZES[kind]}"
        )
    return name, Constant(type="float32" if kind == FLOAT else "int64", shape=shape, data=data)


def _read_value(message: Message) -> Tensor:
    name = message.text(1, "name")
    kind = Message(message.octets(2, "type"), f"{message.what} {name!r}: type")
    message.end(unread.VALUE)
    tensor = Message(kind.octets(1, "tensor_type"), kind.what)
    kind.end(unread.TYPE)
    element = tensor.integer(1, "elem_type", default=0)
    shape = Message(tensor.octets(2, "shape"), kind.what)
    tensor.end({})
    dimensions = _limited(shape.messages(1, "dim"), MAX_RANK, "axes", kind.what)
    shape.end({})
    if element not in _TYPES:
        raise FormatError(f"{kind.what} has element type {element}, expected float32 or int32")
    return Tensor(
        name=name,
        type="float32" if element == FLOAT else "int32",
        shape=tuple(_read_dimension(Message(data, kind.what)) for data in dimensions),
    )


def _read_dimension(message: Message) -> int | str:
    symbol = message.text(2, "dim_param")
    length = message.integer(1, "dim_value", default=0)
    message.end(unread.DIMENSION)
    if symbol not in ("", BATCH) or bool(symbol) is bool(length):
        raise FormatError(f"{message.what} has an axis {symbol or length!r}, expected a length or {BATCH!r}")
    return symbol or length
