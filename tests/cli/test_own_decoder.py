"""``ternary export --onnx``: what it says, and what it refuses."""

import json
import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper


def model(inputs, outputs, seed=1):
    """One hidden layer, as somebody's exporter writes it."""
    random, nodes, stored = np.random.default_rng(seed), [], []
    rows = "rows"
    for number, (size, out) in enumerate(((inputs, 12), (12, outputs))):
        weight = (2 * random.normal(size=(size, out)) / np.sqrt(size)).astype(np.float32)
        stored.append(numpy_helper.from_array(weight, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [rows, f"w{number}"], [f"product{number}"]))
        rows = f"product{number}"
        if number == 0:
            nodes.append(helper.make_node("Tanh", [rows], ["hidden"], name="act"))
            rows = "hidden"
    sides = [("rows", inputs), (rows, outputs)]
    given, result = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in sides
    )
    graph = helper.make_graph(nodes, "g", [given], [result], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decoder.onnx").write_bytes(model(8, 16).SerializeToString())
    (tmp_path / "encoder.onnx").write_bytes(model(8, 16, seed=2).SerializeToString())
    return tmp_path


def test_a_decoder_and_an_encoder_become_a_build(ternary, here):
    done = ternary(
        "export", "--onnx", "decoder.onnx", "--encoder", "encoder.onnx", "--space", "2,3", "--out", "build"
    )
    assert done.status == 0
    assert done.err == (
        "reading the model\ncomparing what would be shipped with what was given\ncertifying path A\n"
    )
    lines = done.text.splitlines()
    assert lines[:2] == ["build     build", "model     boolean-3-input, 8 latent dimensions, path A"]
    assert lines[2].startswith(
        "compared  with what was given, on all 256 operations: logits differ by at most 0.0000"
    )
    assert lines[3].startswith("encoder   the means of ")
    assert lines[3].endswith(" of 256 operations decode back to them")
    assert lines[5] == "path  reachable                  at 128 draws     at 650 draws   at 2,537 draws"
    assert sorted(path.name for path in (here / "build").iterdir()) == [
        "build.json", "coverage.json", "decoder_A.onnx", "encoder_A.onnx",
    ]  # fmt: skip
    again = ternary("certify", "build")
    assert again.text.splitlines()[0] == "build/coverage.json: computed again and confirmed"


def test_json_says_what_it_is_of_and_from_what(ternary, here):
    done = ternary("export", "--onnx", "decoder.onnx", "--space", "2,3", "--out", "build", "--json")
    facts = json.loads(done.text)
    assert (facts["space"], facts["latent_size"], facts["encoder"]) == ({"inputs": 3, "radix": 2}, 8, None)
    assert facts["compared"][0]["random_latents"] == facts["compared"][0]["same"] == 32_768
    assert [*facts["paths"]] == ["A"]


def test_a_package_without_an_encoder_is_shown_and_encodes_nothing(ternary, here):
    for line in (
        "export --onnx decoder.onnx --space 2,3 --out build",
        "keys init keys --vendor Own",
        "package build --name own --version 1.0.0 --keys keys --out own.ternary",
    ):
        done = ternary(*line.split())
        assert done.status == 0, done.err
    assert "parameters  A: no encoder, 316 out\n" in done.text
    assert (
        "parameters  A: no encoder, 316 out\n"
        in ternary("info", "own.ternary", "--trust", "keys/vendor.trust").text
    )


REFUSED = {
    "--onnx decoder.onnx": "--onnx needs --space, the operations that it decodes to, as RADIX,INPUTS: "
    "--space 3,2 for two-input ternary ones",
    "--onnx decoder.onnx --space 3": "space: '3', expected a radix and a number of inputs, such as 3,2",
    "--onnx decoder.onnx --space 2,3 run": "run: a build is of a training or of --onnx decoder.onnx, "
    "not of both; leave one out",
    "--onnx decoder.onnx --space 2,3 --best-by elbo": "--best-by: a build is of a training or of "
    "--onnx decoder.onnx, not of both; leave one out",
    "--space 2,3 run": "--space: belongs to a model that was brought; add --onnx DECODER.onnx",
    "--encoder encoder.onnx run": "--encoder: belongs to a model that was brought; add --onnx DECODER.onnx",
    "--class-first run": "--class-first: belongs to a model that was brought; add --onnx DECODER.onnx",
    "": "nothing to export: name a run or a checkpoint, or bring a model with "
    "--onnx DECODER.onnx --space 3,2",
    "--onnx missing.onnx --space 2,3": "missing.onnx: no such file or directory",
    "--onnx . --space 2,3": ".: is a directory",
    "--onnx empty.onnx --space 2,3": "empty.onnx: not an ONNX model, or one without nodes",
    "--onnx random.onnx --space 2,3": "random.onnx: not an ONNX model",
    "--onnx pipe.onnx --space 2,3": "pipe.onnx: not an ONNX model, or one without nodes",
    "--onnx large.onnx --space 2,3": "large.onnx: more than 33,554,432 bytes, expected at most that many",
    "--onnx foreign.onnx --space 2,3": "foreign.onnx: node 1 (LSTM, 'act'): the operator is not allowed; "
    "nearest: Gemm, Add, Mul, Concat, Elu, Gelu, Relu, Sigmoid, Softplus, Tanh",
    "--onnx decoder.onnx --encoder foreign.onnx --space 2,3": "foreign.onnx: node 1 (LSTM, 'act'): "
    "the operator is not allowed; nearest: Gemm, Add, Mul, Concat, Elu, Gelu, Relu, Sigmoid, Softplus, Tanh",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused_is_one_sentence_and_leaves_nothing(ternary, here, line):
    (here / "empty.onnx").touch()
    (here / "random.onnx").write_bytes(np.random.default_rng(1).bytes(3000))
    (here / "large.onnx").write_bytes(bytes((32 << 20) + 1))
    os.mkfifo(here / "pipe.onnx")
    foreign = model(8, 16)
    foreign.graph.node[1].op_type = "LSTM"
    (here / "foreign.onnx").write_bytes(foreign.SerializeToString())
    done = ternary("export", *line.split(), "--out", "build")
    assert (done.status, done.out) == (1, b"")
    assert done.err.removeprefix("reading the model\n") == f"error: {REFUSED[line]}\n"
    assert not (here / "build").exists()
