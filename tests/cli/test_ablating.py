"""``ternary ablate`` as it is typed: what it says before, what it prints, and what it refuses."""

import json
import re

import pytest
from tests.trainer.ablation.conftest import TEXT


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(TEXT)
    return tmp_path / "plan.toml"


def test_the_time_is_said_before_and_the_table_after(ternary, plan):
    done = ternary("ablate", "plan.toml", "--out", "out", "--jobs", 1, "--device", "cpu")
    assert done.status == 0
    said = (
        r"9 trainings, 1 at a time: about (less than )?[\d.]+ hours \(.+; measured: one epoch of each phase"
    )
    assert re.match(said, done.err)
    head, base, linear, low, empty, report = done.text.splitlines()
    assert re.split(r"  +", head) == [
        "option", "coverage, %", "difference, points", "95 % interval", "p (Holm)", "least shown, points",
        "verdict",
    ]  # fmt: skip
    assert [line.split()[0] for line in (base, linear, low)] == ["base", "linear-a", "low-beta"]
    assert (empty, report) == ("", "report: out/ablation.md")
    again = ternary("ablate", "plan.toml", "--out", "out", "--json")
    assert again.err.startswith("all trainings are finished\nbase-1: reused\n")
    told = json.loads(again.text)
    assert (told["folder"], told["primary"], told["seeds"]) == ("out", "coverage", ["1", "2", "3"])
    assert [row["name"] for row in told["rows"]] == ["base", "linear-a", "low-beta"]
    assert {"folder": "out", **json.loads((plan.parent / "out" / "ablation.json").read_bytes())} == told


def test_a_plan_that_is_wrong_is_refused_before_anything_is_made(ternary, plan):
    plan.write_text(TEXT.replace("seeds = 3", "seed = 3"))
    done = ternary("ablate", "plan.toml", "--out", "out")
    assert (done.status, done.text) == (1, "")
    assert done.err == (
        "error: plan.toml: key 'seed' is unknown,"
        " expected one of format, base, seeds, measures, set, options\n"
    )
    assert not (plan.parent / "out").exists()
