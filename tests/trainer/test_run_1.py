"""A run written before paths were a mapping: `run_1` is the text of one, `tiny` with seed 3."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ternary_trainer import checkpoint, recipe, run
from ternary_trainer.run import Run
from ternary_trainer.train import train

OLD = Path(__file__).parent / "run_1"


def test_a_run_written_before_paths_were_a_mapping_is_read_as_it_was() -> None:
    old = run.open(OLD)
    assert (old.seed, len(old.history)) == (3, 4)
    lines = [json.loads(line) for line in (OLD / "history.jsonl").read_text().splitlines()]
    summary = json.loads((OLD / "summary.json").read_text())
    for record, line in zip(old.history, lines, strict=True):
        written = {path: line[path] | {"lost_cells": None} for path in "AB"}  # not recorded then
        assert asdict(record)["paths"] == written
    for rule, choice in old.summary().choices.items():
        written = summary["choices"][rule]
        assert asdict(choice)["paths"] == {"A": written["A"], "B": written["B"]}
        assert choice.reason == written["reason"]


def test_the_recipe_of_such_a_run_is_that_of_today(finished: Run) -> None:
    assert run.open(OLD).recipe == finished.recipe


def test_such_a_run_goes_on_to_the_same_weights(copied: Callable[[], Path], finished: Run) -> None:
    path, state = copied(), checkpoint.read(finished.path / run.STATE)
    for name in ("recipe.toml", "run.json", "history.jsonl"):
        (path / name).write_bytes((OLD / name).read_bytes())
    state["of"] = hashlib.sha256(f"3\n{(OLD / 'recipe.toml').read_text()}".encode()).hexdigest()
    checkpoint.write(path / run.STATE, state)
    assert train(recipe.load(str(path / "recipe.toml")), seed=3, out=path, resume=True).summary().epochs == 4
