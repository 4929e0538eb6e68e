from dataclasses import replace
from pathlib import Path

import pytest

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import disrupt, run
from ternary_trainer.dials import Dials, turned
from ternary_trainer.history import EpochRecord
from ternary_trainer.settings import Recipe, Surge
from ternary_trainer.train import train

DIALS = Dials(rate=1e-3, beta=0.1, noise=1.0, exploration=2.0)


def test_a_surge_turns_four_dials_by_its_factors_to_the_power_of_its_strength() -> None:
    surge = Surge(epoch=0, strength=2.0, noise=1.5, beta=2.0, exploration=3.0, rate=0.5)
    expected = Dials(rate=1e-3 / 4, beta=0.4, noise=2.25, exploration=18.0)
    assert turned(DIALS, surge) == pytest.approx(expected)


def test_a_surge_of_strength_zero_changes_nothing() -> None:
    assert turned(DIALS, Surge(epoch=0, strength=0.0)) == DIALS
    assert turned(DIALS, None) == DIALS


def test_a_request_surges_a_running_training_and_a_cancel_ends_it(tiny: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "run"

    def from_another_terminal(record: EpochRecord) -> None:
        if record.epoch == 0:
            disrupt.request(out, strength=1.5, epochs=3)
        if record.epoch == 2:
            disrupt.cancel(out)

    trained = train(replace(tiny, surge=()), seed=1, out=out, on_epoch=from_another_terminal)
    assert [record.surge for record in trained.history] == [0.0, 1.5, 1.5, 0.0]
    assert [record.surge_origin for record in trained.history] == ["", "request", "request", ""]
    assert trained.history[1].paths["B"].noise == pytest.approx(1.5**1.5)
    (surge,) = trained.summary().surges
    assert (surge.epoch, surge.epochs, surge.origin) == (1, 2, "request")


def test_a_cancel_ends_a_recipes_surge_too(tmp_path: Path) -> None:
    surges = disrupt.Surges([Surge(epoch=1, epochs=3), Surge(epoch=6)], tmp_path)
    assert [surges.at(epoch)[1] for epoch in (0, 1)] == ["", "recipe"]
    with disrupt.running(tmp_path):
        disrupt.cancel(tmp_path)
    assert [surges.at(epoch)[1] for epoch in (2, 3, 4, 6)] == ["", "", "", "recipe"]


def test_a_request_replaces_the_surge_that_is_on_and_outlives_a_restart(tmp_path: Path) -> None:
    planned = [Surge(epoch=0, epochs=9)]
    surges = disrupt.Surges(planned, tmp_path)
    with disrupt.running(tmp_path):
        disrupt.request(tmp_path, strength=0.5, epochs=4)
    first, origin = surges.at(2)
    assert first is not None
    assert (first.strength, origin) == (0.5, "request")
    resumed = disrupt.Surges(planned, tmp_path)
    resumed.restore(surges.state())
    assert [resumed.at(epoch)[1] for epoch in (3, 5, 6)] == ["request", "request", "recipe"]


def test_a_request_taken_in_an_epoch_that_was_never_kept_is_taken_again(tmp_path: Path) -> None:
    killed = disrupt.Surges([], tmp_path)
    before = killed.state()
    with disrupt.running(tmp_path):
        disrupt.request(tmp_path, strength=0.5, epochs=2)
    assert killed.at(3)[1] == "request"
    resumed = disrupt.Surges([], tmp_path)
    resumed.restore(before)
    assert [resumed.at(epoch)[1] for epoch in (3, 4, 5)] == ["request", "request", ""]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": "1", "strength": 1.0}'])
def test_a_request_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "surge.json").write_text(text)
    with pytest.raises(FormatError) as caught:
        disrupt.Surges([], tmp_path).at(0)
    assert str(caught.value) == f"{tmp_path / 'surge.json'}: is no surge request; remove it and resume"


def test_nothing_is_asked_of_a_training_that_does_not_run(tmp_path: Path) -> None:
    for ask in (disrupt.request, disrupt.cancel):
        with pytest.raises(InputError) as caught:
            ask(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}: no training is running there, expected the directory of a running one"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("strength", "epochs", "message"),
    [(-1.0, 1, "strength: -1.0, expected 0 to 10"), (1.0, 0, "epochs: 0, expected 1 or more")],
)
def test_a_request_out_of_range_is_refused(
    tmp_path: Path, strength: float, epochs: int, message: str
) -> None:
    with disrupt.running(tmp_path), pytest.raises(InputError, match=message):
        disrupt.request(tmp_path, strength=strength, epochs=epochs)


def test_two_trainings_never_share_a_directory(tmp_path: Path) -> None:
    with (
        disrupt.running(tmp_path),
        pytest.raises(InputError, match="another training is running there"),
        disrupt.running(tmp_path),
    ):
        pass
    assert not disrupt.is_running(tmp_path)


def test_effects_of_a_surge_at_the_start_and_at_the_end(tiny: Recipe, tmp_path: Path) -> None:
    surges = (Surge(epoch=0), Surge(epoch=3, strength=2.0))
    trained = train(replace(tiny, surge=surges), seed=2, out=tmp_path / "run")
    first, last = disrupt.effects(run.open(trained.path).history)
    coverage = [record.headline for record in trained.history]
    assert (first.before, first.during, first.after) == (coverage[0], coverage[0], max(coverage[1:4]))
    assert (last.before, last.during, last.after) == (coverage[2], coverage[3], coverage[3])
