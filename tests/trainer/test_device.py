"""
Where a training computes. No GPU is needed here: what fails is the meta device, which computes nothing.
"""

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch

from ternary_sdk.errors import InputError
from ternary_trainer import checkpoint, device, run
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

META = torch.device("meta")
FAILED = "its first computation failed (META device type not an accelerator.)"
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
without_code = pytest.mark.skipif(torch.version.cuda is not None, reason="needs a torch for processors alone")


def test_the_processor_is_taken_when_it_is_asked_for() -> None:
    assert device.choose("cpu", gpu=META) == torch.device("cpu")
    assert device.fault(torch.device("cpu")) == ""
    assert device.name(torch.device("cpu")) == "cpu"


@without_code
def test_auto_takes_the_processor_without_a_word_where_torch_has_no_gpu_code() -> None:
    told: list[str] = []
    assert device.choose(tell=told.append) == torch.device("cpu")
    assert told == []


@without_code
def test_cuda_is_refused_where_torch_has_no_gpu_code() -> None:
    with pytest.raises(InputError) as caught:
        device.choose("cuda")
    assert str(caught.value) == (
        f"device 'cuda': cannot be used, torch {torch.__version__} is built without GPU code; "
        "compute with 'cpu' or 'auto'"
    )


@without_gpu
def test_cuda_is_refused_without_a_gpu() -> None:
    with pytest.raises(InputError, match=r"^device 'cuda': cannot be used, torch "):
        device.choose("cuda")


def test_a_device_that_does_not_compute_is_left_out_with_a_reason_or_refused() -> None:
    told: list[str] = []
    assert device.fault(META) == FAILED
    assert device.choose("auto", tell=told.append, gpu=META) == torch.device("cpu")
    assert told == [f"computes on the processor, not on a GPU: {FAILED}"]
    with pytest.raises(InputError) as caught:
        device.choose("cuda", gpu=META)
    assert str(caught.value) == f"device 'cuda': cannot be used, {FAILED}; compute with 'cpu' or 'auto'"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_gpu_that_the_environment_hides_is_left_out_without_a_word(
    hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert device.choose(tell=told.append) == torch.device("cpu")
    assert told == []


@without_gpu
def test_a_torch_for_gpus_says_that_it_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert device.choose(tell=told.append) == torch.device("cpu")
    (sentence,) = told
    assert sentence.startswith("computes on the processor, not on a GPU: torch finds no GPU")


@pytest.mark.parametrize("wanted", ["", "gpu", "cuda:1", "CPU"])
def test_an_unknown_device_is_refused(wanted: str) -> None:
    with pytest.raises(InputError) as caught:
        device.choose(wanted)
    assert str(caught.value) == f"device '{wanted}': expected one of cpu, cuda, auto"


def weights(trained: Run) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = checkpoint.read(trained.path / run.STATE)["model"]
    return state


def same(one: Run, other: Run) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


@without_gpu
def test_the_device_changes_no_bit_where_both_are_the_processor(
    finished: Run, tiny: Recipe, tmp_path: Path
) -> None:
    named = train(tiny, seed=3, out=tmp_path / "named", place=device.choose("cpu"))
    assert same(finished, named)
    assert finished.facts["device"] == named.facts["device"] == "cpu"


@pytest.fixture
def stopped(tiny: Recipe, tmp_path: Path) -> Path:
    """A run that was interrupted after its second of four epochs."""

    def stop(record: object) -> None:
        if getattr(record, "epoch", 0) == 1:
            signal.raise_signal(signal.SIGINT)

    return train(tiny, seed=3, out=tmp_path / "stopped", on_epoch=stop).path


def test_a_run_resumed_on_another_kind_of_device_goes_on_with_new_streams(
    stopped: Path, tiny: Recipe, finished: Run, tmp_path: Path
) -> None:
    state = checkpoint.read(stopped / run.STATE)
    for part in state["method"].values():  # a GPU's streams are states of 16 bytes, which mean nothing here
        part["random"] = torch.zeros(16, dtype=torch.uint8)
    checkpoint.write(stopped / run.STATE, {**state, "device": "cuda"})
    facts = json.loads((stopped / run.FACTS).read_text())
    (stopped / run.FACTS).write_text(json.dumps({**facts, "device": "NVIDIA H100"}))
    again = Path(shutil.copytree(stopped, tmp_path / "again"))
    one, other = (train(tiny, seed=3, out=out, resume=True, place=device.CPU) for out in (stopped, again))
    assert one.facts["device"] == "NVIDIA H100, cpu from epoch 2"
    assert len(one.history) == tiny.epochs
    assert same(one, other)
    assert not same(one, finished)
    assert train(tiny, seed=3, out=stopped, resume=True).facts["device"] == "NVIDIA H100, cpu from epoch 2"


def test_a_state_written_before_devices_were_recorded_is_resumed_to_the_same_weights(
    stopped: Path, tiny: Recipe, finished: Run
) -> None:
    state = checkpoint.read(stopped / run.STATE)
    del state["device"]
    checkpoint.write(stopped / run.STATE, state)
    assert same(train(tiny, seed=3, out=stopped, resume=True, place=device.CPU), finished)
