"""
What a graph must be before its bytes reach ONNX Runtime.

ONNX Runtime is a large program that reads files, runs loops and allocates what a graph asks for; here a graph
is known to be small, closed and exactly as the manifest describes it, by a walk over its bytes. A
signature says who made a graph, this says what it can do. Accepting more here widens what a
stolen signing key can do to a client.
"""

from collections import Counter
from typing import Final

import numpy as np

from ternary_sdk._internal.graphs import decoder_tail, graph_cost, graph_shapes, onnx_graph
from ternary_sdk._internal.graphs.graph_shapes import Value
from ternary_sdk._internal.graphs.interface import Interface
from ternary_sdk._internal.graphs.onnx_graph import OnnxGraph
from ternary_sdk.errors import FormatError

MAX_GRAPH: Final = 8 << 20
"""The most bytes that an ONNX graph may have."""

MAX_OTHER_CONSTANTS: Final = 1024
"""The most elements of constants that are no parameters: shapes, axes, place values."""


def inspect(model: bytes, *, what: str, interface: Interface, parameters: int | None) -> int:
    """Check a graph:

    1. it is no larger than a graph may be;
    2. its bytes are protobuf in the one form that is read, and hold nothing outside the subset;
    3. its inputs and outputs have the names, types and shapes demanded; optional outputs may be missing;
    4. each node's operator is allowed, reads what was computed before it, and has one name for each result;
    5. every type and shape follows from the inputs, and the outputs have those declared;
    6. everything that is stored or computed is used;
    7. it holds as many parameters as the manifest says, all finite, each used once, and hardly anything else;
    8. what its nodes compute for each row costs no more than a graph may cost;
    9. a decoder's operation is computed from its logits, in a way that is known for its space.

    Args:
        model: The ONNX file's bytes.
        what: Its name in error messages.
        interface: The inputs and outputs it must have.
        parameters: How many weights and biases it must hold: the elements that enter a Gemm. None where
            there is no manifest to say.
    Returns:
        The work of one row, in multiplications of a matrix product (``graph_cost``).
    Raises:
        FormatError: Naming the first thing that is not as it must be.
    """
    if len(model) > MAX_GRAPH:  # 1
        raise FormatError(f"{what}: {len(model)} bytes, expected at most {MAX_GRAPH}")
    graph = onnx_graph.read(model, what)  # 2
    left_out = len(interface.outputs) - len(graph.outputs)
    expected = interface.outputs[: len(graph.outputs)]
    if (graph.inputs, graph.outputs) != (interface.inputs, expected) or left_out > interface.optional:  # 3
        raise FormatError(f"{what}: has the interface {_shown(graph)}, expected {_shown(interface)}")
    known = _walk(graph, what)  # 4, 5
    _check_results(graph, known, what)
    _check_use(graph, what)  # 6
    count = _check_constants(graph, parameters, what)  # 7
    elements = graph_cost.check(graph, known, what)  # 8
    if interface.decodes is not None:
        decoder_tail.check(graph, interface.decodes, what)  # 9
    return count + graph_cost.MULTIPLICATIONS * elements


def _walk(graph: OnnxGraph, what: str) -> dict[str, Value]:
    known = {tensor.name: Value(type=tensor.type, shape=tensor.shape) for tensor in graph.inputs}
    for name, constant in graph.constants.items():
        if name in known:
            raise FormatError(f"{what}: initializer {name!r} hides an input")
        known[name] = Value(type=constant.type, shape=constant.shape, constant=constant)
    for node in graph.nodes:
        if missing := [name for name in node.inputs if name not in known]:
            raise FormatError(f"{node.what}: reads {missing[0]!r}, which nothing before it computes")
        for name, value in zip(
            node.outputs, graph_shapes.infer(node, [known[name] for name in node.inputs]), strict=True
        ):
            if not name or name in known:
                raise FormatError(f"{node.what}: its result {name!r} already has a meaning, or no name")
            known[name] = value
    return known


def _check_results(graph: OnnxGraph, known: dict[str, Value], what: str) -> None:
    for tensor in graph.outputs:
        found = known.get(tensor.name)
        if found is None or (found.type, found.shape) != (tensor.type, tensor.shape):
            computed = f"{found.type} {found.shape}" if found else "nothing"
            raise FormatError(
                f"{what}: output {tensor.name!r} is {computed}, declared {tensor.type} {tensor.shape}"
            )


def _check_use(graph: OnnxGraph, what: str) -> None:
    used = Counter(name for node in graph.nodes for name in node.inputs)
    used.update(tensor.name for tensor in graph.outputs)
    made = [name for node in graph.nodes for name in node.outputs]
    for name in (*(tensor.name for tensor in graph.inputs), *graph.constants, *made):
        if not used[name]:
            raise FormatError(f"{what}: {name!r} is stored or computed but never used")


def _check_constants(graph: OnnxGraph, parameters: int | None, what: str) -> int:
    """Check what is stored, and count the parameters."""
    used = Counter(name for node in graph.nodes for name in node.inputs)
    multiplied = {name for node in graph.nodes if node.operator == "Gemm" for name in node.inputs}
    count = other = 0
    for name, constant in graph.constants.items():
        elements = int(np.prod(constant.shape, dtype=np.int64))
        if constant.type == "float32" and not np.isfinite(np.frombuffer(constant.data, "<f4")).all():
            raise FormatError(f"{what}: initializer {name!r} holds a value that is not finite")
        if name in multiplied and used[name] > 1:  # or work would not be bounded by what is stored
            raise FormatError(f"{what}: parameter {name!r} is used {used[name]} times, expected once")
        count += elements if name in multiplied else 0
        other += 0 if name in multiplied else elements
    if parameters is not None and count != parameters:
        raise FormatError(f"{what}: holds {count} parameters, the manifest says {parameters}")
    if other > MAX_OTHER_CONSTANTS:
        raise FormatError(f"{what}: holds {other} other constants, expected at most {MAX_OTHER_CONSTANTS}")
    return count


def _shown(interface: Interface | OnnxGraph) -> str:
    inputs, outputs = (
        ", ".join(f"{tensor.name} {tensor.type} {tensor.shape}" for tensor in side)
        for side in (interface.inputs, interface.outputs)
    )
    return f"({inputs}) -> ({outputs})"
