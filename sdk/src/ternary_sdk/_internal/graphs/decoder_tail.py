"""
How a decoder ends: from its logits to the operation, in a way that is known for its space.

Margins are certified of the logits and draws are taken from the index, so a graph in which the two part
could be given any margin. Here both must come from the same rows, by nodes that are known one by one;
then a digit is the argmax of its logits, and in range, whatever the weights are.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from ternary_sdk._internal.graphs.interface import has_index
from ternary_sdk._internal.graphs.onnx_graph import FLOAT, INT32, Node, OnnxGraph
from ternary_sdk.errors import FormatError
from ternary_sdk.space import TERNARY_2, Space

Step = tuple[str, tuple[str, ...], tuple[str, ...], Mapping[str, int]]
"""An operator, what it reads, what it gives, and its attributes."""


def tail(space: Space) -> tuple[Step, ...]:
    """How decoders of a space end as graphs are written now.

    ``class 0``, ``class 1``, … are the logits of each value. A digit is at least j where class j or a higher
    one beats all lower ones: one bit for each j from 1 on, and the digit is the sum of its bits.
    """
    bits = [_at_least(digit, space.radix) for digit in range(1, space.radix)]
    return (
        ("Reshape", ("rows", "shape"), ("logits",), {}),
        *_compared(space),
        *(
            ("Or", (_wins(digit), bits[digit]), (bits[digit - 1],), {})
            for digit in range(space.radix - 2, 0, -1)
        ),
        *((("Concat", tuple(bits), ("bits",), {"axis": 0}),) if len(bits) > 1 else ()),
        ("Cast", ("bits" if len(bits) > 1 else bits[0],), ("numbers",), {"to": FLOAT}),
        *(_INDEX if has_index(space) else _DIGITS),
    )


_INDEX: Final[tuple[Step, ...]] = (
    ("MatMul", ("places of bits", "numbers"), ("sum",), {}),
    ("Cast", ("sum",), ("index",), {"to": INT32}),
)
_DIGITS: Final[tuple[Step, ...]] = (
    ("Reshape", ("numbers", "shape of bits"), ("planes",), {}),
    ("ReduceSum", ("planes", "axes"), ("sum",), {"keepdims": 0}),
    ("Cast", ("sum",), ("digits",), {"to": INT32}),
)


def _compared(space: Space) -> Iterator[Step]:
    """Each class against the best of those before it; strictly, so that of equals the lowest stays."""
    classes = tuple(f"class {digit}" for digit in range(space.radix))
    yield ("Split", ("rows",), classes, {"axis": 0, "num_outputs": space.radix})
    best = classes[0]
    for digit in range(1, space.radix):
        yield ("Greater", (classes[digit], best), (_wins(digit),), {})
        if digit < space.radix - 1:
            yield ("Max", (best, classes[digit]), (f"best to {digit}",), {})
            best = f"best to {digit}"


def _wins(digit: int) -> str:
    return f"class {digit} wins"


def _at_least(digit: int, radix: int) -> str:
    return f"digit is {digit} or more" if digit < radix - 1 else _wins(digit)


_WHERE: Final[tuple[Step, ...]] = (
    ("Reshape", ("rows", "shape"), ("logits",), {}),
    *_compared(TERNARY_2),
    ("Where", (_wins(1), "places", "zero"), ("digit below two",), {}),
    ("Where", (_wins(2), "places doubled", "digit below two"), ("digit",), {}),
    ("ReduceSum", ("digit", "axes"), ("sum",), {"keepdims": 0}),
    ("Cast", ("sum",), ("index",), {"to": INT32}),
)
"""As two-input ternary ones were written before docs/adr/0014; packages of then are still read."""


def _stored(space: Space) -> Mapping[str, bytes]:
    """What each stored tensor must hold; the rules of shapes leave it only one shape."""
    places = space.places.astype("<f4")
    return {
        "shape": np.array([space.radix, space.cells, -1], "<i8").tobytes(),
        "shape of bits": np.array([space.radix - 1, space.cells, -1], "<i8").tobytes(),
        "axes": np.array([0], "<i8").tobytes(),
        "zero": np.zeros(1, "<f4").tobytes(),
        "places": places.tobytes(),
        "places doubled": (2 * places).tobytes(),
        "places of bits": np.tile(places, space.radix - 1).tobytes(),
    }


def check(graph: OnnxGraph, space: Space, what: str) -> None:
    """Check that a decoder, its types and shapes known to be right, ends in a way that is known.

    Args:
        graph: The decoder.
        space: What it decodes to.
        what: Its name in error messages.
    Raises:
        FormatError: If it does not.
    """
    known = (tail(space), _WHERE) if space == TERNARY_2 else (tail(space),)
    stored = _stored(space)
    if not any(_ends(graph, steps, stored) for steps in known):
        raise FormatError(
            f"{what}: its {graph.outputs[0].name} is not computed from its logits "
            "in one of the ways of docs/formats.md, section 4"
        )


def _ends(graph: OnnxGraph, steps: tuple[Step, ...], stored: Mapping[str, bytes]) -> bool:
    """Whether the last nodes are these, under whatever names for what they pass on."""
    names: dict[str, str] = {}
    last = graph.nodes[-len(steps) :]
    if len(last) != len(steps) or not all(
        _is(node, step, names) for node, step in zip(last, steps, strict=True)
    ):
        return False
    held = {role: name for role, name in names.items() if role in stored}
    given = graph.outputs[0].name, "logits"
    return tuple(names[role] for role in given) == given and all(
        name in graph.constants and graph.constants[name].data == stored[role] for role, name in held.items()
    )


def _is(node: Node, step: Step, names: dict[str, str]) -> bool:
    operator, reads, gives, attributes = step
    if node.operator != operator or dict(node.attributes) != dict(attributes):
        return False
    if (len(node.inputs), len(node.outputs)) != (len(reads), len(gives)):
        return False
    pairs = zip((*reads, *gives), (*node.inputs, *node.outputs), strict=True)
    return all(names.setdefault(role, name) == name for role, name in pairs)
