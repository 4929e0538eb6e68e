"""Somebody else's model becomes a build, a package and draws, and computes what it computed before."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.export.test_spaces import opened
from tests.sdk.packages.test_validation import VALIDATION

from ternary_export.bom import bill_of_materials
from ternary_export.bringing import File, bring, words
from ternary_export.build import Build
from ternary_export.card import model_card
from ternary_export.foreign import fitting, reading, writing
from ternary_export.foreign.comparing import measure
from ternary_export.packaging import package
from ternary_export.vast_certifying import Effort
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.inference.runtime import Decoder, Workers
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space

MOMENT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
BOOLEAN = Space(2, 3)
"""Eight cells of two values: logits (n, 16), and certified in no time."""

Draw = Callable[[Any], Any]


def brought(decoder: Any, encoder: Any = None, space: Space = BOOLEAN, **options: Any) -> Build:
    given = None if encoder is None else File(encoder.data, "encoder.onnx")
    return bring(File(decoder.data, "decoder.onnx"), given, space=space, released=MOMENT, **options)


def test_a_model_of_a_vast_space_is_brought(plain: Callable[..., Any]) -> None:
    """Somebody's decoder and encoder of two-input quaternary operations, untrained."""
    with ThreadPoolExecutor(1) as executor:
        effort = Effort(draws=2000, operations=100, executor=executor)
        build = brought(plain(logits=64), space=Space(4, 2), effort=effort)
    (claim,) = build.certificate.paths
    assert isinstance(claim, VastPath)
    assert (claim.evenness.draws, claim.reachable) == (2000, None)
    assert words(build)["encoder"] == "none: nothing gives a latent for a wanted operation"
    build.prove()


def test_draws_are_not_asked_of_a_listed_space(plain: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match=r"^draws: 5 are asked for, but 2,3 is a listed space"):
        brought(plain(), effort=Effort(draws=5))


def constants(sketch: Any, out: int, *, scale: float = 1.0) -> list[str]:
    """Four stored vectors, as batch normalisation has."""
    low = sketch.random.uniform(0.5, 2, size=(4, out)).astype(np.float32)
    return [sketch.store(scale * row) for row in low]


def stored(sketch: Any, *shape: int, kind: type[np.generic] = np.float32) -> str:
    return str(sketch.store(sketch.random.normal(size=shape).astype(kind)))


def activation(operator: str, **attributes: Any) -> Draw:
    def draw(sketch: Any) -> Any:
        return sketch.layer(sketch.node(operator, sketch.layer("z", 8, 24), **attributes), 24, 16)

    return draw


def matmul_and_add(sketch: Any) -> Any:
    rows = sketch.node("MatMul", "z", stored(sketch, 8, 24))
    rows = sketch.node("Relu", sketch.node("Add", stored(sketch, 24), rows))
    return sketch.node("Add", sketch.node("MatMul", rows, stored(sketch, 24, 16)), stored(sketch, 1, 16))


def scaled_gemm(sketch: Any) -> Any:
    return sketch.node("Gemm", "z", stored(sketch, 8, 16), stored(sketch, 1, 16), alpha=0.5, beta=2.0)


def one_bias_for_all(sketch: Any) -> Any:
    return sketch.node("Gemm", "z", stored(sketch, 8, 16), stored(sketch))


def without_bias(sketch: Any) -> Any:
    return sketch.node("Gemm", "z", stored(sketch, 16, 8), transB=1)


def dropped(sketch: Any) -> Any:
    rows = sketch.node(
        "Dropout", sketch.node("Identity", sketch.layer("z", 8, 24)), sketch.store(np.float32(0.5))
    )
    return sketch.layer(sketch.node("Cast", rows, to=TensorProto.FLOAT), 24, 16)


def constant_nodes(sketch: Any) -> Any:
    weight = sketch.random.normal(size=(8, 16)).astype(np.float32)
    first = sketch.node("Constant", value=numpy_helper.from_array(weight))
    return sketch.node("Mul", sketch.node("MatMul", "z", first), sketch.node("Constant", value_float=2.5))


def normalised_before(sketch: Any) -> Any:
    rows = sketch.node("BatchNormalization", sketch.layer("z", 8, 24), *constants(sketch, 24), epsilon=1e-3)
    return sketch.layer(sketch.node("Relu", rows), 24, 16)


