import hashlib
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from ternary_export.build import Build, Draft
from ternary_export.export import export, weights_digest
from ternary_export.graph import decoder_graph
from ternary_export.parity import measure
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk.errors import FormatError, InputError, ProofError, TernaryError
from ternary_trainer import checkpoint
from ternary_trainer.model import TernaryVAE, initial

RELEASED = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
NAMES = ["decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx", "encoder_B.onnx"]


@pytest.fixture(scope="module")
def made(written: Path) -> Build:
    return export(checkpoint.load(written), released=RELEASED)


def test_a_checkpoint_becomes_a_build(made: Build, written: Path) -> None:
    origin = made.provenance.origin
    assert sorted(made.graphs) == NAMES
    assert {graph.member: graph.parameters for graph in made.provenance.graphs} == {
        "decoder_A.onnx": 4_411,
        "decoder_B.onnx": 71_707,
        "encoder_A.onnx": 45_792,
        "encoder_B.onnx": 45_792,
    }
    assert (origin.kind, origin.epoch) == ("checkpoint", 3)
    assert origin.reason == "it is the only snapshot in the file"
    assert origin.file == hashlib.sha256(written.read_bytes()).hexdigest()


def test_the_parameters_of_each_path_are_those_of_the_model(made: Build) -> None:
    counts = {graph.member: graph.parameters for graph in made.provenance.graphs}
    assert counts["encoder_A.onnx"] + counts["decoder_A.onnx"] == 50_203
    assert counts["encoder_B.onnx"] + counts["decoder_B.onnx"] == 117_499


def test_the_moment_of_release_is_in_whole_seconds(made: Build) -> None:
    assert made.provenance.released == made.certificate.released == RELEASED.replace(microsecond=0)


def test_a_moment_without_a_time_zone_is_refused(written: Path) -> None:
    with pytest.raises(InputError) as refusal:
        export(checkpoint.load(written), released=datetime(2026, 2, 3))
    assert str(refusal.value) == "released: 2026-02-03 00:00:00 has no time zone, expected UTC"


def test_every_operation_decodes_as_in_the_network(made: Build) -> None:
    for parity in made.provenance.parity:
        assert parity.operations == 19_683
        assert float(parity.mean) < 1e-5
        assert float(parity.logits) < 1e-5


def test_exporting_twice_gives_the_same_build(made: Build, written: Path) -> None:
    assert export(checkpoint.load(written), released=RELEASED) == made


