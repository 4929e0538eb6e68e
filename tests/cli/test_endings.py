"""Commands that are asked to end: their exit status, and nothing half written."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ternary_cli import endings

ROOT = Path(__file__).parents[2]
TERNARY = Path(sys.executable).parent / "ternary"
DRAW = [str(TERNARY), "sample", "-n", "10000000", "--out", "rows.csv", "--force"]


def writing(folder, command):
    """A command that has begun to write ``rows.csv``, under a hidden name."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not list(folder.glob(".rows.csv.*")):
        pass
    assert process.poll() is None, process.stderr.read()
    return process


@pytest.mark.parametrize(
    ("number", "status", "sentence"),
    [
        (signal.SIGHUP, 129, "ended by SIGHUP"),
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "ended by SIGTERM"),
    ],
)
def test_a_command_that_is_asked_to_end_leaves_no_part_of_a_file(tmp_path, number, status, sentence):
    (tmp_path / "rows.csv").write_text("before")
    with writing(tmp_path, [*DRAW, "--json"]) as process:
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == status, (out, err)
    assert json.loads(out) == {"error": {"code": "INTERRUPTED", "message": sentence}}
    assert err.splitlines()[-1] == f"error: {sentence}"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_text() == "before"


def test_two_signals_at_once_leave_nothing_either(tmp_path):
    with writing(tmp_path, DRAW) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode in (129, 143)
    assert list(tmp_path.iterdir()) == []


def test_under_nohup_a_lost_terminal_ends_nothing(tmp_path):
    command = ["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *DRAW]
    with writing(tmp_path, command) as process:
        process.send_signal(signal.SIGHUP)
        size = next(tmp_path.glob(".rows.csv.*")).stat().st_size
        while process.poll() is None and next(tmp_path.glob(".rows.csv.*")).stat().st_size == size:
            pass
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 143


@pytest.mark.slow
def test_a_training_that_is_asked_to_end_keeps_its_epochs_and_no_part_of_a_file(
    ternary, quick_recipe, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    command = [TERNARY, "train", "--recipe", quick_recipe, "--out", "run"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as it:
        assert it.stderr.readline().startswith("epoch 0 (1 of 3) ")
        it.send_signal(signal.SIGTERM)
        out, err = it.communicate()
    assert (it.returncode, out) == (128 + signal.SIGTERM, "")
    assert err.splitlines()[-1] == "error: ended by SIGTERM"
    assert [path.name for path in (tmp_path / "run").rglob(".*")] == [".lock"]
    assert ternary("train", "--resume", "run").status == 0


def test_the_handlers_of_the_program_around_come_back(ternary):
    before = [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)]
    assert ternary("--version").status == 0
    assert ternary("info", "missing.ternary").status == 1
    assert [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)] == before


def test_help_and_the_documentation_list_the_same_statuses(ternary):
    table = (ROOT / "docs" / "cli.md").read_text("utf-8").partition("## Exit status")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| (\d+) \|", table, re.M)
    helped = re.findall(r"\b\d+\b", endings.EPILOG)
    assert sorted(map(int, documented)) == sorted(map(int, helped))
    listed = ternary("--help").text
    assert " ".join(endings.EPILOG.split()) in " ".join(listed.split())


def test_the_documentation_lists_the_codes():
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    table = page.partition("## Exit status")[2].partition("\n## ")[0]
    for code in (
        *("USAGE", "INPUT", "FORMAT", "SIGNATURE", "PROOF", "COVERAGE", "LEDGER", "SERVER", "DATABASE"),
        *("FILE", "MEMORY", "INTERRUPTED", "REFUSED"),
    ):
        assert f"| `{code}` |" in table
