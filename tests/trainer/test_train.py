import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ternary_export.reach import margins
from ternary_sdk.coverage import percent
from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import checkpoint, history, recipe, run, split
from ternary_trainer.history import EpochRecord
from ternary_trainer.run import Run
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train
from ternary_trainer.validation import novelty, opening
from ternary_trainer.validation.thresholds import Thresholds

PROGRAM = """
import sys
from pathlib import Path
from ternary_trainer import recipe
from ternary_trainer.train import train
run = train(recipe.load(sys.argv[1]), seed=3, out=Path(sys.argv[2]), resume=sys.argv[3] == "resume")
print(run.summary().status)
"""


def state(path: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = checkpoint.read(path / run.STATE)["model"]
    return loaded


def assert_same_weights(one: Path, other: Path) -> None:
    expected, given = state(one), state(other)
    assert [name for name in expected if not torch.equal(expected[name], given[name])] == []


def figures(trained: Run) -> list[EpochRecord]:
    return [replace(record, seconds=0.0, core_seconds=None) for record in trained.history]


def test_a_run_directory_tells_how_to_repeat_it(finished: Run, tiny: Recipe) -> None:
    reopened = run.open(finished.path)
    assert reopened.recipe == tiny
    assert (reopened.seed, len(reopened.history)) == (3, 4)
    assert reopened.facts["torch"] == torch.__version__
    assert [record.phase for record in reopened.history] == ["learn", "spread", "spread", "spread"]


def test_a_run_records_which_operations_were_used_for_what(finished: Run) -> None:
    facts = json.loads((finished.path / run.FACTS).read_text())
    assert facts["operations"] == split.sets().digests


def test_a_family_held_out_is_kept_from_training_and_selection(tiny: Recipe, tmp_path: Path) -> None:
    recipe = replace(tiny, holdout_family="non-surjective", epochs=2, surge=())
    held = train(recipe, seed=3, out=tmp_path / "run")
    assert run.open(held.path).recipe == recipe
    facts = json.loads((held.path / run.FACTS).read_text())
    assert facts["operations"] == split.sets(family="non-surjective").digests
    subject = opening.run_subject(held, margins)
    assert len(subject.split.training) == 14_514
    names = [figure.name for figure in novelty.novel_operations(subject, Thresholds()).figures]
    assert names.count("non-surjective, 1533 held out as a whole") == 2


def test_a_recipe_changed_under_a_run_is_refused(copied: Callable[[], Path]) -> None:
    path = copied()
    text = (path / run.RECIPE).read_text()
    (path / run.RECIPE).write_text(text.replace("\n\n", '\nholdout_family = "self-dual"\n\n', 1))
    with pytest.raises(FormatError) as caught:
        run.open(path)
    trained, claimed = (split.sets(family=family).training.digest for family in (None, "self-dual"))
    assert str(caught.value) == (
        f"{path / run.FACTS}: sha256 of the training operations is {trained}, those of recipe.toml have"
        f" {claimed}; the recipe was changed after the training began, put it back"
    )


def test_a_run_begun_before_digests_were_recorded_still_opens(copied: Callable[[], Path]) -> None:
    path = copied()
    facts = json.loads((path / run.FACTS).read_text())
    del facts["operations"]
    (path / run.FACTS).write_text(json.dumps(facts))
    assert run.open(path).seed == 3


def test_training_learns(finished: Run) -> None:
    first, last = finished.history[0], finished.history[-1]
    assert last.paths["A"].reconstruction < 0.95 * first.paths["A"].reconstruction
    assert last.paths["B"].reconstruction < 0.95 * first.paths["B"].reconstruction
    assert last.limit == pytest.approx(0.921159, abs=1e-6)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    finished: Run, tiny: Recipe, tmp_path: Path
) -> None:
    again = train(tiny, seed=3, out=tmp_path / "again")
    assert_same_weights(finished.path, again.path)
    assert figures(again) == figures(finished)
    short = replace(tiny, epochs=2, surge=())
    other = train(short, seed=4, out=tmp_path / "other")
    assert not torch.equal(
        state(other.path)["encoder_A.fc_mu.bias"], state(again.path)["encoder_A.fc_mu.bias"]
    )


def test_training_leaves_threads_and_random_state_as_they_were(tiny: Recipe, tmp_path: Path) -> None:
    threads, stream = torch.get_num_threads(), torch.get_rng_state()
    train(replace(tiny, epochs=2, surge=()), seed=1, out=tmp_path / "run")
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), stream)


def test_each_rule_keeps_the_weights_of_the_epoch_it_chose(finished: Run) -> None:
    best = max(finished.history, key=lambda record: record.headline)
    kept = finished.best()
    assert kept.epoch == best.epoch
    assert f"{percent(best.paths['A'].coverage)} % on A" in kept.reason
    assert finished.best("elbo").epoch == min(finished.history, key=lambda record: record.elbo).epoch
    if kept.epoch == 3:
        assert all(torch.equal(kept.state[name], value) for name, value in state(finished.path).items())


