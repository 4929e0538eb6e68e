"""What is refused of somebody else's model: one sentence that names the place and the nearest form."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ternary_export.bringing import File, bring
from ternary_export.foreign.comparing import _Gap
from ternary_export.foreign.reading import read
from ternary_sdk.errors import FormatError, InputError, ProofError, TernaryError
from ternary_sdk.space import TERNARY_2, Space

MOMENT = datetime(2026, 2, 3, tzinfo=UTC)
PLAIN = "Gemm, Add, Mul, Concat, Elu, Gelu, Relu, Sigmoid, Softplus, Tanh"
Draw = Callable[[Any], Any]


def brought(data: bytes, encoder: bytes | None = None, space: Space = TERNARY_2, **options: Any) -> Any:
    given = None if encoder is None else File(encoder, "encoder.onnx")
    return bring(File(data, "decoder.onnx"), given, space=space, released=MOMENT, **options)


def refusal(data: bytes, *others: Any, kind: type[TernaryError] = FormatError, **options: Any) -> str:
    with pytest.raises(kind) as found:
        brought(data, *others, **options)
    return str(found.value)


@dataclass
class Case:
    draw: Draw
    """Adds to a sketch whose input is ``z`` (n, 16); gives the name of the logits."""
    sentence: str


def one(operator: str, *more: str, name: str = "", **attributes: Any) -> Draw:
    """A layer, then one node of an operator on its 27 logits."""
    return lambda sketch: sketch.node(operator, sketch.layer("z", 16, 27), *more, name=name, **attributes)


def with_stored(operator: str, *arrays: Any, **attributes: Any) -> Draw:
    def draw(sketch: Any) -> Any:
        rows = sketch.layer("z", 16, 27)
        return sketch.node(operator, rows, *(sketch.store(array) for array in arrays), **attributes)

    return draw


def branch(sketch: Any) -> Any:
    body = helper.make_graph([], "body", [], [])
    return sketch.node("If", sketch.layer("z", 16, 27), name="choice", then_branch=body, else_branch=body)


def stored_left(sketch: Any) -> Any:
    """Batch last, as our own last layer is written."""
    weight = sketch.store(np.zeros((27, 16), np.float32))
    return sketch.node("Gemm", weight, "z", transB=1)


def sampling(sketch: Any) -> Any:
    return sketch.node("Add", "z", sketch.node("RandomNormalLike", "z", name="eps"))


def divided(sketch: Any) -> Any:
    return sketch.node("Div", sketch.layer("z", 16, 27), sketch.layer("z", 16, 27))


def pairs(sketch: Any) -> Any:
    return sketch.node("Add", sketch.layer("z", 16, 27), sketch.layer("z", 16, 9))


def training(sketch: Any) -> Any:
    ones = [sketch.store(np.ones(27, np.float32)) for _ in range(4)]
    rows = sketch.layer("z", 16, 27)
    return sketch.node("BatchNormalization", rows, *ones, outputs=3, training_mode=1)[0]


def computed_weights(sketch: Any) -> Any:
    return sketch.node("MatMul", "z", sketch.layer("z", 16, 27))


def large_weights(sketch: Any) -> Any:
    rows = sketch.layer("z", 16, 27)
    twice = sketch.node("Mul", rows, sketch.store(np.float32(3e38)))
    return sketch.node("Mul", twice, sketch.store(np.float32(3e38)))


CASES: dict[str, Case] = {
    "an operator without a rule": Case(
        one("Sin", name="wave"),
        f"node 1 (Sin, 'wave'): the operator is not allowed; nearest: {PLAIN}",
    ),
    "probabilities": Case(
        one("Softmax", axis=1),
        "node 1 (Softmax): the operator is not allowed; nearest: the logits that enter it, without it",
    ),
    "control flow": Case(
        branch,
        "node 1 (If, 'choice'): the operator is not allowed; "
        "nearest: the branch that is taken, exported without control flow",
    ),
    "a recurrent layer": Case(
        lambda sketch: sketch.node("LSTM", "z", "z", "z", hidden_size=4, name="lstm_1"),
        f"node 0 (LSTM, 'lstm_1'): the operator is not allowed; nearest: {PLAIN}",
    ),
    "drawing": Case(
        sampling,
        "node 0 (RandomNormalLike, 'eps'): the operator is not allowed; "
        "nearest: mean and log-variance as the outputs, without drawing from them",
    ),
    "layer normalisation": Case(
        with_stored("LayerNormalization", np.ones(27, np.float32)),
        "node 1 (LayerNormalization): the operator is not allowed; "
        "nearest: BatchNormalization, which is folded",
    ),
    "an operator of another domain": Case(
        one("FusedGemm", domain="com.microsoft"),
        f"node 1 (com.microsoft.FusedGemm): the operator is not allowed; nearest: {PLAIN}",
    ),
    "an operator whose name is no name": Case(
        one("Re\u202elu"),
        f"node 1 ('Re\\u202elu'): the operator is not allowed; nearest: {PLAIN}",
    ),
    "the batch last": Case(
        stored_left,
        "node 0 (Gemm): its input 0 is stored; nearest: a tensor that is computed for each row",
    ),
    "transposed rows": Case(
        lambda sketch: sketch.node("Gemm", "z", sketch.store(np.zeros((16, 27), np.float32)), transA=1),
        "node 0 (Gemm): it transposes its rows; nearest: transA=0",
    ),
    "weights that are computed": Case(
        computed_weights,
        "node 1 (MatMul): its input 1 is not stored numbers; nearest: weights inside the file",
    ),
    "a matrix of another size": Case(
        lambda sketch: sketch.node("MatMul", "z", sketch.store(np.zeros((17, 27), np.float32))),
        "node 0 (MatMul): it multiplies (n, 16) with (17, 27); nearest: a stored matrix with 16 inputs",
    ),
    "a bias of another size": Case(
        lambda sketch: sketch.node(
            "Gemm", "z", sketch.store(np.zeros((16, 27), np.float32)), sketch.store(np.zeros(26, np.float32))
        ),
        "node 0 (Gemm): its bias has shape (26,); nearest: (27,)",
    ),
    "a slope for each feature": Case(
        with_stored("PRelu", np.ones(27, np.float32)),
        "node 1 (PRelu): it has 27 slopes; nearest: one slope for all features",
    ),
    "another alpha": Case(one("Elu", alpha=0.5), "node 1 (Elu): its alpha is 0.5; nearest: alpha=1"),
    "an approximation": Case(
        one("Gelu", approximate="tanh"),
        "node 1 (Gelu): it is approximated by tanh; nearest: Gelu without an approximation",
    ),
    "a quotient": Case(divided, "node 2 (Div): it divides by what is computed; nearest: Mul"),
    "unequal pairs": Case(
        pairs, "node 2 (Add): it pairs (n, 27) with (n, 9); nearest: two tensors of one shape"
    ),
    "stored numbers of another shape": Case(
        with_stored("Add", np.ones(5, np.float32)),
        "node 1 (Add): it pairs (n, 27) with stored (5,); nearest: one number, or (n, 27) without n",
    ),
    "training mode": Case(
        training,
        "node 1 (BatchNormalization): it is in training mode; "
        "nearest: the model in evaluation mode: model.eval()",
    ),
    "a join along the batch": Case(
        lambda sketch: sketch.node("Concat", "z", "z", axis=0),
        "node 0 (Concat): its axis is 0 of (n, 16) and (n, 16); nearest: axis 1 of (n, features)",
    ),
    "a batch that is moved": Case(
        lambda sketch: sketch.node("Transpose", sketch.layer("z", 16, 27), perm=[1, 0]),
        "node 1 (Transpose): it moves the batch of (n, 27) by (1, 0); nearest: the batch first",
    ),
    "a shape that mixes rows": Case(
        with_stored("Reshape", np.array([-1, 9])),
        "node 1 (Reshape): it reshapes (n, 27) to (-1, 9); "
        "nearest: the batch first, -1, and as many numbers a row as before",
    ),
    "a shape of two rows": Case(
        with_stored("Reshape", np.array([2, 9, 3])),
        "node 1 (Reshape): it reshapes (n, 27) to (2, 9, 3); "
        "nearest: the batch first, -1, and as many numbers a row as before",
    ),
    "a cast to integers": Case(
        one("Cast", to=TensorProto.INT64),
        "node 1 (Cast): it casts to element type 7; nearest: float32 throughout",
    ),
    "weights that overflow": Case(
        large_weights, "output 't2': its weights are not finite in single precision"
    ),
    "rows that are very wide": Case(
        lambda sketch: sketch.layer("z", 16, 1025),
        "node 0 (Gemm): gives 1,025 numbers a row, expected at most 1,024",
    ),
    "an output that is stored": Case(
        lambda sketch: (sketch.layer("z", 16, 27), sketch.store(np.ones(3, np.float32), "w"))[1],
        "output 'w' is not computed for each row",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_decoder_outside_the_subset_is_refused_by_its_node(sketch: Callable[..., Any], name: str) -> None:
    case, drawn = CASES[name], sketch()
    drawn.output(case.draw(drawn))
    assert refusal(drawn.data) == f"decoder.onnx: {case.sentence}"


def second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, ["n", 4]))


def second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("t0", TensorProto.FLOAT, ["a", "b"]))


def axis(model: onnx.ModelProto, place: int, **length: Any) -> None:
    dimension = model.graph.input[0].type.tensor_type.shape.dim[place]
    dimension.Clear()
    for key, value in length.items():
        setattr(dimension, key, value)


def external(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def external_constant(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32))
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["secret"], value=tensor, name="c"))


def store(model: onnx.ModelProto, place: int, value: Any) -> None:
    tensor = model.graph.initializer[place]
    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def short(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"1234"


def not_finite(model: onnx.ModelProto) -> None:
    store(model, 1, np.full(24, np.nan, np.float32))


def strange_wire(model: onnx.ModelProto) -> None:
    model.graph.node[1].input[0] = "nothing"


TRICKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "two inputs": (second_input, "has 2 inputs ('z', 'c'), expected one"),
    "two outputs": (second_output, "has 2 outputs ('t2', 't0'), expected one: the logits"),
    "a width that is not stated": (
        lambda model: axis(model, 1, dim_param="width"),
        "input 'z' has shape (batch, width); nearest: every length but the batch as a number",
    ),
    "no shape": (
        lambda model: model.graph.input[0].type.tensor_type.ClearField("shape"),
        "input 'z' has shape (); nearest: every length but the batch as a number",
    ),
    "a vast batch": (
        lambda model: axis(model, 0, dim_value=1 << 40),
        "input 'z' takes 1,099,511,627,776 rows at once; nearest: any number, or 4,096",
    ),
    "strings": (
        lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING),
        "input 'z' has no element type that is read; nearest: float32",
    ),
    "weights in another file": (
        external,
        "'stored0': is stored in another file; nearest: all weights inside, which torch.onnx.export "
        "writes with external_data=False",
    ),
    "a constant in another file": (
        external_constant,
        "node 0 (Constant, 'c'): is stored in another file; nearest: all weights inside, which "
        "torch.onnx.export writes with external_data=False",
    ),
    "half precision": (
        lambda model: store(model, 0, np.zeros((24, 16), np.float16)),
        "'stored0': has element type FLOAT16; nearest: float32",
    ),
    "damaged weights": (
        short,
        "'stored0': its data is damaged (cannot reshape array of size 1 into shape (24,16))",
    ),
    "weights that are not finite": (not_finite, "'stored1': holds a value that is not finite"),
    "an empty tensor": (
        lambda model: store(model, 0, np.zeros((0, 16), np.float32)),
        "'stored0': has shape (0, 16), expected at least one number",
    ),
    "an old operator set": (
        lambda model: setattr(model.opset_import[0], "version", 8),
        "has operator set 8, expected 9 to NEWEST; nearest: 20",
    ),
    "functions": (
        lambda model: model.functions.add(name="f", domain="x"),
        "has functions of its own; nearest: the same with its functions inlined",
    ),
    "no nodes": (lambda model: model.graph.ClearField("node"), "not an ONNX model, or one without nodes"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_decoder_with_one_trick_is_refused(plain: Callable[..., Any], trick: str) -> None:
    change, sentence = TRICKS[trick]
    model = plain().model()
    change(model)
    newest = str(onnx.defs.onnx_opset_version())
    assert refusal(model.SerializeToString()) == f"decoder.onnx: {sentence.replace('NEWEST', newest)}"


def test_a_node_that_reads_what_nothing_computes_is_refused(plain: Callable[..., Any]) -> None:
    model = plain().model()
    strange_wire(model)
    assert refusal(model.SerializeToString()).startswith(
        "decoder.onnx: not a valid ONNX model (Nodes in a graph"
    )


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 100, b"PK\x03\x04" + b"x" * 500, b"\xff" * 64, "Ω".encode()], ids=len
)
def test_bytes_that_are_no_onnx_are_refused(data: bytes) -> None:
    assert refusal(data).startswith("decoder.onnx: not an ONNX model")


@pytest.mark.parametrize(("latents", "nearest"), [(4, 8), (12, 8), (13, 16), (20, 16), (72, 64), (1000, 64)])
def test_latents_of_another_size_are_refused(plain: Callable[..., Any], latents: int, nearest: int) -> None:
    assert refusal(plain(latents).data) == (
        f"decoder.onnx: input 'z' has {latents} latents, expected a multiple of 8 from 8 to 64; "
        f"nearest: {nearest}"
    )


@pytest.mark.parametrize("logits", [9, 26, 28, 54])
def test_logits_of_another_width_are_refused(plain: Callable[..., Any], logits: int) -> None:
    assert refusal(plain(logits=logits).data) == (
        f"decoder.onnx: output 't2' has shape (n, {logits}), expected the logits of space 3,2, "
        "9 cells of 3 values: (n, 27) or (n, 9, 3) or (n, 3, 9)"
    )


def test_class_first_contradicts_logits_whose_shape_is_cell_by_cell(plain: Callable[..., Any]) -> None:
    drawn = plain()
    drawn.outputs.clear()
    drawn.output(drawn.node("Reshape", "t2", drawn.store(np.array([-1, 9, 3]))))
    assert refusal(drawn.data, class_first=True) == (
        "decoder.onnx: output 't3' has shape (n, 9, 3), in which the cells are first, not the values"
    )


def test_a_moment_without_a_time_zone_is_refused(plain: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as found:
        bring(File(plain().data, "d"), space=TERNARY_2, released=datetime(2026, 2, 3))
    assert str(found.value) == "released: 2026-02-03 00:00:00 has no time zone, expected UTC"


def test_a_model_whose_every_margin_is_zero_is_refused(plain: Callable[..., Any]) -> None:
    model = plain().model()
    for place, shape in enumerate(((24, 16), (24,), (27, 24), (27,))):
        store(model, place, np.zeros(shape, np.float32))
    assert refusal(model.SerializeToString(), kind=ProofError) == (
        "decoder.onnx: reaches no operation: for no latent does the best logit of every cell lead by 0.001"
    )


def test_a_model_that_single_precision_cannot_hold_is_refused(plain: Callable[..., Any]) -> None:
    """Logits of some thousands: another machine's last bits move margins by more than verifiers allow."""
    model = plain().model()
    weight = numpy_helper.to_array(model.graph.initializer[2])
    store(model, 2, 2000 * weight)
    found = refusal(model.SerializeToString(), kind=ProofError)
    assert found.startswith("decoder.onnx: its margins in single precision are ")
    assert found.endswith(
        " off exact ones, at most 0.00024: other machines would find other margins; nearest: smaller weights"
    )


