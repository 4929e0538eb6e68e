"""``ternary compare``, and the price that it and others take."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

OLD = Path(__file__).parents[1] / "trainer" / "run_2"
PRICE = "--price-per-core-hour", "0.04", "--currency", "EUR"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder with two runs: `old`, of a release that counted no core-seconds, and `new`, which has them."""
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        shutil.copytree(OLD, name)
    lines = [json.loads(line) for line in Path("new/history.jsonl").read_text().splitlines()]
    Path("new/history.jsonl").write_text(
        "".join(json.dumps(line | {"core_seconds": 90_000.0 + n}) + "\n" for n, line in enumerate(lines))
    )


def test_runs_are_shown_side_by_side(ternary, runs):
    done = ternary("compare", "old", "new", *PRICE)
    assert (done.status, done.err) == (0, "")
    head, *rows = done.text.splitlines()
    assert head.split() == ["old", "new"]
    cells = dict(row.split("  ", 1) for row in rows if row)
    told = {name: cell.split("  ") for name, cell in cells.items()}
    told = {name: [part.strip() for part in parts if part.strip()] for name, parts in told.items()}
    assert told["seed"] == ["3", "3"]
    assert told["shipped epoch"] == ["0", "0"]
    assert told["perfect draws, on average"] == ["92.116 ± 0.170 %"] * 2
    assert told["core-seconds until the shipped epoch"] == ["not recorded", "90,000.0"]
    assert told["core-seconds after it"] == ["not recorded", "270,006.0"]
    assert told["price until the shipped epoch"] == ["not known", "1.00 EUR"]
    assert told["price saved by stopping"] == ["not known", "0.00 EUR"]


def test_runs_are_compared_for_programs(ternary, runs):
    found = json.loads(ternary("compare", "old", "new", "--json", *PRICE).text)
    old, new = found["runs"]
    assert found["differs"] == {"settings": {}, "versions": {}}
    assert (old["run"], old["seed"], old["shipped"], old["draws"]) == ("old", 3, 0, 50_000)
    assert (old["perfect_percent"], old["perfect_deviation_percent"]) == ("92.116", "0.170")
    assert old["money"] == {
        "per_core_hour": 0.04, "currency": "EUR", "until": None, "after": None, "saved": None,
    }  # fmt: skip
    assert new["money"]["until"] == pytest.approx(1.0)
    assert new["compute"]["after"]["core_seconds"] == 270_006.0
    assert old["coverage"] == new["coverage"]


def test_one_run_is_refused(ternary, runs):
    done = ternary("compare", "old")
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: 1 run to compare, expected at least 2\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (PRICE[:2], "--price-per-core-hour: in which currency? add --currency, such as --currency EUR"),
        (PRICE[2:], "--currency: of which price? add --price-per-core-hour, such as 0.04"),
        (
            ("--price-per-core-hour", "0", "--currency", "EUR"),
            "price per core-hour: 0, expected above 0 and at most 1e+09",
        ),
        (
            (*PRICE[:2], "--currency", "euro"),
            "currency: 'euro', expected three capital letters such as EUR or USD",
        ),
    ],
)
@pytest.mark.parametrize(
    "command", [("compare", "old", "new"), ("train", "--out", "none"), ("report", "old", "--out", "none")]
)
def test_a_price_that_says_too_little_is_refused_first(ternary, runs, command, words, message):
    done = ternary(*command, *words)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {message}\n")
    assert not Path("none").exists()


def test_a_price_of_what_does_not_say_what_it_took_is_refused(ternary, tmp_path):
    file = tmp_path / "acme-1.0.0.ternary"
    done = ternary("report", file, "--out", tmp_path / "r", *PRICE)
    assert (done.status, done.err) == (
        1,
        f"error: --price-per-core-hour: {file} is no run, and only a run says what its training took\n",
    )


def test_a_price_without_a_report_to_tell_it_in_is_refused(ternary, runs):
    done = ternary("validate", "old", *PRICE)
    assert (done.status, done.err) == (
        1,
        "error: --price-per-core-hour: is told in the report; add --report DIR\n",
    )


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra `plot` is not installed")
def test_runs_are_drawn_and_a_picture_of_others_is_kept(ternary, runs):
    done = ternary("compare", "old", "new", "--out", "runs.svg", "--json")
    assert (done.status, done.err) == (0, "runs.svg: drawn\n")
    drawn = Path("runs.svg").read_text()
    titles = ("hash coverage at 50,000 draws, %, by seconds of training", "old", "new")
    assert [title for title in titles if f"<!-- {title} -->" not in drawn] == []
    Path("runs.svg").write_text("mine")
    kept = ternary("compare", "old", "new", "--out", "runs.svg")
    assert (
        kept.err == "error: runs.svg: exists and differs; add --force to replace it, or name another file\n"
    )
    assert Path("runs.svg").read_text() == "mine"
    assert ternary("compare", "old", "new", "-o", "runs.svg", "--force").status == 0
    assert Path("runs.svg").read_text() == drawn


def test_what_has_no_picture_in_common_is_refused(ternary, runs):
    for number in range(9):
        shutil.copytree("old", f"old{number}")
    many = ternary("compare", "old", "new", *[f"old{number}" for number in range(9)], "--out", "runs.svg")
    assert many.err == "error: 11 runs to draw, expected at most 10: more colours look alike\n"
    shutil.copytree("old", "vast")
    Path("vast/history.jsonl").write_text("")
    empty = ternary("compare", "old", "vast", "--out", "runs.svg")
    assert empty.err == "error: vast: has no epochs to draw yet\n"
    other = ternary("compare", "old", "new", "--out", "runs.pdf")
    assert other.err == "error: runs.pdf: suffix is '.pdf', expected .png or .svg\n"
    assert not Path("runs.svg").exists()