def test_the_summary_shows_what_each_rule_would_have_shipped(finished: Run) -> None:
    summary = finished.summary()
    assert (summary.status, summary.epochs, summary.epochs_saved) == ("complete", 4, 0)
    assert set(summary.choices) == {"coverage", "elbo", "loss"}
    for rule, choice in summary.choices.items():
        assert choice.epoch == finished.best(rule).epoch
        shipped = finished.history[choice.epoch]
        assert choice.paths["A"].coverage == pytest.approx(shipped.paths["A"].coverage, abs=0.02)
    assert summary.seconds == pytest.approx(sum(record.seconds for record in finished.history))


def test_the_time_to_a_coverage_is_that_of_the_first_epoch_that_reaches_it(finished: Run) -> None:
    second = finished.history[1]
    first_reached = next(record.epoch for record in finished.history if record.headline >= second.headline)
    expected = sum(record.seconds for record in finished.history[: first_reached + 1])
    assert finished.seconds_to(second.headline) == pytest.approx(expected)
    assert finished.seconds_to(1.0) is None


def test_the_recipes_surge_is_in_history_and_summary(finished: Run) -> None:
    assert [record.surge for record in finished.history] == [0.0, 0.0, 0.5, 0.0]
    (surge,) = finished.summary().surges
    assert (surge.epoch, surge.epochs, surge.strength, surge.origin) == (2, 1, 0.5, "recipe")
    coverage = [record.headline for record in finished.history]
    assert (surge.before, surge.during, surge.after) == (coverage[1], coverage[2], coverage[3])
    assert finished.history[2].paths["A"].noise == pytest.approx(1.5**0.5)


def test_a_run_killed_at_any_moment_resumes_to_the_same_weights(
    finished: Run, tiny: Recipe, tmp_path: Path
) -> None:
    file, out = tmp_path / "tiny.toml", tmp_path / "killed"
    file.write_text(recipe.dump(tiny))
    for attempt, epochs in enumerate((1, 3)):
        command = [sys.executable, "-c", PROGRAM, str(file), str(out), "resume" if attempt else "start"]
        with subprocess.Popen(command) as process:
            wait_for_epochs(out, epochs, process)
            process.send_signal(signal.SIGKILL)
    assert run.open(out).summary().status == "running"
    resumed = train(run.open(out).recipe, seed=3, out=out, resume=True)
    assert_same_weights(finished.path, out)
    assert figures(resumed) == [
        replace(record, seconds=0.0, core_seconds=None) for record in finished.history
    ]