def test_a_model_of_too_many_steps_is_refused_as_clients_would(sketch: Callable[..., Any]) -> None:
    drawn = sketch()
    rows = "z"
    for _ in range(60):
        rows = drawn.node("Relu", rows)
    drawn.output(drawn.layer(rows, 16, 27))
    assert refusal(drawn.data) == "decoder.onnx as it would be shipped: 71 nodes, expected at most 64"


def encoder_of(sketch: Callable[..., Any], tail: tuple[int, ...], *outputs: int) -> Any:
    drawn = sketch(tail)
    hidden = drawn.node("Relu", drawn.layer("z", tail[0], 8))
    return drawn.output(*[drawn.layer(hidden, 8, out) for out in outputs])


EXPECTED = (
    "; the decoder takes 16 latents, so expected mean and log-variance, (n, 16) each, or both in one, "
    "(n, 32), or the mean alone"
)


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        ((8, 8), "gives 't2' (n, 8), 't3' (n, 8)"),
        ((24,), "gives 't2' (n, 24)"),
        ((16, 32), "gives 't2' (n, 16), 't3' (n, 32)"),
        ((16, 16, 16), "gives 't2' (n, 16), 't3' (n, 16), 't4' (n, 16)"),
    ],
)
def test_an_encoder_of_other_latents_is_refused(
    plain: Callable[..., Any], sketch: Callable[..., Any], outputs: tuple[int, ...], found: str
) -> None:
    encoder = encoder_of(sketch, (9,), *outputs)
    assert refusal(plain().data, encoder.data) == f"encoder.onnx: {found}{EXPECTED}"