def normalised_after(sketch: Any) -> Any:
    """Between an activation and both a layer and a skip connection."""
    rows = sketch.node(
        "BatchNormalization", sketch.node("Relu", sketch.layer("z", 8, 24)), *constants(sketch, 24)
    )
    return sketch.layer(sketch.node("Add", sketch.node("Tanh", sketch.layer(rows, 24, 24)), rows), 24, 16)


def normalised_last(sketch: Any) -> Any:
    return sketch.node("BatchNormalization", sketch.layer("z", 8, 16), *constants(sketch, 16))


def normalised_first(sketch: Any) -> Any:
    rows = sketch.node("Div", sketch.node("Sub", "z", stored(sketch, 8)), sketch.store(np.float32(2)))
    return sketch.layer(sketch.node("Relu", rows), 8, 16)


def arithmetic(sketch: Any) -> Any:
    rows = sketch.node("Sub", stored(sketch, 16), sketch.layer("z", 8, 16))
    rows = sketch.node("Neg", sketch.node("Mul", stored(sketch, 1), rows))
    return sketch.node("Sub", rows, sketch.layer("z", 8, 16))


def dense(sketch: Any) -> Any:
    first = sketch.node("Relu", sketch.layer("z", 8, 24))
    second = sketch.node("Relu", sketch.layer(sketch.node("Concat", first, "z", axis=-1), 32, 24))
    return sketch.layer(sketch.node("Concat", second, first, "z", axis=1), 56, 16)


def gated(sketch: Any) -> Any:
    rows = sketch.layer("z", 8, 24)
    return sketch.layer(sketch.node("Mul", rows, sketch.node("Sigmoid", rows)), 24, 16)


def halves_gated(sketch: Any) -> Any:
    left, right = sketch.node("Split", sketch.layer("z", 8, 48), outputs=2, axis=1, num_outputs=2)
    return sketch.layer(sketch.node("Mul", left, sketch.node("Tanh", right)), 24, 16)


def sliced(sketch: Any) -> Any:
    cut = [sketch.store(np.array([place])) for place in (2, 10**9, -1)]
    return sketch.layer(sketch.node("Slice", sketch.node("Relu", sketch.layer("z", 8, 24)), *cut), 22, 16)


def residual_logits(sketch: Any) -> Any:
    """The last node is no layer."""
    rows = sketch.layer("z", 8, 16)
    return sketch.node("Add", rows, sketch.layer(sketch.node("Relu", rows), 16, 16))


def viewed(sketch: Any) -> Any:
    """logits.view(z.size(0), 8, 2), as torch writes it where the batch is dynamic."""
    rows = sketch.layer("z", 8, 16)
    length = sketch.node("Gather", sketch.node("Shape", "z"), sketch.store(np.int64(0)), axis=0)
    parts = [sketch.node("Unsqueeze", length, sketch.store(np.array([0]))), sketch.store(np.array([8, 2]))]
    return sketch.node("Reshape", rows, sketch.node("Concat", *parts, axis=0))


def half_of_a_computed_width(sketch: Any) -> Any:
    """x.chunk(2, 1)[0], as torch's older exporter writes it."""
    rows = sketch.layer("z", 8, 32)
    width = sketch.node("Gather", sketch.node("Shape", rows), sketch.store(np.array([1])))
    more = sketch.node("Add", width, sketch.store(np.array([1])))
    half = sketch.node("Div", more, sketch.store(np.array([2])))
    start = sketch.store(np.array([0]))
    return sketch.node("Slice", rows, start, half, sketch.store(np.array([1])))


def flattened(sketch: Any) -> Any:
    rows = sketch.node("Reshape", sketch.layer("z", 8, 24), sketch.store(np.array([0, 4, -1])))
    return sketch.layer(sketch.node("Flatten", sketch.node("Relu", rows)), 24, 16)


def transposed_weights(sketch: Any) -> Any:
    return sketch.node("MatMul", "z", sketch.node("Transpose", stored(sketch, 16, 8), perm=[1, 0]))


def shared_weights(sketch: Any) -> Any:
    weight, bias = stored(sketch, 8, 8), stored(sketch, 8)
    rows = "z"
    for _ in range(2):
        rows = sketch.node("Tanh", sketch.node("Gemm", rows, weight, bias))
    return sketch.layer(rows, 8, 16)


