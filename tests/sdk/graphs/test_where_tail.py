"""Decoders that end in Where and ReduceSum, as in packages that exist: still read, the same function."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import DECODER
from ternary_sdk._internal.inference.runtime import Decoder, Workers
from ternary_sdk.errors import FormatError

State = dict[str, npt.NDArray[np.float32]]
Model = onnx.ModelProto
NAME = "decoder_A.onnx"
PLACE = 3.0 ** np.arange(9, dtype=np.float32)[:, None]
CONSTANTS: dict[str, npt.NDArray[np.generic]] = {
    "zero": np.zeros(1, np.float32),
    "place": PLACE,
    "place.twice": 2 * PLACE,
    "axes": np.array([0], np.int64),
}
TAIL = [
    helper.make_node("Greater", ["class.1", "class.0"], ["middle.wins"]),
    helper.make_node("Max", ["class.0", "class.1"], ["best.of.two"]),
    helper.make_node("Greater", ["class.2", "best.of.two"], ["high.wins"]),
    helper.make_node("Where", ["middle.wins", "place", "zero"], ["digit.low"]),
    helper.make_node("Where", ["high.wins", "place.twice", "digit.low"], ["digit"]),
    helper.make_node("ReduceSum", ["digit", "axes"], ["index.float"], keepdims=0),
    helper.make_node("Cast", ["index.float"], ["index"], to=TensorProto.INT32),
]
"""From three rows of classes to the index; in decoder A these are nodes 7 to 13."""


def with_where(decoder: bytes) -> Model:
    """A decoder of today with the tail of before."""
    model = onnx.load_from_string(decoder)
    operators = [node.op_type for node in model.graph.node]
    del model.graph.node[operators.index("Split") + 1 :]
    model.graph.node.extend(TAIL)
    for name, value in CONSTANTS.items():
        store(model, name, value)
    return model


def store(model: Model, name: str, value: npt.NDArray[np.generic]) -> None:
    kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, numpy_helper.from_array(value, name)])


def written(model: Model) -> bytes:
    return model.SerializeToString(deterministic=True)


def tied(state: State, last: str) -> State:
    """The snapshot with classes 0 and 1, 1 and 2, 0 and 2, or all three equal in one trit after the other."""
    state = {name: value.copy() for name, value in state.items()}
    for part in ("weight", "bias"):
        rows = state[f"{last}.{part}"].reshape(9, 3, -1)
        for trit, (to, source) in enumerate([(1, 0), (2, 1), (2, 0), (1, 0), (2, 1), (2, 0)]):
            rows[trit, to] = rows[trit, source]
        rows[6] = rows[6, :1]
    return state


def both(decoder: bytes, values: npt.NDArray[np.float32]) -> list[npt.NDArray[np.int32]]:
    """The indices of a decoder of today and of the same decoder with the tail of before."""
    with Workers(1) as workers:
        return [
            Decoder(data, NAME, workers).index(values) for data in (decoder, written(with_where(decoder)))
        ]


@pytest.mark.parametrize(("path", "parameters"), [("A", 4_411), ("B", 71_707)])
def test_a_decoder_that_ends_in_where_passes(
    untrained: Callable[[int], State], path: str, parameters: int
) -> None:
    data = written(with_where(decoder_graph(untrained(1), path)))
    firewall.inspect(data, what=NAME, interface=DECODER, parameters=parameters)


@pytest.mark.parametrize(("path", "last"), [("A", "decoder_A.decoder.4"), ("B", "decoder_B.fc_out")])
@pytest.mark.parametrize("ties", [False, True])
def test_both_tails_give_the_same_indices(
    untrained: Callable[[int], State], path: str, last: str, ties: bool
) -> None:
    state = tied(untrained(3), last) if ties else untrained(3)
    decoder = decoder_graph(state, path)
    values = np.random.default_rng(4).normal(size=(20_000, 16)).astype(np.float32)
    now, before = both(decoder, values)
    assert np.array_equal(now, before)
    assert len(np.unique(now)) > 100
    with Workers(1) as workers:
        low, middle, high = Decoder(decoder, NAME, workers).logits(values[:100]).transpose(2, 1, 0)
    equal = [(first == second).all(axis=1).tolist() for first, second in ((low, middle), (middle, high))]
    assert equal == (TIES if ties else [[False] * 9] * 2)


TIES = [
    [True, False, False, True, False, False, True, False, False],
    [False, True, False, False, True, False, True, False, False],
]
"""In which trits classes 0 and 1, and 1 and 2, are equal in every row of ``tied``."""


def test_both_tails_give_the_same_indices_where_logits_are_no_numbers(
    untrained: Callable[[int], State],
) -> None:
    state, random = untrained(3), np.random.default_rng(4)
    state["decoder_A.decoder.2.weight"] *= np.float32(5e37)
    now, before = both(decoder_graph(state, "A"), random.normal(size=(5_000, 16)).astype(np.float32))
    assert np.array_equal(now, before)
    assert len(np.unique(now)) > 10


def set_inputs(node: int, *names: str) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        del model.graph.node[node].input[:]
        model.graph.node[node].input.extend(names)

    return change


def constant(name: str, value: npt.NDArray[np.generic]) -> Callable[[Model], None]:
    return lambda model: store(model, name, value)


def keep_the_axis(model: Model) -> None:
    model.graph.node[12].attribute[0].i = 1


def say_nothing_of_the_axis(model: Model) -> None:
    del model.graph.node[12].attribute[:]


def batch_first(model: Model) -> None:
    model.graph.node.append(helper.make_node("ReduceSum", ["hidden.0", "axes"], ["sum"], keepdims=0))


def attach_attribute(node: int, name: str) -> Callable[[Model], None]:
    return lambda model: model.graph.node[node].attribute.append(helper.make_attribute(name, 1))


AXES = "needs a list of integers stored in the graph"
SUM = "node 12 (ReduceSum): expected the sum over the first axis, which is dropped"

TRICKS: dict[str, tuple[Callable[[Model], None], str]] = {
    "a choice by numbers": (
        set_inputs(10, "class.1", "place", "zero"),
        "node 10 (Where): its condition is float32, expected bool",
    ),
    "a choice of bits": (
        set_inputs(10, "middle.wins", "middle.wins", "zero"),
        "node 10 (Where): takes bool, expected float32",
    ),
    "a choice of too many axes": (
        constant("zero", np.zeros((1, 1, 1, 1), np.float32)),
        "node 10 (Where): (1, 1, 1, 1) does not stretch to (9, n)",
    ),
    "a choice of other rows": (
        constant("place", np.ones((8, 1), np.float32)),
        "node 10 (Where): (8, 1) does not stretch to (9, n)",
    ),
    "a choice that grows the batch": (
        set_inputs(11, "high.wins", "place.twice", "hidden.0"),
        "node 11 (Where): (n, 32) does not stretch to (9, n)",
    ),
    "a choice with an attribute": (
        attach_attribute(10, "axis"),
        "node 10 (Where): attribute 'axis' is not allowed",
    ),
    "a sum over the batch": (constant("axes", np.array([1], np.int64)), SUM),
    "a sum over two axes": (constant("axes", np.array([0, 1], np.int64)), SUM),
    "a sum that keeps its axis": (keep_the_axis, SUM),
    "a sum that does not say so": (say_nothing_of_the_axis, SUM),
    "a sum of a vector": (set_inputs(12, "vector", "axes"), SUM),
    "a sum over a batch that comes first": (batch_first, "node 14 (ReduceSum): sums over the batch"),
    "a sum of bits": (
        set_inputs(12, "high.wins", "axes"),
        "node 12 (ReduceSum): takes bool, expected float32",
    ),
    "a sum over computed axes": (set_inputs(12, "digit", "best.of.two"), f"node 12 (ReduceSum): {AXES}"),
    "a sum over axes that are no integers": (
        set_inputs(12, "digit", "zero"),
        f"node 12 (ReduceSum): {AXES}",
    ),
    "a sum over no axis": (set_inputs(12, "digit"), "node 12 (ReduceSum): 1 inputs, expected 2"),
    "a sum with an attribute": (
        attach_attribute(12, "noop_with_empty_axes"),
        "node 12 (ReduceSum): attribute 'noop_with_empty_axes' is not allowed",
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_decoder_that_ends_in_where_with_one_trick_is_refused(
    untrained: Callable[[int], State], trick: str
) -> None:
    change, sentence = TRICKS[trick]
    model = with_where(decoder_graph(untrained(1), "A"))
    store(model, "vector", np.zeros(9, np.float32))
    change(model)
    with pytest.raises(FormatError) as found:
        firewall.inspect(written(model), what=NAME, interface=DECODER, parameters=4411)
    assert str(found.value) == f"{NAME}: {sentence}"
