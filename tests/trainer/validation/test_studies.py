"""Studies: what they train, what they reuse, and what they refuse. The trainings are real, and tiny."""

import dataclasses
import shutil

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.run import SUMMARY
from ternary_trainer.validation import studies, traces
from ternary_trainer.validation.studies import beta_jobs, conduct, finished, seed_jobs


def test_a_finished_training_is_reused_and_an_unfinished_one_goes_on(finished, tiny, tmp_path):
    job = seed_jobs(tiny, tmp_path, seeds=[3])[0]
    shutil.copytree(finished.path, job.out)
    told = []
    study = conduct([job], tell=told.append)
    assert told == [f"{job.out.name}: reused"]
    best = finished.summary().choices["coverage"]
    assert study.trials[0].paths == {"A": best.A, "B": best.B}
    (job.out / SUMMARY).unlink()
    told.clear()
    assert conduct([job], tell=told.append) == study
    assert told[0] == f"{job.out.name}: training"


def test_a_folder_that_holds_another_training_is_refused(finished, tiny, tmp_path):
    job = seed_jobs(tiny, tmp_path, seeds=[4])[0]
    shutil.copytree(finished.path, job.out)
    with pytest.raises(InputError) as refused:
        conduct([job])
    assert str(refused.value) == f"{job.out}: holds another training; choose another folder for the studies"


def test_a_sweep_multiplies_beta_throughout_and_leaves_the_rest(tiny, tmp_path):
    jobs = beta_jobs(tiny, tmp_path, seed=1, factors=[0.5, 4.0])
    assert [job.factor for job in jobs] == [0.5, 4.0]
    (surge,) = jobs[1].recipe.surge
    assert (surge.epoch, surge.epochs, surge.beta) == (0, tiny.epochs, 4.0)
    assert (surge.noise, surge.exploration, surge.rate) == (1.0, 1.0, 1.0)
    assert dataclasses.replace(jobs[1].recipe, surge=tiny.surge) == tiny
    assert len({job.out for job in jobs}) == 2


def test_a_sweep_trains_with_the_multiplied_beta(finished, tiny, tmp_path):
    short = dataclasses.replace(tiny, epochs=2, surge=())
    job = beta_jobs(short, tmp_path, seed=3, factors=[2.0])[0]
    study = conduct([job])
    assert study.trials[0].factor == 2.0
    assert finished_epochs(job) == [2 * 0.3, 2 * tiny.separate.spread.beta]


def finished_epochs(job):
    assert finished(job)
    return [record.A.beta for record in runs.open(job.out).history]


def test_jobs_of_one_recipe_never_share_a_folder_with_anothers(tiny, tmp_path):
    other = dataclasses.replace(tiny, batch=tiny.batch * 2)
    assert seed_jobs(tiny, tmp_path)[0].out != seed_jobs(other, tmp_path)[0].out
    assert len(studies.SEEDS) >= 3


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
