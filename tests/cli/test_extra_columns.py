"""Columns of other people pass through encode and decode, unchanged and after ours."""

import csv
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ternary_sdk.space import TERNARY_2

TABLE = TERNARY_2.tables[15633]
NAMES = [f"t{cell}" for cell in range(9)]
OTHERS = {"id": [7, 8], "note": [' a, "b"\n', ""], "Größe": ["1_0", "07"]}
FRAME = pd.DataFrame([TABLE, TABLE], columns=NAMES).assign(**OTHERS)


def test_csv_keeps_every_text_as_it_was(ternary):
    latents = ternary("encode", stdin=FRAME.to_csv(index=False).encode()).out
    header, *rows = csv.reader(io.StringIO(latents.decode()))
    assert header == [*(f"z{place}" for place in range(16)), *OTHERS]
    assert [row[16:] for row in rows] == [["7", ' a, "b"\n', "1_0"], ["8", "", "07"]]
    done = ternary("decode", stdin=latents)
    header, *rows = csv.reader(io.StringIO(done.text))
    assert header == ["index", *NAMES, *OTHERS]
    assert [row[10:] for row in rows] == [["7", ' a, "b"\n', "1_0"], ["8", "", "07"]]


def test_json_keeps_every_value(ternary):
    others = [{"id": 1, "deep": {"a": [1, None, 0.5]}}, {"only here": True, "id": "x"}]
    lines = [json.dumps({"operation": "PC0"} | row) for row in others]
    latents = ternary("encode", "--format", "jsonl", stdin="\n".join(lines).encode()).out
    found = [
        json.loads(line) for line in ternary("decode", "--format", "jsonl", stdin=latents).out.splitlines()
    ]
    assert [list(row) for row in found] == [["index", "operation", "id", "deep", "only here"]] * 2
    assert [[row[name] for name in ("id", "deep", "only here")] for row in found] == [
        [1, {"a": [1, None, 0.5]}, None],
        ["x", None, True],
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_columnar_files_keep_every_type(ternary, tmp_path, suffix):
    others = {
        "when": pa.array([0, 1], pa.timestamp("us", "UTC")),
        "kind": pa.array(["a", None]).dictionary_encode(),
        "amount": pa.array([None, 0.1], pa.float64()),
    }
    columns = {"index": [15633, 16401]} | others
    first, second, third = (tmp_path / f"{name}{suffix}" for name in "abc")
    written = pa.table(columns)
    if suffix == ".parquet":
        pq.write_table(written, first)
    else:
        with pa.ipc.new_file(first, written.schema) as writer:
            writer.write_table(written)
    assert ternary("encode", first, "--out", second).status == 0
    assert ternary("decode", second, "--out", third).status == 0
    read = pq.read_table if suffix == ".parquet" else lambda file: pa.ipc.open_file(file).read_all()
    table = read(third)
    assert table.column_names == ["index", "operation", *others]
    assert table["index"].to_pylist() == [15633, 16401]
    for name, column in others.items():
        assert table[name].type == column.type
        assert table[name].to_pylist() == column.to_pylist()


def test_a_table_on_a_terminal_shows_them_too(ternary):
    done = ternary("encode", "--format", "table", stdin=FRAME.to_csv(index=False).encode())
    header, first, _ = done.text.splitlines()
    assert header.endswith("z15  id  note  Größe")
    assert first.endswith('7   a, "b"\\n  1_0')


def test_the_column_that_was_read_and_those_of_the_result_do_not_pass(ternary):
    data = ternary("sample", "-n", 2, "--seed", 7, "--latents").out
    assert ternary("encode", stdin=data).text.splitlines()[0] == ",".join(f"z{place}" for place in range(16))
    assert ternary("decode", stdin=data).text.splitlines()[0] == ",".join(["index", *NAMES])
    assert ternary("encode", stdin=b"name,index\nMIN,3\n").text.splitlines()[0].startswith("z0,")
    assert ternary("encode", stdin=b"name\nMIN\n").text.splitlines()[0].endswith(",z15")


@pytest.mark.parametrize(
    ("words", "data", "sentence"),
    [
        (
            ("encode",),
            "index,Z3\n1,2\n",
            "line 1: column 'Z3' collides with a column of the result; rename it",
        ),
        (("encode",), "index,note,note\n1,2,3\n", "line 1: column 'note' appears twice, expected once"),
        (
            ("decode",),
            json.dumps({"latent": [0] * 16, "Index": 3}),
            "line 1: column 'Index' collides with a column of the result; rename it",
        ),
    ],
)
def test_a_name_that_collides_is_refused(ternary, words, data, sentence):
    done = ternary(*words, stdin=data.encode())
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == f"error: standard input: {sentence}"


def test_npy_has_no_room_for_them(ternary):
    done = ternary("encode", "--format", "npy", stdin=b"index,note,id\n1,2,3\n")
    assert (done.status, done.err.splitlines()[-1]) == (
        1,
        "error: npy: no room for the columns note, id of the input;"
        " use csv, jsonl, parquet or arrow, or leave them out",
    )


def test_values_of_different_kinds_do_not_fit_into_one_column_of_parquet(ternary, tmp_path):
    data = b'{"index":1,"note":1}\n{"index":1,"note":"x"}\n'
    done = ternary("encode", "--out", tmp_path / "a.parquet", stdin=data)
    assert (done.status, done.err.splitlines()[-1]) == (
        1,
        "error: column 'note' holds values of different kinds, which Parquet cannot; use jsonl",
    )
    assert list(tmp_path.glob("*.parquet")) == []
