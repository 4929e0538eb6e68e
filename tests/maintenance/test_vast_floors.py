"""The floors of vast recipes: each step is done once, in order, and goes on where it was."""

from pathlib import Path

import pytest
from maintenance import vast_floors
from tests.trainer.conftest import VAST_TINY

from ternary_trainer import recipe as recipes


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of a vast space that trains in a second."""
    file = tmp_path / "tiny.toml"
    file.write_text(recipes.dump(recipes.load("quaternary", VAST_TINY)))
    return file


def test_all_seeds_of_both_recipes_are_asked_for_and_the_first_counts_most(tmp_path: Path) -> None:
    found, start = vast_floors.cases([str(tmp_path)])
    assert start
    assert [(case.recipe, case.seed, case.draws, case.others) for case in found] == [
        ("quaternary", 1, "1e9", "1e8"), ("quaternary", 2, "1e8", "1e8"), ("quaternary", 3, "1e8", "1e8"),
        ("ternary-3", 1, "1e9", "1e8"), ("ternary-3", 2, "1e8", "1e8"), ("ternary-3", 3, "1e8", "1e8"),
    ]  # fmt: skip


def test_the_table_of_nothing_is_its_head(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert vast_floors.main([str(out), "--table"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 2
    assert not out.exists()


@pytest.mark.slow
def test_a_floor_is_trained_exported_and_certified_once(
    tmp_path: Path, recipe: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given again with more draws, it certifies again and trains nothing; given once more, it only prints."""
    out = tmp_path / "out"
    words = [str(out), "--recipe", str(recipe), "--seed", "1", "--operations", "1e3", "--others", "5e4"]
    assert vast_floors.main([*words, "--draws", "1e5"]) == 0
    rows = capfd.readouterr().out.splitlines()[-2:]
    assert [row.split(" | ")[2:4] for row in rows] == [["A", "100,000"], ["B", "50,000"]]
    trained = (out / "tiny-1" / "summary.json").stat().st_mtime_ns
    assert vast_floors.main([*words, "--draws", "2e5"]) == 0
    assert "| A | 200,000 |" in capfd.readouterr().out.splitlines()[-2]
    assert (out / "tiny-1" / "summary.json").stat().st_mtime_ns == trained
    assert vast_floors.main([*words, "--draws", "2e5"]) == 0
    again = capfd.readouterr()
    assert "| A | 200,000 |" in again.out
    assert again.err == ""


@pytest.mark.slow
def test_a_refused_step_ends_the_command_with_its_status(tmp_path: Path) -> None:
    assert vast_floors.main([str(tmp_path / "out"), "--recipe", str(tmp_path / "none.toml")]) == 1