ACCEPTED: dict[str, Draw] = {
    **{
        name: activation(name) for name in ("Elu", "Gelu", "Relu", "Sigmoid", "Softplus", "Tanh", "LeakyRelu")
    },
    "LeakyRelu with a slope": activation("LeakyRelu", alpha=0.3),
    "PRelu": lambda sketch: sketch.node("PRelu", sketch.layer("z", 8, 16), sketch.store(np.float32([[0.1]]))),
    "MatMul and Add": matmul_and_add,
    "alpha and beta": scaled_gemm,
    "one bias for all": one_bias_for_all,
    "no bias": without_bias,
    "what does nothing": dropped,
    "constants as nodes": constant_nodes,
    "normalised before an activation": normalised_before,
    "normalised after one": normalised_after,
    "normalised logits": normalised_last,
    "normalised latents": normalised_first,
    "arithmetic with stored numbers": arithmetic,
    "dense skip connections": dense,
    "gates": gated,
    "gates from halves": halves_gated,
    "a slice": sliced,
    "a last node that is no layer": residual_logits,
    "a view": viewed,
    "a chunk": half_of_a_computed_width,
    "a row of several axes": flattened,
    "transposed weights": transposed_weights,
    "shared weights": shared_weights,
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_exporters_write_is_shipped_and_computes_the_same(sketch: Callable[..., Any], name: str) -> None:
    """Compared once more here, by a session of its own, and not only by the export."""
    drawn = sketch((8,))
    build = brought(drawn.output(ACCEPTED[name](drawn)))
    latents = np.random.default_rng(5).normal(size=(300, 8)).astype(np.float32)
    (expected,) = onnxruntime.InferenceSession(drawn.data).run(None, {"z": latents})
    with Workers(1) as workers:
        decoder = Decoder(build.graphs["decoder_A.onnx"], "d", workers, build.certificate.signature)
        assert np.allclose(decoder.logits(latents).reshape(300, 16), expected.reshape(300, 16), atol=1e-4)
        expected_index = BOOLEAN.to_index(expected.reshape(300, 8, 2).argmax(axis=2))
        assert (decoder.index(latents) == expected_index).mean() > 0.99
    assert build.provenance.parity[0].operations > 32_700


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20, 22])
def test_older_and_newer_operator_sets_are_read(sketch: Callable[..., Any], opset: int) -> None:
    drawn = sketch((8,))
    drawn.opset = opset
    brought(drawn.output(normalised_before(drawn)))


def test_weights_that_are_also_listed_as_inputs_are_weights(plain: Callable[..., Any]) -> None:
    drawn = plain(8, 16)
    drawn.inputs.extend(
        helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in drawn.stored
    )
    brought(drawn)


def test_double_precision_is_brought_to_single(sketch: Callable[..., Any]) -> None:
    drawn = sketch((8,))
    drawn.inputs = [helper.make_tensor_value_info("z", TensorProto.DOUBLE, ["n", 8])]
    rows = drawn.node("Gemm", "z", stored(drawn, 8, 16, kind=np.float64), stored(drawn, 16, kind=np.float64))
    drawn.outputs = [helper.make_tensor_value_info(rows, TensorProto.DOUBLE, ["n", 16])]
    assert 0 < float(brought(drawn).provenance.parity[0].logits) < 1e-5


@pytest.mark.parametrize("batch", [1, 3])
def test_a_model_of_a_fixed_number_of_rows_is_shipped_for_any_number(
    sketch: Callable[..., Any], batch: int
) -> None:
    drawn = sketch((8,), batch=batch)
    rows = drawn.node("Reshape", drawn.layer("z", 8, 16), drawn.store(np.array([batch, 8, 2])))
    brought(drawn.output(rows))


ORDERS: dict[str, tuple[tuple[int, ...], bool, bool]] = {
    "flat, cell by cell": ((-1, 27), False, False),
    "cells first": ((-1, 9, 3), False, False),
    "flat, value by value": ((-1, 27), True, True),
    "values first": ((-1, 3, 9), True, True),
    "values first, as its shape says": ((-1, 3, 9), False, True),
}


@pytest.mark.parametrize("name", ORDERS)
def test_logits_are_taken_in_the_order_that_is_stated(plain: Callable[..., Any], name: str) -> None:
    shape, class_first, values_first = ORDERS[name]
    drawn = plain(16, 27)
    drawn.outputs.clear()
    drawn.output(drawn.node("Reshape", "t2", drawn.store(np.array(shape))))
    fitted = fitting.decoder(reading.read(drawn.data, "d"), TERNARY_2, class_first=class_first)
    latents = np.random.default_rng(5).normal(size=(200, 16)).astype(np.float32)
    (found,) = onnxruntime.InferenceSession(drawn.data).run(None, {"z": latents})
    expected = found.reshape(200, 3, 9).transpose(0, 2, 1) if values_first else found.reshape(200, 9, 3)
    signature = Signature(TERNARY_2, 16, ("A",))
    with Workers(1) as workers:
        graph = writing.decoder_graph(fitted.network, "A", signature)
        assert np.allclose(Decoder(graph, "d", workers, signature).logits(latents), expected, atol=1e-5)


