"""`ternary list` and `ternary properties`: operations by what they are, without a model or a license."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from ternary_sdk.logic import (
    PROPERTIES,
    WITH_ARGUMENT,
    Partial,
    balanced,
    commutative,
    counted,
    latin,
    parse_condition,
)
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space


def members(space, condition):
    found = counted(space, condition)
    return found.unrank(np.arange(found.size))


def indices(done):
    assert done.status == 0, done.err
    return [int(row["index"]) for row in csv.DictReader(io.StringIO(done.text))]


def test_every_operation_that_meets_a_condition_is_listed_once_in_ascending_order(ternary):
    done = ternary("list", "--where", "commutative & not balanced")
    expected = members(TERNARY_2, commutative & ~balanced)
    assert indices(done) == expected.tolist() == sorted(set(expected.tolist()))
    assert done.err == f"693 rows, set {OperationSet.of(expected).digest}\n"


def test_without_a_condition_every_operation_is_listed(ternary):
    assert indices(ternary("list")) == list(range(TERNARY_2.size))
    assert indices(ternary("list", "--space", "2,2")) == list(range(16))


def test_a_list_of_more_rows_than_are_written_at_a_time_is_whole(ternary):
    done = ternary("list", "--space", "7,1", "-n", "70000", "--format", "npy")
    assert np.array_equal(np.load(io.BytesIO(done.out)), Space(7, 1).tables[:70_000])


def test_a_table_selects_operations_alone_and_with_a_condition(ternary):
    partial = Partial.parse("-?+/?0?/??-", TERNARY_2)
    assert indices(ternary("list", "--like", "-?+/?0?/??-")) == members(TERNARY_2, partial).tolist()
    done = ternary("list", "--like", "-,?,+ / ?,0,? / ?,?,-", "--where", "surjective")
    both = parse_condition("surjective") & partial
    assert indices(done) == members(TERNARY_2, both).tolist()


def test_rows_are_written_as_sample_writes_them(ternary):
    rows = "-1,0,1,0,1,-1,1,-1,0"
    listed = ("list", "--where", "latin & commutative & like(-,0,?,?,?,?,?,?,?)")
    assert ternary(*listed).text == f"index,t0,t1,t2,t3,t4,t5,t6,t7,t8\n8229,{rows}\n"
    assert ternary(*listed, "--format", "jsonl").text == f'{{"index":8229,"operation":[{rows}]}}\n'
    assert ternary(*listed, "--format", "table").text == (
        "index  t0 t1 t2 t3 t4 t5 t6 t7 t8\n 8229  -1  0  1  0  1 -1  1 -1  0\n"
    )


def test_encode_reads_what_list_writes(ternary):
    listed = ternary("list", "--where", "latin").out
    encoded = ternary("encode", stdin=listed).out
    assert ternary("decode", stdin=encoded).out == listed


def test_the_first_operations_are_listed_by_number(ternary):
    assert indices(ternary("list", "--where", "latin", "-n", "3")) == members(TERNARY_2, latin)[:3].tolist()
    done = ternary("list", "--where", "latin", "-n", "0")
    assert (done.text, done.err.split(",")[0]) == ("index,t0,t1,t2,t3,t4,t5,t6,t7,t8\n", "0 rows")
    assert ternary("list", "-n", "1").err.startswith("1 row, set ")


def test_the_count_is_one_number(ternary):
    assert ternary("list", "--count").text == "19683\n"
    assert ternary("list", "--count", "--where", "balanced").text == "1680\n"
    assert ternary("list", "--count", "--space", "3,3").text == "7625597484987\n"
    assert json.loads(ternary("list", "--count", "--where", "symmetric", "--json").text) == {
        "space": "3,2",
        "condition": "commutative",
        "operations": "729",
    }


def test_rows_in_a_file_are_described_in_json(ternary, tmp_path):
    out = tmp_path / "latin.npy"
    done = ternary("list", "--where", "latin", "--out", out, "--json")
    expected = members(TERNARY_2, latin)
    assert json.loads(done.text) == {
        "space": "3,2",
        "condition": "latin",
        "file": str(out),
        "rows": 12,
        "set": OperationSet.of(expected).digest,
    }
    assert np.array_equal(np.load(out), TERNARY_2.from_index(expected))
    assert json.loads(ternary("list", "-n", "1", "--out", out, "--force", "--json").text)["condition"] is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--where", "latin", "-n", "13"],
            "13 operations were asked for, but 12 operations of the space 3,2 meet 'latin'",
        ),
        (["-n", "19684"], "19,684 operations were asked for, but the space 3,2 has 19,683 operations"),
        (["-n", "-1"], "-n: -1, expected 0 to 10,000,000"),
        (["--space", "4,2", "-n", "10000001"], "-n: 10000001, expected 0 to 10,000,000"),
        (
            ["--space", "4,2"],
            "the space 4,2 has 4,294,967,296 operations, too many to write all; "
            "add -n N for the first N, or --count",
        ),
        (["--space", "9"], "space: '9', expected a radix and a number of inputs, such as 3,2"),
        (
            ["--where", "latin balanced"],
            "condition: found 'balanced' at position 7, expected '&', '|' or the end",
        ),
        (
            ["--space", "2,3", "--where", "associative"],
            "associative: the space 2,3 has 3 inputs, expected 2",
        ),
        (["--like", "-?+"], "table: '-?+' has 3 cells, expected 9: 3 rows of 3"),
        (["--count", "-n", "3"], "--count prints one number and no rows; leave out -n"),
        (["--count", "--out", "f.csv"], "--count prints one number and no rows; leave out --out"),
        (["--count", "--format", "csv"], "--count prints one number and no rows; leave out --format"),
        (
            ["--out", "f.xyz"],
            "f.xyz: the name says no format; add --format table, squares, csv, jsonl, npy, parquet or arrow",
        ),
    ],
)
def test_what_cannot_be_listed_is_refused(ternary, words, sentence):
    done = ternary("list", *words)
    assert (done.status, done.text, done.err) == (1, "", f"error: {sentence}\n")


def test_rows_and_an_object_do_not_share_standard_output(ternary):
    done = ternary("list", "--json")
    assert done.status == 1
    assert json.loads(done.text)["error"]["code"] == "INPUT"


def test_every_property_is_listed_with_its_meaning_and_can_be_asked_for(ternary):
    listed = json.loads(ternary("properties", "--json").text)
    assert list(listed) == [*PROPERTIES, *WITH_ARGUMENT]
    for name, about in listed.items():
        for text in (name, *about["aliases"]):
            assert str(parse_condition(text, TERNARY_2)) == name
    lines = ternary("properties").text.splitlines()
    assert lines[0].split("  ")[0] == "commutative, symmetric"
    assert [line.rpartition("  ")[2] for line in lines] == [about["meaning"] for about in listed.values()]


@pytest.mark.parametrize("words", [["list", "--where", "latin & ~monotone"], ["properties"]])
def test_no_model_is_loaded(words):
    program = (
        "import sys; from ternary_cli.main import main; import contextlib\n"
        f"sys.argv[1:] = {words!r}\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "ternary_sdk" in loaded
    assert not loaded & {"onnxruntime", "cryptography", "ternary_trainer", "torch", "sqlite3"}
