"""
How a decoder ends: from its logits to the index of the operation, in one of two ways.

Margins are certified of the logits and draws are taken from the index, so a graph in which the two part
could be given any margin. Here both must come from the same rows, by nodes that are known one by one;
then an index is the argmax of its logits, and in range, whatever the weights are.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ternary_sdk._internal.graphs.onnx_graph import FLOAT, INT32, Node, OnnxGraph
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import TRITS

Step = tuple[str, tuple[str, ...], tuple[str, ...], Mapping[str, int]]
"""An operator, what it reads, what it gives, and its attributes."""

_PLACES: Final = 3.0 ** np.arange(TRITS, dtype="<f4")

_COMPARED: Final[tuple[Step, ...]] = (
    ("Reshape", ("rows", "shape"), ("logits",), {}),
    ("Split", ("rows",), ("low", "middle", "high"), {"axis": 0, "num_outputs": 3}),
    ("Greater", ("middle", "low"), ("middle wins",), {}),
    ("Max", ("low", "middle"), ("best of two",), {}),
    ("Greater", ("high", "best of two"), ("high wins",), {}),
)

BITS: Final[tuple[Step, ...]] = (
    *_COMPARED,
    ("Or", ("middle wins", "high wins"), ("positive",), {}),
    ("Concat", ("positive", "high wins"), ("bits",), {"axis": 0}),
    ("Cast", ("bits",), ("numbers",), {"to": FLOAT}),
    ("MatMul", ("places twice over", "numbers"), ("sum",), {}),
    ("Cast", ("sum",), ("index",), {"to": INT32}),
)
"""As graphs are written now."""

WHERE: Final[tuple[Step, ...]] = (
    *_COMPARED,
    ("Where", ("middle wins", "places", "zero"), ("digit below two",), {}),
    ("Where", ("high wins", "places doubled", "digit below two"), ("digit",), {}),
    ("ReduceSum", ("digit", "axes"), ("sum",), {"keepdims": 0}),
    ("Cast", ("sum",), ("index",), {"to": INT32}),
)
"""As they were written before; packages of then are still read."""

_STORED: Final[Mapping[str, bytes]] = {
    "shape": np.array([3, TRITS, -1], "<i8").tobytes(),
    "axes": np.array([0], "<i8").tobytes(),
    "zero": np.zeros(1, "<f4").tobytes(),
    "places": _PLACES.tobytes(),
    "places doubled": (2 * _PLACES).tobytes(),
    "places twice over": np.tile(_PLACES, 2).tobytes(),
}
"""What each stored tensor must hold; the rules of shapes leave it only one shape."""


def check(graph: OnnxGraph, what: str) -> None:
    """Check that a decoder, its types and shapes known to be right, ends in one of the two ways.

    Args:
        graph: The decoder.
        what: Its name in error messages.
    Raises:
        FormatError: If it does not.
    """
    if not any(_ends(graph, tail) for tail in (BITS, WHERE)):
        raise FormatError(
            f"{what}: its index is not computed from its logits "
            "in one of the ways of docs/formats.md, section 4"
        )


def _ends(graph: OnnxGraph, tail: tuple[Step, ...]) -> bool:
    """Whether the last nodes are these, under whatever names for what they pass on."""
    names: dict[str, str] = {}
    last = graph.nodes[-len(tail) :]
    if len(last) != len(tail) or not all(
        _is(node, step, names) for node, step in zip(last, tail, strict=True)
    ):
        return False
    stored = {role: name for role, name in names.items() if role in _STORED}
    return (names["logits"], names["index"]) == ("logits", "index") and all(
        name in graph.constants and graph.constants[name].data == _STORED[role]
        for role, name in stored.items()
    )


def _is(node: Node, step: Step, names: dict[str, str]) -> bool:
    operator, reads, gives, attributes = step
    if node.operator != operator or dict(node.attributes) != dict(attributes):
        return False
    if (len(node.inputs), len(node.outputs)) != (len(reads), len(gives)):
        return False
    pairs = zip((*reads, *gives), (*node.inputs, *node.outputs), strict=True)
    return all(names.setdefault(role, name) == name for role, name in pairs)
