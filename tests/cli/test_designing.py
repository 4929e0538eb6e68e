"""Drawing by property, what is near, and walks on the command line."""

import json
import subprocess
import sys

import pytest

EVALUATION = "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'"
COUNTED = "36 operations are commutative & balanced; 36 of them are certified reachable"
WHERE = ("--where", "commutative & balanced")


@pytest.fixture
def metered(ternary, spaces):
    """Run a command on a package of three-input Boolean operations, under a license with a quota of 30."""
    words = "--license", spaces / "metered.license", "--trust", spaces / "acme.trust"
    return lambda *given: ternary(*given, *words)


def indices(done):
    return [int(line.split(",")[0]) for line in done.text.splitlines()[1:]]


def test_how_many_there_are_is_said_before_the_rows(ternary):
    done = ternary("sample", *WHERE, "-n", 36, "--unique", "--seed", 7)
    assert done.status == 0
    assert len(set(indices(done))) == 36
    said = done.err.splitlines()
    assert said[:2] == [EVALUATION, COUNTED]
    assert said[2].startswith("36 rows, path A, seed 7, set ")
    fewer = ternary("sample", *WHERE, "-n", 5, "--unique", "--seed", 7)
    assert indices(fewer) == indices(done)[:5]


def test_more_than_there_are_is_refused(ternary):
    done = ternary("sample", *WHERE, "-n", 37, "--unique")
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[1:] == [
        COUNTED,
        f"error: 37 different operations were asked for, but {COUNTED}",
    ]


def test_partial_table_and_classes_are_drawn_and_described(ternary, tmp_path):
    out, table = tmp_path / "rows.csv", "-,?,? / ?,0,? / ?,?,+"
    done = ternary(
        "sample", "--like", table, *WHERE, "--distinct-up-to", "inputs", "-n", 2, "-o", out, "--json"
    )
    assert done.status == 0
    facts = json.loads(done.text)
    assert facts["among"] == {
        "condition": "commutative & balanced & like(-,?,?/?,0,?/?,?,+)",
        "operations": "6",
        "reachable": 6,
        "up_to": "inputs",
        "classes": 6,
    }
    assert (facts["rows"], facts["operations"]) == (2, 2)
    tables = [line.split(",")[1:] for line in out.read_text().splitlines()[1:]]
    assert all((row[0], row[4], row[8]) == ("-1", "0", "1") for row in tables)


def test_new_draws_by_property_are_counted(metered, spaces):
    package = spaces / "boolean.ternary"
    words = "sample", package, "--where", "balanced", "-n", 2, "--seed", 1
    first = metered(*words, "--new")
    assert first.status == 0
    second = metered(*words, "--new")
    assert not set(indices(first)) & set(indices(second))
    everything = metered("sample", package, "--where", "balanced", "-n", 71, "--unique")
    assert everything.status == 1
    assert everything.err.splitlines()[-1].startswith(
        "error: 71 different operations were asked for, but 70 operations are balanced; "
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--where", "balanced", "--explore", "0.5"),
            "explore: 0.5, expected 0 where operations are chosen by property: their choice is uniform, and "
            "no prior is drawn from",
        ),
        (("--like", "0?"), "table: '0?' has 2 cells, expected 9: 3 rows of 3"),
        (
            ("--where", "balanced", "--new"),
            "license evaluation: has no quota, so it keeps no meter, and which operations it has returned is "
            "not known",
        ),
    ],
)
def test_what_makes_no_sense_by_property_is_refused(ternary, words, message):
    done = ternary("sample", *words)
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == f"error: {message}"


def test_unknown_property_is_refused_with_its_place(ternary):
    done = ternary("sample", "--where", "balanse")
    assert done.status == 1
    assert "condition: 'balanse' at position 1 is not a property; did you mean 'balanced'?" in done.err


def test_nearest_operations_are_printed_as_rows(ternary):
    done = ternary("near", "MIN", "-k", 3, "--format", "csv")
    lines = done.text.splitlines()
    assert lines[0] == "index,distance,hamming,t0,t1,t2,t3,t4,t5,t6,t7,t8"
    assert len(lines) == 4
    assert done.err.splitlines()[-1] == (
        "operation 15633: 19,682 other reachable operations compared, by latent"
    )
    rows = [
        json.loads(line) for line in ternary("near", "MIN", "-k", 3, "--format", "jsonl").text.splitlines()
    ]
    assert [row["index"] for row in rows] == indices(done)
    assert list(rows[0]) == ["index", "distance", "hamming", "operation"]