def test_logits_transposed_by_the_model_itself_are_taken_as_they_come_out(sketch: Callable[..., Any]) -> None:
    drawn = sketch((8,))
    rows = drawn.node("Reshape", drawn.layer("z", 8, 16), drawn.store(np.array([-1, 2, 8])))
    brought(drawn.output(drawn.node("Transpose", rows, perm=[0, 2, 1])))


def encoder(sketch: Callable[..., Any], tail: tuple[int, ...], *outputs: int) -> Any:
    drawn = sketch(tail, seed=3)
    rows = "z" if len(tail) == 1 else drawn.node("Flatten", "z")
    hidden = drawn.node("Tanh", drawn.layer(rows, int(np.prod(tail)), 12))
    return drawn.output(*[drawn.layer(hidden, 12, out) for out in outputs])


@pytest.mark.parametrize("outputs", [(8, 8), (16,), (8,)], ids=["two", "halves", "mean alone"])
@pytest.mark.parametrize("tail", [(8,), (16,), (8, 2)], ids=["values", "one-hot", "one-hot matrix"])
def test_an_encoder_is_shipped_in_each_of_its_forms(
    plain: Callable[..., Any], sketch: Callable[..., Any], vendor: KeyRing, tmp_path: Path,
    tail: tuple[int, ...], outputs: tuple[int, ...],
) -> None:  # fmt: skip
    given = encoder(sketch, tail, *outputs)
    build = brought(plain(8, 16), given)
    tables = BOOLEAN.tables
    fed = tables if tail == (8,) else fitting.hot(tables, BOOLEAN).reshape(256, *tail)
    expected = onnxruntime.InferenceSession(given.data).run(None, {"z": fed.astype(np.float32)})[0][:, :8]
    with opened(build, vendor, tmp_path / "state") as model:
        assert np.allclose(model.encode(tables), expected, atol=1e-5)
    assert build.provenance.parity[0].random is None
    assert build.provenance.origin.encoder_file == hashlib.sha256(given.data).hexdigest()


