"""
What computing a graph costs, worked out before anything is computed.

The number of parameters bounds matrix products alone. Sixty activations of a thousand numbers have hardly a
parameter, and can take longer than the largest matrices that fit in a file. So elements are counted too,
each with the weight of its operator. Weights come from measurements, not from theory: what an operator
costs is a property of ONNX Runtime's kernels.
"""

from collections.abc import Mapping
from typing import Final

from ternary_sdk._internal.graphs.graph_shapes import Value, size
from ternary_sdk._internal.graphs.onnx_graph import OnnxGraph
from ternary_sdk.errors import FormatError

MAX_ELEMENTS: Final = 65_536
"""The most weighted elements a row of one graph: 64 nodes of 1,024 elements and weight 1 just pass."""

MULTIPLICATIONS: Final = 32
"""How many multiplications of a large matrix product take as long as one element of weight 1."""

# Nanoseconds for each element, ONNX Runtime 1.32, one core, blocks of 2,048 rows of 1,024: Add 0.5, Concat 1,
# Elu 2.4, Gelu 0.9 to 1.6, Gemm 0.9 for each result of a product with one term and 0.018 for each
# multiplication of a large one, Greater 0.7, Max 0.5, Mul 0.9, PRelu 6.8, Relu 0.3, Sigmoid 0.4,
# Softplus 16 to 18, Tanh 0.4, Where 4.7. One unit is half a nanosecond; weights are rounded to powers of 2.
_WEIGHTS: Final[Mapping[str, int]] = {
    "Elu": 8,
    "Gelu": 4,
    "PRelu": 16,
    "Sigmoid": 2,
    "Softplus": 32,
    "Tanh": 2,
    "Where": 8,
}


def check(graph: OnnxGraph, known: Mapping[str, Value], what: str) -> int:
    """Count the weighted elements that a graph computes for each row.

    A node counts by the largest tensor it reads or gives, stored ones left out, and a node that gives
    several by their sum. A Gemm counts by its result; its products are counted as parameters.

    Args:
        graph: The graph.
        known: All its tensors by name.
        what: Its name in error messages.
    Returns:
        The sum over all nodes, in elements of weight 1.
    Raises:
        FormatError: If it is more than a graph may cost.
    """
    cost = 0
    for node in graph.nodes:
        given = sum(size(known[name].shape) for name in node.outputs)
        computed = [known[name] for name in node.inputs if known[name].constant is None]
        read = [size(value.shape) for value in computed if node.operator != "Gemm"]
        cost += _WEIGHTS.get(node.operator, 1) * max([given, *read])
    if cost > MAX_ELEMENTS:
        raise FormatError(f"{what}: costs {cost} weighted elements a row, expected at most {MAX_ELEMENTS}")
    return cost
