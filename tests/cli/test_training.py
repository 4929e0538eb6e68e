"""A training as the vendor sees it: interrupted, disturbed from another terminal, resumed, drawn."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ternary_cli.training import shown_expected
from ternary_sdk._internal.wheels import pip_install
from ternary_trainer import run as runs

TERNARY = Path(sys.executable).parent / "ternary"

pytestmark = pytest.mark.slow


def begin(recipe, folder, *options):
    command = [TERNARY, "train", "--recipe", recipe, "--out", "run", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def weights(folder):
    return {name: tensor.numpy().tobytes() for name, tensor in runs.open(folder).best().state.items()}


def test_an_interrupted_training_says_how_to_go_on_and_ends_with_the_same_weights(
    ternary, quick_recipe, release, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with begin(quick_recipe, tmp_path) as training:
        assert training.stderr.readline().startswith("epoch 0 (1 of 3) ")
        training.send_signal(signal.SIGINT)
        out, err = training.communicate()
    assert training.returncode == 130
    assert re.fullmatch(
        r"run: [12] of 3 epochs in \d+ s, interrupted\ncore-seconds: [\d.]+ until the shipped epoch, "
        r"[\d.]+ after it, 0\.0 saved by stopping\n",
        out,
    )
    assert err.splitlines()[-1] == "interrupted; go on with: ternary train --resume run"
    done = ternary("train", "--resume", "run", "--json", "--price-per-core-hour", "3600", "--currency", "EUR")
    told = json.loads(done.text)
    assert (done.status, told["status"]) == (0, "complete")
    assert told["money"]["until"] == pytest.approx(told["compute"]["until"]["core_seconds"])
    assert weights(tmp_path / "run") == weights(release / "run")


def test_a_running_training_surges_when_asked_to_and_its_summary_says_so(
    ternary, quick_recipe, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with begin(quick_recipe, tmp_path, "--set", "epochs=4") as training:
        assert training.stderr.readline().startswith("epoch 0 (1 of 4) ")
        asked = ternary("disrupt", "run", "--strength", "0.5")
        out, _ = training.communicate()
    assert (asked.status, asked.err) == (0, "run: a surge of strength 0.5 begins with the next epoch\n")
    assert "surge of strength 0.5 in epoch " in out
    assert ternary("plot", "run", "--out", "run.svg").status == 0
    drawn = (tmp_path / "run.svg").read_bytes()
    assert drawn.startswith(b"<?xml")
    assert ternary("plot", "run", "--out", "run.svg").status == 0
    (tmp_path / "run.svg").write_text("mine")
    kept = ternary("plot", "run", "--out", "run.svg")
    assert kept.err == (
        "error: run.svg: exists and differs; add --force to replace it, or name another file\n"
    )
    assert (tmp_path / "run.svg").read_text() == "mine"
    assert ternary("plot", "run", "--out", "run.svg", "--force").status == 0
    assert (tmp_path / "run.svg").read_bytes() == drawn
    late = ternary("disrupt", "run")
    assert late.status == 1
    assert late.err == "error: run: no training is running there, expected the directory of a running one\n"


def test_a_training_writes_for_tensorboard_where_it_is_asked_to(ternary, quick_recipe, tmp_path):
    run = tmp_path / "run"
    words = "train", "--recipe", quick_recipe, "--set", "epochs=2", "--out", run
    assert ternary(*words, "--tensorboard").status == 0
    coverage = EventAccumulator(str(run / "tensorboard")).Reload().Scalars("coverage/B")
    assert [event.step for event in coverage] == [0, 1]


def test_a_training_without_the_extra_is_refused_before_it_begins(ternary, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    done = ternary("train", "--tensorboard", "--out", tmp_path / "run")
    assert done.status == 1
    assert done.err == (
        f"error: tensorboard is not installed; run: {pip_install('ternary-trainer', 'tensorboard')}\n"
    )
    assert not (tmp_path / "run").exists()


def test_resuming_takes_no_option_that_would_change_the_run(ternary, tmp_path):
    done = ternary("train", "--resume", tmp_path / "run", "--seed", 2)
    assert done.status == 1
    assert done.err == (
        "error: --resume goes on with a run as it was begun; "
        "only --device, --tensorboard, --json, a price and --set of what may grow fit beside it\n"
    )


@pytest.mark.skipif(torch.version.cuda is not None, reason="needs a torch for processors alone")
def test_a_gpu_that_cannot_be_used_is_refused_before_anything_is_made(ternary, tmp_path):
    done = ternary("train", "--device", "cuda", "--out", tmp_path / "run")
    assert (done.status, done.out) == (1, b"")
    assert done.err == (
        f"error: device 'cuda': cannot be used, torch {torch.__version__} is built without GPU code; "
        "compute with 'cpu' or 'auto'\n"
    )
    assert not (tmp_path / "run").exists()


def test_an_unknown_device_is_refused(ternary):
    done = ternary("train", "--device", "tpu")
    assert done.status == 2
    assert done.err.splitlines()[-1] == (
        "Error: Invalid value for '--device': 'tpu' is not one of 'cpu', 'cuda', 'auto'."
    )


@pytest.mark.parametrize(
    ("pairs", "shown"),
    [(46_566.1, "46,566"), (10.0, "10"), (9.96, "10.0"), (1.6393, "1.6"), (0.1, "0.1"), (4.2e-5, "4e-05")],
)
def test_expected_pairs_are_never_shown_as_none(pairs, shown):
    assert shown_expected(pairs) == shown
