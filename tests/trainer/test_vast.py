"""Models of spaces that cannot be listed: trained, resumed, surged, drawn, chosen and reported."""

import hashlib
import json
import math
import signal
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from tests.trainer.conftest import VAST_TINY

from ternary_export.reach import margins
from ternary_sdk.errors import InputError
from ternary_trainer import checkpoint, plot, progress, recipe, run, tensorboard
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train
from ternary_trainer.vast_report import VastPathReport

VALIDATION = "85f1e3e785d65395bc377346c9338f6bf5554fb47ec633247673db12b98770fe"
"""SHA-256 of the 500 operations that runs of (8, 1) choose by."""


def test_a_run_of_a_vast_space_has_its_own_figures(trained: Run, short: Recipe) -> None:
    assert run.open(trained.path).recipe == short
    for record in trained.history:
        assert record.limit is None
        for path in record.paths.values():
            assert path.coverage is None
            assert path.entropy is None
            kl = path.kl_single + path.kl_pairs + max(0.0, path.kl_higher)
            assert path.headline == path.evenness == pytest.approx(math.exp(-kl))
            assert 0 < path.evenness < 1.05
        assert record.headline == min(path.evenness for path in record.paths.values())
    first, last = trained.history[0], trained.history[-1]
    assert all(last.paths[path].reconstruction < first.paths[path].reconstruction for path in "AB")
    (surge,) = trained.summary().surges
    assert (surge.epoch, surge.strength) == (1, 0.5)
    assert surge.before == trained.history[0].headline


def test_the_most_even_epoch_is_chosen_and_measured(trained: Run) -> None:
    best = max(trained.history, key=lambda record: record.headline)
    kept = trained.best()
    assert kept.epoch == best.epoch
    shown = " and ".join(f"{path.evenness:.4f} on {name}" for name, path in best.paths.items())
    assert (
        "the highest evenness of the weaker path, given 0.0% exact; evenness of cells, pairs" in kept.reason
    )
    assert f"triples is {shown} (perfect draws 1)" in kept.reason
    choice = trained.summary().choices["coverage"]
    for path in choice.paths.values():
        assert isinstance(path, VastPathReport)
        assert path.draws == 30_000
        assert path.expected_pairs == pytest.approx(30_000 * 29_999 / 2 / 8**8)
        assert path.colliding_pairs > path.expected_pairs
        assert path.families_exact.keys() == {"balanced"}
    with pytest.raises(InputError) as refused:
        assert choice.counted
    assert str(refused.value) == ("choice by coverage: is of a vast space, whose operations are not counted")


def test_an_interrupted_training_of_a_vast_space_goes_on_to_the_same_weights(
    trained: Run, short: Recipe, tmp_path: Path
) -> None:
    """Interrupted after each epoch, so that also the running tables go on."""
    out, stop = tmp_path / "run", lambda _: signal.raise_signal(signal.SIGINT)
    train(short, seed=5, out=out, on_epoch=stop)
    train(short, seed=5, out=out, on_epoch=stop, resume=True)
    resumed = train(short, seed=5, out=out, resume=True)
    one, other = (checkpoint.read(path / run.STATE)["model"] for path in (trained.path, resumed.path))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert [replace(record, seconds=0.0, core_seconds=None) for record in resumed.history] == [
        replace(record, seconds=0.0, core_seconds=None) for record in trained.history
    ]
    assert resumed.summary().choices == trained.summary().choices


def test_a_run_names_the_rule_and_the_operations_it_chose_by(trained: Run) -> None:
    facts = json.loads((trained.path / "run.json").read_text())
    assert facts["operations"] == {
        "rule": hashlib.sha256(b"ternary-holdout-v1/8,1").hexdigest(),
        "validation": VALIDATION,
    }


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra `plot` is not installed")
def test_a_run_of_a_vast_space_is_drawn_with_its_own_figures(trained: Run, tmp_path: Path) -> None:
    plot.draw(trained, tmp_path / "run.svg")
    drawn = (tmp_path / "run.svg").read_text()
    titles = (
        "evenness: e to the minus KL of cells, pairs and triples, %",
        "validation operations exact, %",
        "floor 16.635",
    )
    for expected in titles:
        assert f"<!-- {expected} -->" in drawn


def test_what_examines_every_operation_refuses_a_vast_space(trained: Run) -> None:
    with pytest.raises(InputError) as refused:
        margins(trained.best().state)
    assert str(refused.value) == (
        "weights: are of the vast space 8,1; what they reach cannot be listed, expected a listed space"
    )


def test_lines_and_figures_of_an_epoch_are_those_of_its_space(trained: Run) -> None:
    record = trained.history[-1]
    assert f"A evenness {record.paths['A'].evenness:.4f} exact " in progress.line(record, 0.0)
    assert "  perfect 1  " in progress.line(record, 0.0)
    assert progress.view(record, 0.0, trained.recipe.signature) is not None
    named = tensorboard.figures(record)
    assert named["evenness/B"] == record.paths["B"].evenness
    assert "coverage/A" not in named


def test_what_a_path_has_lost_is_told_once_until_it_changes(trained: Run) -> None:
    losses = progress.Losses(trained.recipe.signature)
    path = replace(trained.history[0].paths["A"], active=6, lost_cells=1)
    record = replace(trained.history[0], epoch=1, paths={"A": path})
    told = (
        "path A: 1 of 8 cells and 2 of 8 dimensions are lost; what is lost early is hardly ever found again:"
        " train longer at first, with a lower beta or another seed"
    )
    found = replace(record, paths={"A": replace(path, active=8, lost_cells=0)})
    assert losses.new(replace(record, epoch=0)) == []
    assert [losses.new(each) for each in (record, record, found, found)] == [
        [told], [], ["path A: no cell or dimension is lost any more"], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"separate.learn.passes": "2"},
            "setting 'separate.learn.passes' is of listed spaces, but 8,1 is vast",
        ),
        ({"scoring.sampling_draws": "1"}, "setting 'scoring.sampling_draws' is of listed spaces, but 8,1 is"),
        ({"scoring.draws": "10"}, "setting 'scoring.draws' is 10, expected 1000 to 2e+08"),
        (
            {"holdout_family": "commutative"},
            "setting 'holdout_family': family 'commutative': needs two inputs",
        ),
        (
            {"separate.paths.A.low_window": "9e3"},
            "setting 'separate.paths.A.low_window' is of listed spaces, but 8,1 is vast; leave it out",
        ),
        ({"batch": "1"}, "setting 'batch' is 1, expected 2 to 1.04858e+06"),
        ({"space": "3,2"}, "setting 'scoring.sampling_draws' is missing"),
    ],
)
def test_a_setting_that_does_not_fit_a_vast_space_is_refused(changed: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as refused:
        recipe.load("quaternary", VAST_TINY | changed)
    assert f"recipe 'quaternary': {problem}" in str(refused.value)