def test_an_encoder_of_other_tables_is_refused(plain: Callable[..., Any], sketch: Callable[..., Any]) -> None:
    encoder = encoder_of(sketch, (8,), 16, 16)
    assert refusal(plain().data, encoder.data) == (
        "encoder.onnx: input 'z' has shape (n, 8), expected the values of the 9 cells of space 3,2, (n, 9), "
        "or a one-hot code of each, (n, 27)"
    )


def test_an_encoder_that_gives_its_variance_first_is_refused(
    plain: Callable[..., Any], sketch: Callable[..., Any]
) -> None:
    drawn = sketch((9,))
    rows = drawn.layer("z", 9, 8)
    names = [drawn.layer(rows, 8, 16) for _ in range(2)]
    drawn.nodes.extend(
        helper.make_node("Identity", [a], [b]) for a, b in zip(names, ("LogVar", "mu"), strict=True)
    )
    assert refusal(plain().data, drawn.output("LogVar", "mu").data) == (
        "encoder.onnx: its first output is 'logvar', expected the mean first"
    )


def test_any_damaged_byte_ends_in_a_model_or_a_refusal(plain: Callable[..., Any]) -> None:
    """Each byte before the weights, and some in them, set to other values: never another exception."""
    data, random = plain().data, np.random.default_rng(1)
    for _ in range(600):
        changed = bytearray(data)
        for place in random.integers(len(data), size=int(random.integers(1, 4))):
            changed[place] = int(random.integers(256))
        try:
            read(bytes(changed), "decoder.onnx")
        except FormatError as refused:
            assert str(refused).startswith("decoder.onnx: ")  # noqa: PT017 (either ending is right)


