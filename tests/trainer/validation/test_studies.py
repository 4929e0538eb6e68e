"""Studies: what they train, what they reuse, and what they refuse. The trainings are real, and tiny."""

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.run import SUMMARY
from ternary_trainer.validation import traces
from ternary_trainer.validation.studies import beta_jobs, conduct, seed_jobs


def of(run, **changes):
    """The same run as if its recipe or seed had been another."""
    return dataclasses.replace(run, **changes)


def test_a_finished_training_is_reused_and_an_unfinished_one_goes_on(finished, tmp_path):
    job = seed_jobs(of(finished, seed=1), tmp_path, count=3)[2]
    assert job.seed == 3
    shutil.copytree(finished.path, job.out)
    told = []
    study = conduct([job], tell=told.append)
    assert told == [f"{job.out.name}: reused"]
    best = finished.summary().choices["coverage"]
    assert study.trials[0].paths == best.paths
    (job.out / SUMMARY).unlink()
    told.clear()
    assert conduct([job], tell=told.append) == study
    best_epoch = f"{job.out.name}: epoch 3 (4 of 4), coverage "
    assert told.pop(0) == "1 trainings to make, 1 at a time"
    assert told[0] == f"{job.out.name}: training"
    assert told[-1].startswith(f"{job.out.name}: complete after 4 epochs, ")
    assert all(line.startswith(best_epoch) for line in told[1:-1])


@pytest.mark.stress
def test_trainings_in_several_processes_come_out_as_in_one(finished, tiny, tmp_path):
    short = of(finished, recipe=dataclasses.replace(tiny, epochs=2, surge=()))
    told = []
    alone = conduct(beta_jobs(short, tmp_path / "alone", factors=[2.0])[1:])
    beside = conduct(
        beta_jobs(short, tmp_path / "beside", factors=[2.0, 4.0])[1:], workers=2, tell=told.append
    )
    with ThreadPoolExecutor(1) as pool:
        elsewhere = conduct(
            beta_jobs(short, tmp_path / "elsewhere", factors=[2.0])[1:], workers=1, executor=pool
        )
    assert beside.trials[0] == alone.trials[0] == elsewhere.trials[0]
    assert told[0] == "2 trainings to make, 2 at a time"
    assert any(": epoch 1 (2 of 2), coverage " in line for line in told)


def test_the_run_itself_is_one_of_the_seeds_and_is_not_trained_again(finished, tmp_path):
    jobs = seed_jobs(finished, tmp_path)
    assert [job.seed for job in jobs] == [3, 1, 2]
    assert jobs[0].out == finished.path
    told = []
    conduct(jobs[:1], tell=told.append)
    assert told == ["finished: reused"]


def test_trainings_of_the_folder_are_reused_whatever_their_names(finished, tiny, tmp_path):
    studied = of(finished, seed=1)
    shutil.copytree(finished.path, tmp_path / "coverage-3")
    shutil.copytree(finished.path, tmp_path / "again")
    (tmp_path / "again" / SUMMARY).unlink()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "run.json").write_text("{damaged")
    jobs = seed_jobs(studied, tmp_path, count=3)
    assert [job.out.name for job in jobs[2:]] == ["coverage-3"]
    other = of(studied, recipe=dataclasses.replace(tiny, name="mine", clip=2.0))
    assert [job.out.name[:5] for job in seed_jobs(other, tmp_path, count=3)[1:]] == ["mine-", "mine-"]


def test_a_training_under_another_name_that_was_interrupted_goes_on(finished, tiny, tmp_path):
    shutil.copytree(finished.path, tmp_path / "first")
    (tmp_path / "first" / SUMMARY).unlink()
    renamed = of(finished, seed=1, recipe=dataclasses.replace(tiny, name="mine", about="The same."))
    study = conduct(seed_jobs(renamed, tmp_path, count=3)[2:])
    best = finished.summary().choices["coverage"]
    assert study.trials[0].paths == best.paths


@pytest.mark.parametrize("count", [2, 11])
def test_too_few_or_too_many_seeds_are_refused(finished, tmp_path, count):
    with pytest.raises(InputError) as refused:
        seed_jobs(finished, tmp_path, count=count)
    assert str(refused.value) == f"seeds: {count} trainings, expected 3 to 10"


def test_a_training_that_is_refused_ends_a_study_before_the_next_begins(finished, tiny, tmp_path):
    jobs = [
        dataclasses.replace(job, recipe=dataclasses.replace(job.recipe, epochs=2, surge=()))
        for job in seed_jobs(finished, tmp_path, count=5)[1:]
    ]
    for job in jobs[:2]:
        job.out.mkdir()
        (job.out / "foreign").touch()
    with pytest.raises(InputError, match="exists and is not an empty directory"):
        conduct(jobs, workers=2)
    assert not jobs[3].out.exists()


def test_a_folder_that_holds_another_training_is_refused(finished, tmp_path):
    job = seed_jobs(finished, tmp_path)[1]
    shutil.copytree(finished.path, job.out)
    with pytest.raises(InputError) as refused:
        conduct([job])
    assert str(refused.value) == f"{job.out}: holds another training; choose another folder for the studies"


def test_a_sweep_multiplies_beta_throughout_and_leaves_the_rest(finished, tiny, tmp_path):
    jobs = beta_jobs(finished, tmp_path, factors=[0.5, 4.0])
    assert [job.factor for job in jobs] == [1.0, 0.5, 4.0]
    (surge,) = jobs[2].recipe.surge
    assert (surge.epoch, surge.epochs, surge.beta) == (0, tiny.epochs, 4.0)
    assert (surge.noise, surge.exploration, surge.rate) == (1.0, 1.0, 1.0)
    assert dataclasses.replace(jobs[2].recipe, surge=tiny.surge) == tiny
    assert len({job.out for job in jobs}) == 3


def test_a_sweep_trains_with_the_multiplied_beta(finished, tiny, tmp_path):
    short = of(finished, recipe=dataclasses.replace(tiny, epochs=2, surge=()))
    job = beta_jobs(short, tmp_path, factors=[2.0])[1]
    study = conduct([job])
    assert study.trials[0].factor == 2.0
    betas = [record.paths["A"].beta for record in runs.open(job.out).history]
    assert betas == [2 * tiny.separate.learn.beta, 2 * tiny.separate.spread.beta]


def test_jobs_of_one_recipe_never_share_a_folder_with_anothers(finished, tiny, tmp_path):
    other = of(finished, recipe=dataclasses.replace(tiny, batch=tiny.batch * 2))
    assert seed_jobs(finished, tmp_path)[1].out != seed_jobs(other, tmp_path)[1].out


def test_a_runs_surges_are_declared_and_so_is_the_epoch_after(finished):
    found = traces.of_run(finished.history, finished.recipe)
    assert found.declared == {2, 3}
    assert not found.coupled
    assert len(found) == 4


def test_a_file_whose_lists_are_missing_or_odd_has_no_traces():
    good = {
        key: [0.1, 0.2] for key in ("coverage_A_history", "coverage_B_history", "H_A_history", "H_B_history")
    }
    assert traces.of_file(good) is not None
    assert traces.of_file({}) is None
    assert traces.of_file(good | {"H_A_history": [0.1]}) is None
    assert traces.of_file(good | {"H_B_history": [0.1, "x"]}) is None
