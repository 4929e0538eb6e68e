"""Runs side by side."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import run
from ternary_trainer.comparing import compare
from ternary_trainer.run import Run

OLD = Path(__file__).parent / "run_2"


def test_runs_that_are_the_same_differ_in_nothing(finished: Run, copied: Callable[[], Path]) -> None:
    found = compare([finished.path, copied()])
    assert (found.settings, found.versions) == ({}, {})
    assert found.runs[0].coverage == found.runs[1].coverage
    assert (found.runs[0].draws, found.paths) == (50_000, ("A", "B"))


def test_what_differs_is_named_as_a_setting_is(finished: Run, copied: Callable[[], Path]) -> None:
    path = copied()
    text = (path / run.RECIPE).read_text()
    for was, now in (("batch = 1024", "batch = 512"), ("strength = 0.5", "strength = 0.75")):
        assert was in text
        text = text.replace(was, now)
    (path / run.RECIPE).write_text(text)
    facts = json.loads((path / run.FACTS).read_text())
    del facts["cores"]
    (path / run.FACTS).write_text(json.dumps(facts | {"torch": "1.0"}))
    found = compare([finished.path, path])
    assert found.settings == {"batch": (1024, 512), "surge[0].strength": (0.5, 0.75)}
    assert found.versions == {
        "torch": (finished.facts["torch"], "1.0"),
        "cores": (finished.facts["cores"], None),
    }


def test_a_run_that_has_not_ended_ships_nothing_yet(finished: Run, copied: Callable[[], Path]) -> None:
    path = copied()
    (path / run.SUMMARY).unlink()
    found = compare([path, finished.path])
    assert (found.runs[0].summary.status, found.runs[0].shipped, found.runs[0].coverage) == (
        "running", None, {},
    )  # fmt: skip
    assert found.runs[1].shipped == finished.best().epoch


def test_one_run_is_refused(finished: Run) -> None:
    with pytest.raises(InputError) as refused:
        compare([finished.path])
    assert str(refused.value) == "1 run to compare, expected at least 2"


def test_a_run_named_twice_is_refused(finished: Run) -> None:
    again = finished.path / ".." / finished.path.name
    with pytest.raises(InputError) as refused:
        compare([finished.path, again])
    assert str(refused.value) == f"{again}: is named twice, expected different runs"


def test_a_folder_that_is_no_run_is_refused(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(FormatError) as refused:
        compare([finished.path, tmp_path])
    assert str(refused.value) == f"{tmp_path / run.FACTS}: cannot be read, expected the directory of a run"
