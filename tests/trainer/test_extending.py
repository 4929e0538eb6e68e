"""Runs that go on longer than their recipe said."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.trainer.test_loss_hook import TINY

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.disrupt import running
from ternary_trainer.extending import earlier_identities, extend
from ternary_trainer.run import FACTS, Run
from ternary_trainer.train import train

COUPLED: Mapping[str, str] = {
    "batch": "8192",
    "scoring.draws": "50_000",
    "scoring.report_draws": "50_000",
    "scoring.sampling_draws": "1_000",
    "scoring.exact": "0.0",
}


def weights(run: Run) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in run.best("loss").state.items()}


def refusal(path: Path, **settings: str) -> str:
    with pytest.raises(InputError) as refused:
        extend(path, {key.replace("__", "."): value for key, value in settings.items()})
    return str(refused.value)


def test_a_run_that_a_plateau_ended_goes_on_as_if_it_had_been_more_patient(tmp_path: Path) -> None:
    stopping = {**TINY, "epochs": "4", "plateau.patience": "1", "plateau.least": "1.0"}
    stopped = train(recipes.load("boolean-3", stopping), seed=1, out=tmp_path / "run")
    assert (stopped.summary().status, len(stopped.history)) == ("plateau", 2)
    extended = extend(stopped.path, {"plateau.patience": "24"})
    assert len(extended.history) == 2
    longer = train(extended.recipe, seed=1, out=stopped.path, resume=True)
    patient = recipes.load("boolean-3", {**stopping, "plateau.patience": "24"})
    whole = train(patient, seed=1, out=tmp_path / "whole")
    assert (longer.summary().status, longer.recipe) == ("complete", whole.recipe)
    assert weights(longer) == weights(whole)
    (entry,) = json.loads((longer.path / FACTS).read_text())["extended"]
    assert (entry["after"], entry["set"]) == (2, {"plateau.patience": "24"})


@pytest.mark.stress
def test_a_published_run_has_more_epochs_as_if_from_its_start(tmp_path: Path) -> None:
    short = train(recipes.load("v5.5", {**COUPLED, "epochs": "1"}), seed=1, out=tmp_path / "run")
    extended = extend(short.path, {"epochs": "2"})
    longer = train(extended.recipe, seed=1, out=short.path, resume=True)
    whole = train(recipes.load("v5.5", {**COUPLED, "epochs": "2"}), seed=1, out=tmp_path / "whole")
    assert weights(longer) == weights(whole)
    assert [record.loss for record in longer.history] == [record.loss for record in whole.history]


def test_what_would_change_trained_epochs_is_refused_with_the_reason(copied: Callable[[], Path]) -> None:
    path = copied()
    before = (path / "recipe.toml").read_bytes(), (path / FACTS).read_bytes()
    assert refusal(path, epochs="9") == (
        "--set: epochs cannot grow under 'separate': its rate falls to nothing towards epoch 3, and every"
        " epoch's rate and weights follow from how many there are; train another run with more epochs"
    )
    assert refusal(path, batch="512") == (
        "--set: batch cannot change in a run that was begun, only epochs and plateau.patience may grow; train"
        " another run"
    )
    assert refusal(path, plateau__patience="24") == (
        f"{path}: plateau.patience is 24, expected more than that, not 24"
    )
    assert ((path / "recipe.toml").read_bytes(), (path / FACTS).read_bytes()) == before


def test_a_running_training_is_not_extended(copied: Callable[[], Path]) -> None:
    path = copied()
    with running(path):
        assert refusal(path, plateau__patience="30") == f"{path}: another training is running there"


def test_what_is_no_run_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as refused:
        extend(tmp_path, {"epochs": "9"})
    assert str(refused.value) == f"{tmp_path / FACTS}: cannot be read, expected the directory of a run"
    assert list(tmp_path.iterdir()) == []


def test_extensions_that_are_damaged_are_refused(copied: Callable[[], Path]) -> None:
    path = copied()
    facts = json.loads((path / FACTS).read_text())
    (path / FACTS).write_text(json.dumps({**facts, "extended": [3]}))
    with pytest.raises(FormatError) as refused:
        earlier_identities(runs.open(path))
    assert str(refused.value) == (
        f"{path / FACTS}: extended is no list of extensions, expected what 'train' wrote"
    )
