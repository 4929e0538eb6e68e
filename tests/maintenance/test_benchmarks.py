"""``python -m benchmarks``: which groups it measures, and what it refuses."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from benchmarks.__main__ import GROUPS

ROOT = Path(__file__).parents[2]


def typed(*words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "benchmarks", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("words", [["clients"], ["licensing", "clients"], ["clients", "client"]])
def test_an_unknown_group_is_refused_before_anything_is_measured(words: list[str]) -> None:
    assert typed(*words) == (
        2,
        "",
        "error: 'clients' is not a group, "
        "expected client, counting, designing, licensing, loops, meter, opening, release, scale, server or"
        " training\n",
    )


def test_help_names_every_group_and_loads_none_of_them() -> None:
    status, out, err = typed("--help")
    assert (status, err) == (0, "")
    described = [line.split()[0] for line in out.partition("groups:\n")[2].splitlines()]
    assert described == list(GROUPS)
    assert described == [
        "training", "client", "loops", "opening", "counting", "designing", "licensing", "meter", "scale",
        "server", "release",
    ]  # fmt: skip


def test_every_module_that_measures_is_a_group() -> None:
    modules = (ROOT / "benchmarks").glob("*.py")
    groups = {path.stem for path in modules if "def measurements(" in path.read_text("utf-8")}
    assert groups == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_finds_what_it_imports(group: str) -> None:
    assert callable(import_module(f"benchmarks.{group}").measurements)


def test_a_group_that_is_named_twice_is_measured_once_and_alone() -> None:
    status, out, err = typed("licensing", "licensing")
    assert (status in (0, 1), err) == (True, "")
    assert [line[:46].rstrip() for line in out.splitlines()] == [
        "verify a license, p99",
        "ask a license before a call",
        "count new operations, on disk",
    ]
