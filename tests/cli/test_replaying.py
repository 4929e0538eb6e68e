import json

import pytest

from ternary_sdk.packages import archive


@pytest.fixture
def files(shipped, vendor, tmp_path):
    """A vendor's package and what is in it, as files."""
    for name, data in archive.decode(shipped).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    return tmp_path


@pytest.fixture
def certified(build):
    return {path.path: path for path in build.certificate.paths}


def drawn(claim):
    counts = ", ".join(f"{prior.operations:,} in {prior.draws:,}" for prior in claim.prior)
    return f"path {claim.path}: draws replayed, {counts}, as certified"


def test_replay_recomputes_every_path(ternary, files, certified):
    done = ternary("verify", files / "acme.ternary", "--trust", files / "acme.trust", "--replay")
    assert (done.status, done.err) == (0, "")
    assert done.text.splitlines()[-2:] == [drawn(certified["A"]), drawn(certified["B"])]


def test_a_certificate_is_verified_without_its_package(ternary, files, certified, vendor):
    graphs = ("--model", files / "decoder_A.onnx", "--encoder", files / "encoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *graphs, "--trust", files / "acme.trust")
    assert (done.status, done.err) == (0, "")
    reached = len(certified["A"].reachable.operations)
    assert done.text.splitlines() == [
        f"{files / 'coverage.json'} is what Acme Logic signed (root {vendor.trust.root.kid})",
        f"{files / 'decoder_A.onnx'} is the decoder of path A",
        f"path A: {reached:,} reachable operations proved on this machine",
        drawn(certified["A"]),
    ]


def test_without_the_encoder_it_says_what_was_not_proved(ternary, files, certified):
    decoder = ("--model", files / "decoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *decoder, "--trust", files / "acme.trust", "--json")
    facts = json.loads(done.text)
    assert (facts["verified"], facts["path"]) == (True, "A")
    assert facts["witnesses_decoded"] == len(certified["A"].reachable.streamed)


def test_a_decoder_of_another_model_is_refused(ternary, files):
    decoder = ("--model", files / "encoder_A.onnx")
    done = ternary("verify", files / "coverage.json", *decoder, "--trust", files / "acme.trust")
    assert done.status == 1
    assert done.err.startswith("error: decoder: sha256 is ")


def test_a_certificate_without_a_decoder_is_refused(ternary, files):
    done = ternary("verify", files / "coverage.json", "--encoder", files / "encoder_A.onnx")
    assert (done.status, done.err) == (
        1,
        "error: a certificate is verified as: ternary verify CERTIFICATE --model DECODER.onnx\n",
    )


def test_unpacking_writes_what_was_verified(ternary, files, shipped):
    done = ternary("unpack", files / "acme.ternary", "--trust", files / "acme.trust", "--out", files / "out")
    assert (done.status, done.text) == (0, f"{files / 'out'}: 10 files of acme-1.0.0\n")
    found = {path.name: path.read_bytes() for path in (files / "out").iterdir()}
    assert found == archive.decode(shipped)


def test_unpacking_overwrites_nothing(ternary, files):
    done = ternary("unpack", files / "acme.ternary", "--trust", files / "acme.trust", "--out", files)
    assert (done.status, done.err) == (
        1,
        f"error: {files}: exists already, expected a folder that does not\n",
    )