def test_a_build_comes_back_from_its_folder(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    assert Build.read(tmp_path / "build") == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build"]


def test_a_build_is_never_overwritten(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    with pytest.raises(InputError) as refusal:
        made.write(tmp_path / "build")
    assert str(refusal.value) == f"{tmp_path / 'build'}: exists already, expected a folder that does not"


@pytest.mark.parametrize("name", NAMES)
def test_a_build_without_one_of_its_graphs_is_refused(made: Build, tmp_path: Path, name: str) -> None:
    made.write(tmp_path / "build")
    (tmp_path / "build" / name).unlink()
    with pytest.raises(InputError) as refusal:
        Build.read(tmp_path / "build")
    assert str(refusal.value) == f"{tmp_path / 'build' / name}: cannot be read (No such file or directory)"


def test_a_folder_that_is_no_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        Build.read(tmp_path)
    assert str(refusal.value) == (
        f"{tmp_path}: not a build, it holds no build.json; make one with 'ternary export RUN --out BUILD'"
    )


def test_a_build_without_its_certificate_says_how_to_get_one(made: Build, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    made.write(folder)
    (folder / "coverage.json").unlink()
    with pytest.raises(InputError) as refusal:
        Build.read(folder)
    assert str(refusal.value) == f"{folder}: holds no coverage.json; run 'ternary certify {folder}'"


@pytest.mark.parametrize("name", NAMES)
def test_a_build_with_a_graph_of_another_is_refused(made: Build, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "build"
    made.write(folder)
    other = made.graphs[next(other for other in NAMES if other != name)]
    (folder / name).write_bytes(other)
    with pytest.raises(FormatError) as refusal:
        Build.read(folder)
    assert str(refusal.value) == (
        f"{folder / name}: sha256 is {hashlib.sha256(other).hexdigest()}, build.json says "
        f"{made.certificate.subjects[name]}; export the model again"
    )


def test_a_graph_that_no_client_would_run_is_refused_although_recorded(made: Build, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    bent = made.graphs["decoder_A.onnx"] + b"\x72\x00"
    first, *others = made.provenance.graphs
    recorded = (replace(first, sha256=hashlib.sha256(bent).hexdigest()), *others)
    replace(made, provenance=replace(made.provenance, graphs=recorded)).write(folder)
    (folder / first.member).write_bytes(bent)
    with pytest.raises(FormatError) as refusal:
        Draft.read(folder)
    assert str(refusal.value) == "decoder_A.onnx: holds metadata, expected none"


def test_a_certificate_of_another_moment_is_refused(made: Build, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    later = replace(made.certificate, released=datetime(2026, 2, 4, tzinfo=UTC))
    replace(made, certificate=later).write(folder)
    with pytest.raises(FormatError) as refusal:
        Build.read(folder)
    assert str(refusal.value) == (
        f"{folder / 'coverage.json'}: is of another build than build.json; run 'ternary certify {folder}'"
    )


def test_the_weights_have_one_digest_whatever_file_they_came_in(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.pt"
    checkpoint.save(again, state=initial(5).state_dict(), epoch=9)
    first, second = checkpoint.load(written), checkpoint.load(again)
    assert first.source != second.source
    assert weights_digest(first.state) == weights_digest(second.state)
    assert weights_digest(first.state) != weights_digest(initial(6).state_dict())


def test_a_graph_of_other_weights_is_found_out(made: Build) -> None:
    model = initial(5).eval()
    state = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    state["decoder_A.decoder.4.bias"][13] += np.float32(0.01)
    with Workers() as workers:
        encoder = Encoder(made.graphs["encoder_A.onnx"], "encoder_A.onnx", workers)
        decoder = Decoder(decoder_graph(state, "A"), "decoder_A.onnx", workers)
        with pytest.raises(ProofError) as refusal:
            measure(model, "A", encoder, decoder)
    assert str(refusal.value) == (
        "decoder_A.onnx: its logits differ from the network's by 1.00e-02, at most 0.0001"
    )


def test_an_encoder_of_the_other_path_is_found_out(made: Build) -> None:
    with Workers() as workers:
        encoder = Encoder(made.graphs["encoder_B.onnx"], "encoder_B.onnx", workers)
        decoder = Decoder(made.graphs["decoder_A.onnx"], "decoder_A.onnx", workers)
        with pytest.raises(ProofError, match=r"encoder_B\.onnx: its means differ from the network's by "):
            measure(initial(5).eval(), "A", encoder, decoder)


def test_a_trained_checkpoint_is_certified_as_what_it_is(stored: Path) -> None:
    build = export(checkpoint.load(stored), released=RELEASED)
    coverage = {path.path: path for path in build.certificate.paths}
    assert build.provenance.origin.epoch == 104
    assert [round(100 * coverage[path].at(50_000).coverage, 2) for path in "AB"] == [86.8, 85.92]
    assert [len(coverage[path].reachable.operations) for path in "AB"] == [19_683, 19_683]
    assert [len(coverage[path].reachable.streamed) for path in "AB"] == [0, 2]
    assert build.certificate.best_path.path == "A"


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(FormatError, match="not a file of tensors"):
        checkpoint.load(tmp_path / "x.pt")


def test_a_tensor_of_another_shape_is_refused_by_name(content: dict[str, object], tmp_path: Path) -> None:
    model = content["model"]
    assert isinstance(model, dict)
    model["decoder_A.decoder.0.weight"] = torch.zeros(32, 17)
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(FormatError) as refusal:
        checkpoint.load(tmp_path / "x.pt")
    assert "decoder_A.decoder.0.weight" in str(refusal.value)
    assert "(32, 17)" in str(refusal.value)
    assert "(32, 16)" in str(refusal.value)


def test_no_pickle_code_is_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "sprung"),)

    (tmp_path / "x.pt").write_bytes(pickle.dumps({"model": Trap(), "epoch": 1}, protocol=2))
    torch.save({"model": Trap(), "epoch": 1}, tmp_path / "y.pt")
    for name in ("x.pt", "y.pt"):
        with pytest.raises(TernaryError):
            checkpoint.load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_the_network_is_the_one_described() -> None:
    assert sum(tensor.numel() for tensor in TernaryVAE().parameters()) == 50_203 + 117_499 + 1_068
