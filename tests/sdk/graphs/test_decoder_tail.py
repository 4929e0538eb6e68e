"""Decoders whose index and logits part: each would let a margin be certified that the draws do not have."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import helper, numpy_helper
from tests.sdk.graphs.test_where_tail import PLACE, with_where

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import DECODER
from ternary_sdk.errors import FormatError

State = dict[str, npt.NDArray[np.float32]]
Model = onnx.ModelProto
REFUSAL = (
    "decoder_A.onnx: its index is not computed from its logits "
    "in one of the ways of docs/formats.md, section 4"
)


def node(model: Model, output: str) -> onnx.NodeProto:
    found: onnx.NodeProto = next(node for node in model.graph.node if output in node.output)
    return found


def store(model: Model, name: str, value: npt.NDArray[np.generic]) -> None:
    kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, numpy_helper.from_array(value, name)])


def stored(model: Model, name: str) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = next(
        numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name == name
    )
    return found


def insert(model: Model, before: str, *nodes: onnx.NodeProto) -> None:
    place = list(model.graph.node).index(node(model, before))
    for new in reversed(nodes):
        model.graph.node.insert(place, new)


def logits_of_other_rows(model: Model) -> None:
    """Logits that are constant and clear, whatever the index is: the largest margin one likes."""
    store(model, "calm.weight", np.zeros((27, 64), np.float32))
    store(model, "calm.bias", np.repeat(np.float32([0, 7, 0]), 9)[:, np.newaxis])
    hidden = node(model, "logits.rows").input[1]
    insert(
        model, "logits", helper.make_node("Gemm", ["calm.weight", hidden, "calm.bias"], ["calm"], transB=1)
    )
    node(model, "logits").input[0] = "calm"


def doubled_logits(model: Model) -> None:
    insert(model, "logits", helper.make_node("Add", ["logits.rows", "logits.rows"], ["twice"]))
    node(model, "logits").input[0] = "twice"


def index_of_other_rows(model: Model) -> None:
    insert(model, "class.0", helper.make_node("Relu", ["logits.rows"], ["clipped"]))
    node(model, "class.0").input[0] = "clipped"


def swapped(output: str) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        first, second = node(model, output).input
        node(model, output).input[:] = [second, first]

    return change


def classes_in_another_order(model: Model) -> None:
    node(model, "class.0").output[:] = ["class.2", "class.1", "class.0"]


def places(change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]) -> Callable[[Model], None]:
    return lambda model: store(model, "place", change(stored(model, "place")))


def the_greater_alone(model: Model) -> None:
    node(model, "digit.is.positive").input[1] = "middle.wins"


def an_index_altered_at_the_end(model: Model) -> None:
    insert(model, "index", helper.make_node("Relu", ["index.float"], ["altered"]))
    node(model, "index").input[0] = "altered"


def another_cast(model: Model) -> None:
    """The result of the tail is thrown into a sum, and the index is cast from elsewhere."""
    insert(model, "index", helper.make_node("MatMul", ["place", "bits.float"], ["again"]))
    insert(model, "index", helper.make_node("Max", ["again", "index.float"], ["greater"]))
    node(model, "index").input[0] = "greater"


PARTED: dict[str, Callable[[Model], None]] = {
    "logits of other rows": logits_of_other_rows,
    "logits doubled": doubled_logits,
    "an index of other rows": index_of_other_rows,
    "the middle class wins ties": swapped("middle.wins"),
    "the highest class wins where it loses": swapped("digit.is.two"),
    "digits with their bits swapped": swapped("bits"),
    "classes in another order": classes_in_another_order,
    "places out of range": places(lambda values: 1000 * values),
    "places below zero": places(lambda values: -values),
    "places of another numbering": places(lambda values: values[::-1].copy()),
    "a bit forgotten": the_greater_alone,
    "an index altered at the end": an_index_altered_at_the_end,
    "a second sum": another_cast,
}


def inspect(model: Model) -> None:
    data = model.SerializeToString(deterministic=True)
    firewall.inspect(data, what="decoder_A.onnx", interface=DECODER, parameters=None)


@pytest.fixture
def good(untrained: Callable[[int], State]) -> Model:
    return onnx.load_from_string(decoder_graph(untrained(1), "A"))


@pytest.mark.parametrize("trick", PARTED)
def test_an_index_that_is_not_of_the_logits_is_refused(good: Model, trick: str) -> None:
    PARTED[trick](good)
    onnx.checker.check_model(good, full_check=True)
    with pytest.raises(FormatError) as refusal:
        inspect(good)
    assert str(refusal.value) == REFUSAL


def other_rows_in_the_second_comparison(model: Model) -> None:
    insert(model, "high.wins", helper.make_node("Relu", ["class.2"], ["clipped"]))
    node(model, "high.wins").input[0] = "clipped"


def other(name: str, value: npt.NDArray[np.generic]) -> Callable[[Model], None]:
    return lambda model: store(model, name, value)


def swapped_choices(output: str) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        condition, yes, no = node(model, output).input
        node(model, output).input[:] = [condition, no, yes]

    return change


def conditions_exchanged(model: Model) -> None:
    node(model, "digit.low").input[0] = "high.wins"
    node(model, "digit").input[0] = "middle.wins"


PARTED_BEFORE: dict[str, Callable[[Model], None]] = {
    "logits of other rows": logits_of_other_rows,
    "logits doubled": doubled_logits,
    "an index of other rows": index_of_other_rows,
    "the middle class wins ties": swapped("middle.wins"),
    "the highest class wins where it loses": swapped("high.wins"),
    "classes in another order": classes_in_another_order,
    "other rows in the second comparison": other_rows_in_the_second_comparison,
    "a zero that is one": other("zero", np.ones(1, np.float32)),
    "places out of range": other("place", 1000 * PLACE),
    "places doubled again": other("place.twice", 4 * PLACE),
    "the lower choice swapped": swapped_choices("digit.low"),
    "the upper choice swapped": swapped_choices("digit"),
    "conditions exchanged": conditions_exchanged,
    "an index altered at the end": an_index_altered_at_the_end,
}


@pytest.mark.parametrize("trick", PARTED_BEFORE)
def test_the_tail_of_before_is_as_strict(good: Model, trick: str) -> None:
    model = with_where(good.SerializeToString(deterministic=True))
    inspect(model)
    PARTED_BEFORE[trick](model)
    onnx.checker.check_model(model, full_check=True)
    with pytest.raises(FormatError) as refusal:
        inspect(model)
    assert str(refusal.value) == REFUSAL


@pytest.mark.parametrize("output", ["class.0", "bits"])
def test_an_attribute_left_to_its_default_is_refused(good: Model, output: str) -> None:
    del node(good, output).attribute[:]
    with pytest.raises(FormatError):
        inspect(good)


def test_names_mean_nothing(good: Model) -> None:
    for step in good.graph.node:
        for names in (step.input, step.output):
            names[:] = [
                name if name in ("latents", "index", "logits") or "decoder" in name else f"{name}'"
                for name in names
            ]
    for tensor in good.graph.initializer:
        tensor.name += "" if "decoder" in tensor.name else "'"
    inspect(good)


def test_a_parameter_used_twice_is_refused(good: Model) -> None:
    """Forty products by one stored matrix cost forty times what the file's size says."""
    store(good, "square", np.eye(32, dtype=np.float32))
    store(good, "offset", np.zeros(32, np.float32))
    source = node(good, "hidden.2").input[0]
    for number in range(40):
        insert(good, "hidden.2", helper.make_node("Gemm", [source, "square", "offset"], [f"h{number}"]))
        source = f"h{number}"
    node(good, "hidden.2").input[0] = source
    with pytest.raises(FormatError) as refusal:
        inspect(good)
    assert str(refusal.value) == "decoder_A.onnx: parameter 'square' is used 40 times, expected once"