@pytest.mark.parametrize("space", [Space(2, 1), Space(2, 3), Space(3, 2), Space(5, 1), Space(7, 1)], ids=str)
def test_a_one_hot_code_is_exact_for_every_table(space: Space) -> None:
    tables = space.tables[:: max(1, space.size // 5000)]
    (found,) = fitting._one_hot(space).compute(tables.astype(np.float64))
    assert np.array_equal(found, fitting.hot(tables, space))


@pytest.mark.parametrize("space", [Space(2, 1), Space(3, 1), Space(5, 1), Space(2, 3), TERNARY_2], ids=str)
@pytest.mark.parametrize("latents", [8, 40])
def test_a_decoder_of_each_space_is_certified_packaged_licensed_and_drawn(
    plain: Callable[..., Any], vendor: KeyRing, tmp_path: Path, space: Space, latents: int
) -> None:
    build = brought(plain(latents, space.cells * space.radix, "Tanh"), space=space)
    build.write(tmp_path / "build")
    assert Build.read(tmp_path / "build") == build
    assert build.certificate.signature == Signature(space, latents, ("A",))
    with opened(build, vendor, tmp_path / "state", quota=space.size) as model:
        everything = model.sample(len(model.reachable()), unique=True, seed=3)
        assert everything.set == model.reachable()
        assert np.array_equal(model.decode(everything.latents), everything.operations)
        model.replay()


def test_the_same_files_give_the_same_build(plain: Callable[..., Any]) -> None:
    assert brought(plain(8, 16)) == brought(plain(8, 16))


def test_the_same_weights_have_one_digest_however_a_file_writes_them(sketch: Callable[..., Any]) -> None:
    digests = set()
    for operator in ("Gemm", "MatMul"):
        drawn = sketch((8,))
        weight, bias = stored(drawn, 8, 16), stored(drawn, 16)
        rows = drawn.node("Gemm", "z", weight, bias) if operator == "Gemm" else drawn.node(
            "Add", drawn.node("MatMul", "z", weight, name="x"), bias
        )  # fmt: skip
        digests.add(brought(drawn.output(rows)).provenance.origin.weights)
    assert len(digests) == 1


def test_nothing_of_the_file_but_its_numbers_is_shipped(plain: Callable[..., Any]) -> None:
    """Neither names, nor doc strings, nor what produced it."""
    graph = brought(plain(8, 16)).graphs["decoder_A.onnx"]
    for word in (b"somebody", b"a model", b"stored0", b"t0"):
        assert word not in graph


def test_build_card_and_bill_of_materials_say_that_it_was_brought(
    plain: Callable[..., Any], sketch: Callable[..., Any]
) -> None:
    decoder, given = plain(8, 16), encoder(sketch, (8,), 8)
    build = brought(decoder, given)
    digests = [hashlib.sha256(one.data).hexdigest() for one in (decoder, given)]
    origin = json.loads(build.provenance.to_bytes())["origin"]
    assert (origin["kind"], origin["file_sha256"], origin["encoder_file_sha256"]) == ("onnx", *digests)
    card = model_card("acme", (1, 0, 0), build.certificate, build.provenance)
    parity = build.provenance.parity[0]
    assert (
        "## Where it comes from\n\n- A decoder and an encoder that were brought as ONNX.\n"
        "- How the model was trained is not stated here, and nothing here rests on it.\n"
        f"- Decoder's file: SHA-256 `{digests[0]}`.\n- Encoder's file: SHA-256 `{digests[1]}`.\n"
        f"- Weights: SHA-256 `{origin['weights_sha256']}`.\n"
        "- `decoder_A.onnx`: 616 weights and biases.\n- `encoder_A.onnx`: 212 weights and biases.\n"
        "- Path A against the ONNX that was given, all 256 operations: encodings differ by at most "
        f"{parity.mean}, logits by {parity.logits}; 256 decode to the same.\n"
    ) in card
    bill = json.loads(bill_of_materials("acme", (1, 0, 0), build.certificate, build.provenance))
    about = bill["metadata"]["component"]["modelCard"]
    assert about["modelParameters"]["architectureFamily"] == "a decoder that was brought as ONNX"
    assert "approach" not in about["modelParameters"]
    named = {one["name"]: one["value"] for one in about["properties"]}
    assert named["ternary:brought:decoder:sha256"] == digests[0]
    assert named["ternary:brought:encoder:sha256"] == digests[1]


def test_a_decoder_alone_promises_no_encoding(plain: Callable[..., Any]) -> None:
    build = brought(plain(8, 16))
    assert build.certificate.paths[0].encoder is None
    parity = build.provenance.parity[0]
    assert (parity.mean, parity.random) == (None, 32_768)
    card = model_card("acme", (1, 0, 0), build.certificate, build.provenance)
    assert "- A decoder that was brought as ONNX.\n" in card
    assert (
        "- Path A against the ONNX that was given, 32,768 random latents: logits differ by at most "
        f"{parity.logits}; 32,768 decode to the same.\n"
    ) in card
    bill = bill_of_materials("acme", (1, 0, 0), build.certificate, build.provenance).decode()
    assert "encod" not in bill.replace("encodings carry no promise", "")
    assert words(build)["encoder"] == "none: every witness is found among the draws"


def test_a_validation_of_a_training_is_not_packaged_with_it(
    plain: Callable[..., Any], vendor: KeyRing
) -> None:
    with pytest.raises(InputError) as refusal:
        package(
            brought(plain(8, 16)), name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE),
            validation=VALIDATION,
        )  # fmt: skip
    assert str(refusal.value) == (
        "validation.json: is of a training; the build is of a model that was brought as ONNX, "
        "which 'ternary validate' knows nothing of; leave --validation out"
    )


def test_a_graph_that_computes_something_else_is_found_out(plain: Callable[..., Any]) -> None:
    signature = Signature(BOOLEAN, 8, ("A",))
    fitted = fitting.decoder(reading.read(plain(8, 16).data, "decoder.onnx"), BOOLEAN, class_first=False)
    *others, last = fitted.network.steps
    bent = replace(fitted.network, steps=(*others, replace(last, bias=last.bias + np.float32(0.01))))
    with Workers(1) as workers:
        written = Decoder(writing.decoder_graph(bent, "A", signature), "decoder", workers, signature)
        with pytest.raises(ProofError) as refusal:
            measure("A", fitted, written, None, None)
    assert str(refusal.value) == (
        "decoder.onnx: as it would be shipped its logits differ from the file's by 1.00e-02, at most 1.54e-04"
    )
