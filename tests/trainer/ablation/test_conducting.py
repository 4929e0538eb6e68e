"""Ablations from plan to report: resumed, refused, and compared. The trainings are real, and tiny."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.trainer.ablation.conftest import TEXT

from ternary_sdk.errors import InputError
from ternary_trainer import run as runs
from ternary_trainer.ablation import plan as plans
from ternary_trainer.ablation.conducting import ablate
from ternary_trainer.ablation.folder import held
from ternary_trainer.ablation.measures import MEASURES
from ternary_trainer.ablation.pairing import paired
from ternary_trainer.ablation.plan import Plan
from ternary_trainer.ablation.result import verdict
from ternary_trainer.ablation.timing import Estimate, estimate
from ternary_trainer.run import SUMMARY
from ternary_trainer.validation.studies import Job


def refusal(plan: Plan, folder: Path, at_once: int | None = 1) -> str:
    with pytest.raises(InputError) as refused:
        ablate(plan, folder, at_once=at_once)
    return str(refused.value)


def test_what_is_finished_is_reused_and_what_was_killed_goes_on(tiny_plan: Plan, conducted: Path) -> None:
    before = (conducted / "ablation.json").read_bytes()
    (conducted / "low-beta-2" / SUMMARY).unlink()
    told: list[str] = []
    measured: list[Estimate] = []
    ablate(tiny_plan, conducted, at_once=1, before=measured.append, tell=told.append)
    assert [line for line in told if line.endswith("reused")] == [
        f"{name}-{seed}: reused"
        for name in ("base", "linear-a", "low-beta")
        for seed in (1, 2, 3)
        if (name, seed) != ("low-beta", 2)
    ]
    assert "low-beta-2: training" in told
    (seen,) = measured
    assert (seen.trainings, seen.at_once, seen.measured) == (1, 1, "the mean of 8 finished trainings")
    after = json.loads((conducted / "ablation.json").read_bytes())
    assert after["rows"] == json.loads(before)["rows"]


def test_the_report_has_each_seeds_figures_and_differences(tiny_plan: Plan, conducted: Path) -> None:
    found = ablate(tiny_plan, conducted)
    base, linear, _ = found.rows
    for row in (base, linear):
        coverages = [
            min(path.coverage for path in runs.open(folder).summary().choices["coverage"].counted.values())
            for folder in row.runs
        ]
        assert row.values["coverage"] == tuple(coverages)
    differences = [
        one - other for one, other in zip(linear.values["coverage"], base.values["coverage"], strict=True)
    ]
    assert linear.differences["coverage"] == paired(differences, options=2)
    page = (conducted / "ablation.md").read_text()
    assert f"| {linear.verdict} |" in page
    assert "ternary train --recipe boolean-3 --set epochs=3" in page
    drawn = (conducted / "ablation.svg").read_text()
    for words in ("linear-a", "low-beta", "coverage, difference in points"):
        assert f"<!-- {words} -->" in drawn


def test_a_new_option_and_a_new_seed_keep_what_is_there(
    written: Callable[[str], Path], conducted: Path
) -> None:
    text = TEXT.replace("seeds = 3", "seeds = [3, 1, 2]") + "[options.calm]\nset = { clip = 1.0 }\n"
    told: list[str] = []
    found = ablate(plans.read(written(text)), conducted, at_once=1, tell=told.append)
    assert len([line for line in told if line.endswith("reused")]) == 9
    assert [row.option.name for row in found.rows] == ["base", "linear-a", "low-beta", "calm"]


def test_a_changed_plan_that_contradicts_what_is_there_is_refused_by_name(
    written: Callable[[str], Path], conducted: Path
) -> None:
    file = written(TEXT.replace("0.05", "0.06"))
    assert refusal(plans.read(file), conducted) == (
        f"{conducted / 'low-beta-1'}: was trained with separate.learn.beta 0.05, option 'low-beta' of {file}"
        " has 0.06; put the plan back, or name another folder"
    )
    file = written(TEXT.replace("epochs = 3", "epochs = 4"))
    assert refusal(plans.read(file), conducted) == (
        f"{conducted / 'base-1'}: was trained with epochs 3, the base of {file} has 4; put the plan back, or"
        " name another folder"
    )


def test_a_run_of_another_seed_under_the_name_is_refused(tiny_plan: Plan, conducted: Path) -> None:
    (conducted / "base-1").rename(conducted / "moved")
    (conducted / "base-2").rename(conducted / "base-1")
    assert refusal(tiny_plan, conducted) == (
        f"{conducted / 'base-1'}: was trained with seed 2, expected 1; remove it"
    )


def test_two_processes_do_not_work_in_one_folder(tiny_plan: Plan, conducted: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ternary_trainer.ablation.folder import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, conducted], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert refusal(tiny_plan, conducted) == f"{conducted}: another 'ternary ablate' is at work there"
        other.communicate()
    with held(conducted):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tiny_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(tiny_plan, tmp_path / "file" / "out") == (
        f"{tmp_path / 'file' / 'out'}: cannot be made or written (Not a directory)"
    )


@pytest.mark.parametrize("jobs", [0, 257])
def test_jobs_out_of_range_are_refused(tiny_plan: Plan, tmp_path: Path, jobs: int) -> None:
    assert refusal(tiny_plan, tmp_path / "out", jobs) == f"jobs: {jobs} side by side, expected 1 to 256"
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_nothing_is_trained(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert refusal(tiny_plan, tmp_path / "out").startswith("matplotlib is not installed; run: pip install ")
    assert not (tmp_path / "out").exists()


def test_where_nothing_is_finished_the_base_is_timed(tiny_plan: Plan, tmp_path: Path) -> None:
    recipe = tiny_plan.options[0].recipe
    jobs = [Job(recipe=recipe, seed=seed, factor=1.0, out=tmp_path / f"base-{seed}") for seed in (1, 2, 3)]
    found = estimate(jobs, 2)
    assert (found.trainings, found.at_once) == (3, 2)
    assert found.measured == "one epoch of each phase of the base"
    assert found.each > 0
    assert found.seconds == 2 * found.each
    assert not any(tmp_path.glob("base-*"))


def test_a_verdict_says_what_was_shown_or_would_have_been() -> None:
    coverage = MEASURES["coverage"]
    found = replace(paired([0.01, 0.012, 0.011]), least=0.004)
    assert verdict(coverage, found, 0.01) == "better: coverage +1.100 points"
    assert verdict(coverage, replace(found, mean=-0.011), 0.049) == "worse: coverage -1.100 points"
    assert verdict(coverage, found, 0.05) == (
        "no difference shown; one of at least 0.400 points would have been"
    )
    assert verdict(coverage, paired([0.0, 0.0, 0.0]), 1.0) == (
        "no difference in every seed: without a spread there is nothing to test by"
    )
    assert verdict(coverage, paired([0.01, 0.01, 0.01]), 1.0) == (
        "+1.000 points to the base in every seed: without a spread there is nothing to test by"
    )
