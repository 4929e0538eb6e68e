import json

import pytest
from maintenance.worth.__main__ import main
from maintenance.worth.synthesis import program


def test_without_abc_a_part_that_needs_it_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert main(["costs", "--cache", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 1
    assert capsys.readouterr().err == (
        "error: Berkeley ABC is not installed; 'apt-get install berkeley-abc' enables the costs\n"
    )


def test_a_quick_run_without_abc_leaves_such_parts_out_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    words = ["costs", "search", "--quick", "--cache", str(tmp_path), "--out", str(tmp_path / "out.json")]
    assert main(words) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"{part} is left out: Berkeley ABC is not installed; 'apt-get install berkeley-abc' enables the costs"
        for part in ("costs", "search")
    ]


@pytest.mark.slow
def test_a_quick_run_measures_every_part(tmp_path):
    out = tmp_path / "out.json"
    assert main(["all", "--quick", "--cache", str(tmp_path), "--out", str(out)]) == 0
    needs = {"costs", "search", "search-3", "search-3-again"} if program() else set()
    assert set(json.loads(out.read_text("utf-8"))) == {"downstream", "compression"} | needs
