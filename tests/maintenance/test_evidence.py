"""The figures of guarded pages: one file, marks that name them, no percentage, time or size without one."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from maintenance.evidence import __main__ as runner
from maintenance.evidence import figures, marks, measuring
from maintenance.evidence.figures import Figure
from maintenance.evidence.measuring import Measured, Step

from ternary_sdk.errors import FormatError

ROOT = Path(__file__).parents[2]
LOG = (ROOT / "docs" / "experiments.md").read_text("utf-8")
ONE = Figure(
    kind="expected coverage",
    value="92.10",
    low="92.08",
    high="92.13",
    spread="95 % interval",
    unit="%",
    command="python -m maintenance.evidence evaluation",
    commit="0123456789ab",
    machine="2 cores",
    date="2026-11-28",
    log="",
)
SIZE = replace(ONE, kind="bytes", value="705707", low="705707", high="705707", spread="", unit="bytes")
KEPT = {"evaluation.a": ONE, "size": SIZE}


def stored(**changes):
    listed = [{"id": "evaluation.a", **vars(ONE), **changes}]
    return json.dumps({"format": "ternary-evidence/1", "figures": listed}).encode()


def test_what_is_written_is_read(tmp_path):
    figures.write(KEPT, tmp_path / "evidence.json")
    assert figures.read((tmp_path / "evidence.json").read_bytes(), "evidence.json") == KEPT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "coverage"}, ".kind: 'coverage', expected 'expected coverage' or "),
        ({"unit": "points"}, ".unit: 'points', expected '%' or "),
        ({"value": "about 92"}, ".value: 'about 92', expected text of the form "),
        ({"value": "92.2"}, ": value is 92.2, expected 92.08 to 92.13, its own spread"),
        ({"spread": ""}, ": spread is '', expected what 92.08 to 92.13 is"),
        ({"commit": "HEAD"}, ".commit: 'HEAD', expected text of the form "),
        ({"note": "by hand"}, ": unknown member 'note'"),
    ],
)
def test_a_damaged_file_is_refused_by_its_member(changes, message):
    with pytest.raises(FormatError) as caught:
        figures.read(stored(**changes), "evidence.json")
    assert str(caught.value).startswith("evidence.json.figures[0]" + message)


def test_figures_in_another_order_or_twice_are_refused(tmp_path):
    entry = {"id": "a", **vars(SIZE)}
    for ids in (["b", "a"], ["a", "a"]):
        listed = [{**entry, "id": name} for name in ids]
        with pytest.raises(FormatError, match="not in the order of their ids, each once"):
            figures.read(json.dumps({"format": "ternary-evidence/1", "figures": listed}).encode(), "e.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!--=evaluation.a-->92.10 %, <!--=size-->705,707 bytes", []),
        ("<!--=evaluation.a-->92.10 ± 0.02 %", []),
        ("<!--=evaluation.a.low-->92.08 to <!--=evaluation.a.high-->92.13 %", []),
        ("<!--=evaluation.a-->92.10 %, <!--=size-->705,707, and its 95 % interval", []),
        ("in `50 %` and 2^20 operations, version 5.5 with 16 dimensions", []),
        ("```\n99 %\n```", []),
        ("<!--=evaluation.b-->92.10 %", ["line 1: evaluation.b: no such figure"]),
        ("two\n<!--=evaluation.a-->92.1 %", ["line 2: evaluation.a: '92.1', expected '92.10'"]),
        ("<!--=evaluation.a-->92.10 ± 0.03 %", ["line 1: evaluation.a: '0.03', expected '0.02'"]),
        ("<!--=evaluation.a-->92.10 s", ["line 1: evaluation.a: 's', expected '%'"]),
        ("<!--=size-->705707", ["line 1: size: '705707', expected '705,707'"]),
        ("<!--=size-->some", ["line 1: size: None, expected '705,707'"]),
        ("covers 92.10 % in 4.5 s", ["line 1: '92.10 %' has no mark", "line 1: '4.5 s' has no mark"]),
        ("92.1 ± 0.2 %", ["line 1: '92.1 ± 0.2 %' has no mark"]),
        ("a file of 3,000 bytes", ["line 1: '3,000 bytes' has no mark"]),
    ],
)
def test_a_page_is_compared_with_the_file(text, said):
    assert marks.wrong(text, KEPT) == said


def test_present_values_replace_those_of_a_page_and_nothing_else():
    old = "`<!--=size-->1` <!--=evaluation.a-->91.00 ± 0.5 %, <!--=size-->7 bytes, <!--=none-->3 %\n"
    new = "`<!--=size-->1` <!--=evaluation.a-->92.10 ± 0.02 %, <!--=size-->705,707 bytes, <!--=none-->3 %\n"
    assert marks.refreshed(old, KEPT) == new


@pytest.mark.parametrize("name", runner.PAGES)
def test_a_guarded_page_quotes_the_file(name):
    kept = figures.read(runner.FILE.read_bytes(), runner.FILE.name)
    assert marks.wrong((ROOT / name).read_text("utf-8"), kept) == []


def test_what_was_taken_over_from_the_log_stands_in_its_entry():
    kept = figures.read(runner.FILE.read_bytes(), runner.FILE.name)
    for name, figure in kept.items():
        if figure.log:
            assert f"\n## {figure.log}\n" in LOG, name
            entry = LOG.partition(f"\n## {figure.log}\n")[2].partition("\n## ")[0]
            assert all(number in entry for number in (figure.value, figure.low, figure.high)), name


def test_a_step_that_was_measured_with_these_sources_is_not_measured_again(tmp_path, monkeypatch, capfd):
    file = tmp_path / "evidence.json"
    monkeypatch.setattr(runner, "FILE", file)
    monkeypatch.setattr(runner, "PAGES", ())
    monkeypatch.setattr(runner, "_commit", lambda: "0123456789ab")
    assert runner.main(["perfect", "--runs", str(tmp_path / "runs")]) == 0
    assert capfd.readouterr().out.startswith(
        "perfect                      92.116 %  perfect draws (91.946 to "
    )
    assert runner.main(["perfect", "--runs", str(tmp_path / "runs")]) == 0
    assert capfd.readouterr().out.startswith("perfect: measured with these sources on 20")
    assert figures.read(file.read_bytes(), "e.json")["perfect"].margin == "0.170"


@pytest.mark.parametrize(("load", "kept"), [(0.0, {"perfect", "loop"}), (9e9, {"perfect"})])
def test_what_others_on_the_machine_would_change_is_kept_of_a_quiet_one_only(
    load, kept, tmp_path, monkeypatch, capfd
):
    def both(_):
        found = {"perfect": ("perfect draws", "92.116", "%"), "loop": ("seconds", "3.6", "ms")}
        return {
            name: Measured(kind=kind, value=value, unit=unit) for name, (kind, value, unit) in found.items()
        }

    file = tmp_path / "evidence.json"
    figures.write({}, file)
    monkeypatch.setattr(runner, "FILE", file)
    monkeypatch.setattr(runner, "PAGES", ())
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(measuring, "steps", lambda: [Step(name="both", quick=True, measure=both)])
    assert runner.main(["--quick", "--runs", str(tmp_path / "runs")]) == 0
    assert figures.read(file.read_bytes(), "e.json").keys() == kept
    assert ("the machine is busy" in capfd.readouterr().err) == (kept == {"perfect"})


def test_an_unknown_step_is_refused_before_anything_is_measured(capfd):
    assert runner.main(["perfect", "coverages"]) == 2
    expected = "perfect, certificate, evaluation, loops, plain-vae, coverage, v5.5, coverage-max"
    assert capfd.readouterr() == ("", f"error: 'coverages' is not a step, expected {expected}\n")


def test_a_damaged_file_ends_the_runner_in_one_sentence(tmp_path, monkeypatch, capfd):
    file = tmp_path / "evidence.json"
    file.write_text("{")
    monkeypatch.setattr(runner, "FILE", file)
    assert runner.main(["--write"]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: evidence.json: ")


def test_a_folder_of_trainings_that_is_a_file_is_refused(tmp_path, monkeypatch, capfd):
    (tmp_path / "runs").touch()
    monkeypatch.setattr(runner, "FILE", tmp_path / "evidence.json")
    assert runner.main(["perfect", "--runs", str(tmp_path / "runs")]) == 1
    assert capfd.readouterr().err.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "evidence.json").exists()
