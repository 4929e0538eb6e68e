"""The experiment's command: each training is done once, and a parameter comes back through the latent."""

import json
from pathlib import Path

import pytest
import torch
from maintenance.hybrid import evening
from maintenance.hybrid.__main__ import CHANGED, SEEDS, kept, main
from maintenance.hybrid.cases import CASES
from maintenance.hybrid.tables import table

from ternary_trainer import recipe as recipes

QUICK = {
    "epochs": 2,
    "surge": [],
    "separate.learn.epochs": 1,
    "separate.learn.passes": 2,
    "scoring.report_draws": 50_000,
    **{f"separate.paths.{path}.passes": 1 for path in "AB"},
    **{f"separate.paths.{path}.{key}": 512 for path in "AB" for key in ("draws", "pushed")},
}


def test_every_training_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = {kept(tmp_path, case, seed) for case in CASES for seed in SEEDS}
    assert len(files) == len(CASES) * len(SEEDS)
    assert kept(tmp_path, CASES[-1], 2) == tmp_path / "delay-linear-head-2.json"


def test_the_recipe_is_coverage_with_what_is_said_to_differ() -> None:
    plain, changed = recipes.load("coverage"), recipes.load("coverage", CHANGED)
    assert (plain.epochs, changed.epochs) == (20, 10)
    assert changed.separate == plain.separate


def test_the_table_of_nothing_is_its_heads(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), "--table"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 5
    assert not (tmp_path / "out").exists()


def test_the_table_shows_the_worst_seed() -> None:
    def seed(exact: float, distance: float) -> dict[str, object]:
        error = {"value": distance, "low": distance / 2, "high": distance * 2}
        drawn = dict.fromkeys(
            ("of all", "given a cell", "given the neighbours", "impossible", "between parameters"), distance
        )
        return {
            "exact": exact, "exact at the edges": exact, "margin at the edges": 1.5, "coverage": 0.92,
            "core seconds": 30.0, "errors": [dict.fromkeys(("0.5", "0.9", "0.99"), error)], "drawn": drawn,
        }  # fmt: skip

    lines = table({"1": [seed(1.0, 0.01), seed(0.5, 0.02)]}).splitlines()
    assert lines[2] == (
        "| 1 | 2 | 50.00 % | 50.00 % | 1.500 | 0.0200 (0.0100 to 0.0400) | 0.0200 (0.0100 to 0.0400) "
        "| 0.0200 (0.0100 to 0.0400) | 92.00 % | 30 |"
    )
    assert lines[6] == "| 1 | 2 | 0.0200 | 0.0200 | 0.0200 | 2.00 % | 0.0200 |"


def test_parameters_of_another_spread_are_pushed_towards_the_normal_one() -> None:
    scores = (2 * torch.randn(4096, 1, generator=torch.Generator().manual_seed(1))).requires_grad_()
    found = evening.marginal(scores)
    assert float(found.detach()) == pytest.approx(1, abs=0.1)  # (2 - 1)² of the standard deviation
    found.backward()
    assert scores.grad is not None
    assert float((scores.grad * scores.detach()).sum()) > 0


def test_pairs_that_ignore_the_operation_are_further_from_the_data_than_pairs_of_the_law() -> None:
    random = torch.Generator().manual_seed(2)
    digits = torch.randint(3, (2, 512, 9), generator=random)
    scores = digits[:, :, :1] - 1.0
    mixed = scores[0][torch.randperm(512, generator=random)]
    by_law, ignoring = (evening.joint(digits[0], drawn, digits[1], scores[1]) for drawn in (scores[0], mixed))
    assert ignoring > by_law


@pytest.mark.slow
def test_a_training_is_done_once_and_its_parameters_come_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path), "--seed", "1", "--case", "2"]
    assert main(words, recipes.load("coverage", QUICK)) == 0
    file = tmp_path / "2-1.json"
    first, written = capfd.readouterr().out, file.stat().st_mtime_ns
    median = json.loads(file.read_text("utf-8"))["errors"][0]["0.5"]
    assert median["low"] <= median["value"] <= median["high"] < 0.05  # a guess is 0.25 off
    assert main(words, recipes.load("coverage", QUICK)) == 0
    assert capfd.readouterr().out == first
    assert file.stat().st_mtime_ns == written
