"""
How decoders end as they are written now: logits, class first, and the operation that they decode to.

The clients' firewall knows these nodes one by one (``graphs.decoder_tail``). The last layer runs transposed
and grouped by class, so that the argmax compares contiguous rows, and the index is one product of place
values with digits that are written as bits (docs/adr/0014).
"""

from typing import Final

import numpy as np
from onnx import TensorProto

from ternary_export.graph_builder import Floats, GraphBuilder
from ternary_sdk._internal.graphs.interface import has_index
from ternary_sdk.space import Space


def class_first(
    graph: GraphBuilder,
    hidden: str,
    layer: str,
    weight: Floats,
    bias: Floats,
    space: Space,
    *,
    skip: tuple[str, Floats] | None = None,
) -> str:
    """The last layer as weight · hiddenᵀ, its rows regrouped from (cell, class) to (class, cell).

    Args:
        graph: What is appended to.
        hidden: The last hidden features, (n, width).
        layer: The layer's name.
        weight: Shape (cells · radix, width); row cell · radix + class.
        bias: Shape (cells · radix,).
        space: What the logits are of.
        skip: The name and the weights, shape (cells · radix, latent size), of a linear map of the latents
            that is added to the logits.
    Returns:
        The name of the rows, (radix · cells, n); ``logits`` is made of them.
    """
    radix, cells = space.radix, space.cells

    def regrouped(weight: Floats) -> Floats:
        return weight.reshape(cells, radix, -1).transpose(1, 0, 2).reshape(radix * cells, -1)

    names = [
        graph.constant(f"{layer}.weight", regrouped(weight)),
        hidden,
        graph.constant(f"{layer}.bias", regrouped(bias)),
    ]
    rows = graph.node("Gemm", names, "logits.rows" if skip is None else "logits.hidden", transB=1)
    if skip is not None:
        # A Gemm adds its third input, so that the sum of two maps needs no node of its own.
        names = [graph.constant(f"{skip[0]}.weight", regrouped(skip[1])), "latents", rows]
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


def operation(graph: GraphBuilder, rows: str, space: Space) -> None:
    """Append the decoded operation; strict comparisons pin ties to the lowest class.

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


def _index(graph: GraphBuilder, numbers: str, space: Space) -> None:
    # Every sum of place values is at most 2^24: exact in float32, in whatever order a machine adds.
    place = graph.constant("place", np.tile(space.places.astype(np.float32), space.radix - 1))
    total = graph.node("MatMul", [place, numbers], "index.float")
    graph.node("Cast", [total], "index", to=TensorProto.INT32)


def _digits(graph: GraphBuilder, numbers: str, space: Space) -> None:
    shape = graph.constant("planes.shape", np.array([space.radix - 1, space.cells, -1], dtype=np.int64))
    planes = graph.node("Reshape", [numbers, shape], "planes")
    axes = graph.constant("axes", np.array([0], dtype=np.int64))
    total = graph.node("ReduceSum", [planes, axes], "digits.float", keepdims=0)
    graph.node("Cast", [total], "digits", to=TensorProto.INT32)