def test_numbers_beyond_all_measure_allow_no_larger_difference() -> None:
    gap = _Gap()
    gap.widen(np.float32([[1e30]]), np.array([[1.1e30]]))
    assert gap.found > 1e28
    assert gap.allowed == 0.01


def test_lengths_that_double_and_double_are_refused(sketch: Callable[..., Any]) -> None:
    drawn = sketch()
    lengths = drawn.store(np.ones(9, np.int64))
    for _ in range(60):
        lengths = drawn.node("Concat", lengths, lengths, axis=0)
    drawn.output(drawn.node("Reshape", drawn.layer("z", 16, 27), lengths))
    assert refusal(drawn.data) == (
        "decoder.onnx: node 8 (Concat): it joins 4,608 whole numbers; nearest: lengths as numbers in the file"
    )


def test_layers_without_end_are_refused_before_they_fill_the_memory(sketch: Callable[..., Any]) -> None:
    drawn = sketch()
    rows, scale = drawn.layer("z", 16, 1024), drawn.store(np.full(1024, 1.01, np.float32))
    for _ in range(300):
        rows = drawn.node("Tanh", drawn.node("Mul", rows, scale))
    assert refusal(drawn.output(rows).data) == (
        "decoder.onnx: node 128 (Tanh): is beyond the 128 layers, activations and sums that are read"
    )


def test_a_model_of_very_many_nodes_is_refused(sketch: Callable[..., Any]) -> None:
    drawn, rows = sketch(), "z"
    for _ in range(4097):
        rows = drawn.node("Identity", rows)
    assert refusal(drawn.output(rows).data) == "decoder.onnx: has 4,097 nodes, expected at most 4,096"