def wait_for_epochs(out: Path, epochs: int, process: subprocess.Popen[bytes]) -> None:
    history = out / "history.jsonl"
    deadline = time.monotonic() + 600
    while not history.exists() or history.read_text().count("\n") < epochs:
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_run_killed_between_history_and_state_trains_that_epoch_again(
    finished: Run, tiny: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    stop_after(2, tiny, out)
    before = (out / run.STATE).read_bytes()
    stop_after(3, tiny, out, resume=True)
    (out / run.STATE).write_bytes(before)
    train(tiny, seed=3, out=out, resume=True)
    assert_same_weights(finished.path, out)
    assert [record.epoch for record in run.open(out).history] == [0, 1, 2, 3]


def stop_after(epochs: int, tiny: Recipe, out: Path, resume: bool = False) -> Run:
    def interrupt(record: EpochRecord) -> None:
        if record.epoch + 1 == epochs:
            os.kill(os.getpid(), signal.SIGINT)

    return train(tiny, seed=3, out=out, on_epoch=interrupt, resume=resume)


def test_ctrl_c_finishes_the_epoch_and_says_so(tiny: Recipe, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    interrupted = stop_after(2, tiny, tmp_path / "run")
    assert (interrupted.summary().status, len(interrupted.history)) == ("interrupted", 2)
    assert interrupted.best().epoch in (0, 1)
    assert signal.getsignal(signal.SIGINT) is handler


def test_resuming_a_finished_run_changes_nothing(copied: Callable[[], Path], finished: Run) -> None:
    again = train(finished.recipe, seed=3, out=copied(), resume=True)
    assert again.history == finished.history
    assert again.summary().status == "complete"


def test_a_plateau_ends_the_run_and_says_what_it_saved(tiny: Recipe, tmp_path: Path) -> None:
    hopeless = replace(tiny.plateau, patience=1, least=1.0)
    trained = train(replace(tiny, plateau=hopeless, surge=()), seed=3, out=tmp_path / "run")
    summary = trained.summary()
    assert (summary.status, summary.epochs, summary.epochs_saved) == ("plateau", 2, 2)
    assert summary.seconds_saved == pytest.approx(2 * summary.seconds / 2)


def test_a_directory_in_use_is_refused(finished: Run, tiny: Recipe) -> None:
    with pytest.raises(InputError) as caught:
        train(tiny, seed=3, out=finished.path)
    assert str(caught.value) == (
        f"{finished.path}: exists and is not an empty directory; resume the run in it, or name another"
    )


def test_another_recipe_or_seed_is_not_resumed(finished: Run, tiny: Recipe) -> None:
    with pytest.raises(InputError) as caught:
        train(replace(tiny, clip=2.0), seed=3, out=finished.path, resume=True)
    assert str(caught.value) == (
        f"{finished.path}: its recipe says 'clip = 5.0', cannot resume it with 'clip = 2.0'"
    )
    with pytest.raises(InputError) as caught:
        train(tiny, seed=5, out=finished.path, resume=True)
    assert str(caught.value) == f"{finished.path}: was started with seed 3, cannot resume it with 5"


def test_a_damaged_state_is_refused_and_snapshots_stay(copied: Callable[[], Path], tiny: Recipe) -> None:
    path = copied()
    whole = (path / run.STATE).read_bytes()
    (path / run.STATE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"state\.pt: not a file of tensors"):
        train(tiny, seed=3, out=path, resume=True)
    assert run.open(path).best().epoch >= 0


def test_another_runs_state_is_refused(copied: Callable[[], Path], tiny: Recipe, tmp_path: Path) -> None:
    path, other = copied(), tmp_path / "other"
    stop_after(1, replace(tiny, clip=2.0), other)
    (path / run.STATE).write_bytes((other / run.STATE).read_bytes())
    with pytest.raises(FormatError) as caught:
        train(tiny, seed=3, out=path, resume=True)
    assert str(caught.value) == f"{path / run.STATE}: is of another training, expected the state of this one"


def test_a_history_that_lost_an_epoch_is_refused(copied: Callable[[], Path], tiny: Recipe) -> None:
    path = copied()
    kept = (path / history.NAME).read_text().splitlines(keepends=True)
    (path / history.NAME).write_text("".join(kept[:-1]))
    with pytest.raises(FormatError) as caught:
        train(tiny, seed=3, out=path, resume=True)
    assert str(caught.value) == (
        f"{path / history.NAME}: expected epochs 0 to 3 in order, which state.pt has trained"
    )


def test_a_state_whose_parts_are_damaged_is_refused(copied: Callable[[], Path], tiny: Recipe) -> None:
    path = copied()
    state = checkpoint.read(path / run.STATE)
    state["method"]["A"].pop("random")
    checkpoint.write(path / run.STATE, state)
    with pytest.raises(FormatError) as caught:
        train(tiny, seed=3, out=path, resume=True)
    assert str(caught.value) == f"{path / run.STATE}: is damaged, expected the state of a training"


def test_a_folder_whose_making_was_killed_is_begun_anew(finished: Run, tiny: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "run"
    (out / "snapshots").mkdir(parents=True)
    (out / run.RECIPE).write_bytes((finished.path / run.RECIPE).read_bytes())
    (out / ".run.json.0a1b2c3d").write_bytes(b"{")
    train(tiny, seed=3, out=out)
    assert_same_weights(finished.path, out)


def test_a_snapshot_in_the_states_place_is_refused(copied: Callable[[], Path], tiny: Recipe) -> None:
    path = copied()
    (path / run.STATE).write_bytes((path / "snapshots" / "coverage.pt").read_bytes())
    with pytest.raises(FormatError, match=r"state\.pt: lacks 'of', expected the state of a training"):
        train(tiny, seed=3, out=path, resume=True)


def test_an_overflow_is_refused_and_nothing_of_it_kept(tiny: Recipe, tmp_path: Path) -> None:
    assert tiny.separate is not None
    wild = replace(
        tiny, clip=1e6, separate=replace(tiny.separate, learn=replace(tiny.separate.learn, rate=1.0))
    )
    with pytest.raises(InputError, match=r"epoch \d gave figures that are not finite"):
        train(replace(wild, epochs=40), seed=3, out=tmp_path / "run")
    for file in (tmp_path / "run" / "snapshots").glob("*.pt"):
        checkpoint.load(file)


@pytest.mark.parametrize("name", ["recipe.toml", "run.json", "history.jsonl", "snapshots/coverage.pt"])
def test_a_damaged_run_is_refused_by_the_name_of_its_file(copied: Callable[[], Path], name: str) -> None:
    path = copied()
    (path / name).write_text("{damaged\n")
    with pytest.raises(FormatError, match=name):
        run.open(path).best()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"run\.json: cannot be read, expected the directory of a run"):
        run.open(tmp_path)