def test_table_of_neighbours_has_short_numbers(ternary):
    lines = ternary("near", "----00-0+", "-k", 1, "--format", "table").text.splitlines()
    assert lines[0] == "index  distance  hamming  t0 t1 t2 t3 t4 t5 t6 t7 t8"
    assert lines[1].split()[1].count(".") == 1
    assert len(lines[1].split()[1]) == 5


def test_hamming_distance_needs_neither_model_nor_onnxruntime():
    program = (
        "import sys; sys.argv = ['ternary', 'near', '0', '--by', 'hamming', '--space', '4,2', '-k', '2']\n"
        "from ternary_cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    head = "index,hamming," + ",".join(f"t{cell}" for cell in range(16))
    rest = ",".join("0" * 15)
    assert done.stdout.splitlines() == [head, f"1,1,1,{rest}", f"2,1,2,{rest}", "0 False"]
    assert done.stderr == "operation 0: 4,294,967,295 others compared, by the cells that differ\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("5", "--by", "hamming", "--package", "x"),
            "--package with --by hamming, which opens no model; leave it out",
        ),
        (
            ("5", "--by", "hamming", "--machine-id", "x"),
            "--machine-id with --by hamming, which opens no model; leave it out",
        ),
        (
            ("5", "--space", "3,2"),
            "--space: 3,2 with --by latent, whose space is the package's; leave it out",
        ),
        (("5", "--by", "hamming", "-k", "0"), "k: 0, expected 1 to 19,682"),
        (
            ("5", "--by", "hamming", "-k", "1001", "-o", "a.svg"),
            "picture: 1,001 operations, expected at most 1,000; write rows instead",
        ),
    ],
)
def test_what_near_does_not_take_is_refused(ternary, words, message):
    done = ternary("near", *words)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {message}\n")


@pytest.mark.parametrize("words", [("near", "--kk"), ("path", "MIN", "--stepps")])
def test_mistyped_option_is_not_an_operation(ternary, words):
    done = ternary(*words)
    assert (done.status, done.out) == (2, b"")
    assert f"'{words[-1]}' is neither an option nor an operation." in done.err


def test_picture_of_neighbours_is_kept(ternary, tmp_path):
    out = tmp_path / "near.svg"
    words = "near", "MIN", "--by", "hamming", "-o", out
    assert ternary(*words).status == 0
    picture = out.read_text()
    assert picture.startswith("<svg ")
    assert picture.count("<rect ") == 10 * 9
    done = ternary(*words, "-k", 9)
    assert (done.status, done.err.splitlines()[-1]) == (
        1,
        f"error: {out}: exists; add --force to replace it, or name another file",
    )
    assert out.read_text() == picture


def test_walk_is_printed_from_one_end_to_the_other(ternary, tmp_path):
    done = ternary("path", "MIN", "ZRP", "--steps", 50, "--latents", "--format", "jsonl")
    rows = [json.loads(line) for line in done.text.splitlines()]
    members = ["index", "t", "margin", "from_start", "to_end", "operation", "latent"]
    assert list(rows[0]) == members
    assert (rows[0]["index"], rows[0]["t"], rows[0]["from_start"]) == (15_633, 0.0, 0)
    assert (rows[-1]["index"], rows[-1]["t"], rows[-1]["to_end"]) == (19_569, 1.0, 0)
    assert done.err.splitlines()[-1] == (f"{len(rows)} operations from 15633 to 19569 in 50 steps, path A")
    out = tmp_path / "walk.svg"
    told = ternary("path", "MIN", "ZRP", "--steps", 50, "-o", out, "--json")
    assert json.loads(told.text) == {
        "file": str(out),
        "from": 15_633,
        "to": 19_569,
        "steps": 50,
        "rows": len(rows),
        "path": "A",
    }
    assert out.read_text().count("<rect ") == 9 * len(rows)


def test_walk_into_a_file_that_exists_is_refused_before_anything_is_counted(metered, spaces, tmp_path):
    out, package = tmp_path / "walk.csv", spaces / "boolean.ternary"
    out.write_text("mine\n")
    done = metered("path", "0", "1", "--package", package, "-o", out)
    assert (done.status, done.err) == (
        1,
        f"error: {out}: exists; add --force to replace it, or name another file\n",
    )
    assert out.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--steps", "0"), "steps: 0, expected 1 to 1,000,000"),
        (
            ("--steps", "1000", "-o", "a.svg"),
            "--steps: 1,000 with a picture, expected fewer than 1,000; write rows",
        ),
        (
            ("--latents", "--format", "npy", "-o", "a.npy"),
            "npy: no room for latents beside operations; use csv or jsonl",
        ),
    ],
)
def test_what_path_does_not_take_is_refused(ternary, words, message):
    done = ternary("path", "MIN", "ZRP", *words)
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == f"error: {message}"
