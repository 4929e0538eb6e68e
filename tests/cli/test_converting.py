"""``convert`` and ``library`` as their users type them."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.foreign_programs import simulated

from ternary_cli.exchange_options import TARGETS, Target

CODES = b"PC0\nRDC\n7PB\n"
FORMATS = "verilog, blif-mv, mrcs, json, codes, csv, jsonl, npy, parquet or arrow"


@pytest.fixture
def convert(ternary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words, stdin=b""):
        return ternary("convert", *words, stdin=stdin)

    return run


@pytest.mark.parametrize("target", Target)
def test_what_is_written_in_a_format_is_read_from_it(convert, target):
    data = convert("--from", "codes", "--to", target, stdin=CODES)
    assert (data.status, data.err) == (0, "")
    if target is Target.VERILOG:
        assert convert("--to", "codes", stdin=data.out).status == 1  # Verilog is written alone
        return
    words = ("--from", "codes") if target is Target.CODES else ()
    assert convert(*words, "--to", "codes", stdin=data.out).out == CODES


@pytest.mark.parametrize("suffix", [suffix for suffix in TARGETS if suffix != ".v"])
def test_the_names_of_files_say_the_formats(convert, suffix):
    done = convert("-", f"gates{suffix}", "--from", "codes", stdin=CODES)
    assert done.text == f"gates{suffix}: 3 operations of the space 3,2, {TARGETS[suffix]}\n"
    assert convert(f"gates{suffix}", "--to", "codes").out == CODES


def test_a_design_is_known_by_its_content_also_after_comments(convert):
    design = convert("--from", "codes", "--to", "blif-mv", stdin=CODES).out
    for before in (b"", b"# by hand\r\n\n  # twice\n  ", b"\xef\xbb\xbf"):
        assert convert("--to", "codes", stdin=before + design).out == CODES
    sentence = "error: standard input: line 2: nothing but comments, expected rows\n"
    assert convert("--to", "codes", stdin=b"# .model\n#\n").err == sentence


def test_a_file_of_another_space_says_so_itself(convert, tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(16, dtype=np.int8).reshape(1, 16) % 4)
    assert convert("rows.npy", "rows.parquet", "--space", "4,2").status == 0
    assert pq.read_table(tmp_path / "rows.parquet").schema.metadata[b"ternary.space"] == b"4,2"
    assert convert("rows.parquet", "--to", "codes").text == "3210321032103210\n"
    assert convert("rows.parquet", "rows.mv").status == 0
    assert convert("rows.mv", "--to", "codes").text == "3210321032103210\n"
    assert (
        convert("--from", "codes", "--space", "4,2", "--to", "codes", stdin=b"3210321032103210").status == 0
    )


def test_verilog_is_written_with_its_testbench(convert, tmp_path):
    words = ("--from", "codes", "--encoding", "signed", "--testbench", "bench.v", "--json")
    done = convert("-", "gates.v", *words, stdin=CODES)
    assert json.loads(done.text) == {
        "file": "gates.v",
        "format": "verilog",
        "space": "3,2",
        "operations": 3,
        "testbench": "bench.v",
    }
    assert len(simulated(tmp_path, "gates.v", "bench.v")) == 3


def test_a_module_and_a_model_have_the_name_that_is_asked_for(convert):
    assert "module smaller (\n" in convert("--to", "verilog", "--name", "smaller", stdin=b"name\nMIN\n").text
    text = convert("--to", "blif-mv", "--name", "smaller", stdin=b"name\nMIN\n").text
    assert text.startswith(".model smaller\n.inputs a b\n.outputs f_PC0\n")


def test_columns_of_other_people_pass_from_rows_to_rows(convert):
    assert convert("--to", "csv", stdin=b"index,note\n15633,mine\n").text == (
        "index,t0,t1,t2,t3,t4,t5,t6,t7,t8,note\n15633,-1,-1,-1,-1,0,0,-1,0,1,mine\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), f"standard output says no format; add --to {FORMATS}"),
        (("-", "a.txt"), f"a.txt: the name says no format; add --to {FORMATS}"),
        (("--to", "json", "--encoding", "mrcs"), "--encoding is of Verilog, but the format is json"),
        (("--to", "json", "--testbench", "b.v"), "--testbench is of Verilog, but the format is json"),
        (
            ("--to", "json", "--name", "m"),
            "--name names a BLIF-MV model or a Verilog module, but the format is json",
        ),
        (
            ("--to", "verilog", "--name", "m", "--from", "codes"),
            "--name: names one module, but there are 3 operations; leave it out",
        ),
        (
            ("--to", "verilog", "--testbench", "b.v"),
            "--json and --testbench need OUT: standard output has the operations themselves",
        ),
        (("-", "a.v", "--testbench", "a.v"), "--testbench: a.v is OUT, expected another file"),
        (
            ("--to", "json", "--space", "3"),
            "space: '3', expected a radix and a number of inputs, such as 3,2",
        ),
        (
            ("--to", "json", "--from", "mrcs"),
            "standard input: line 1: not the header of MRCS, "
            "expected MSB in_0in_1..in_n,MSB out_0out_1..out_n",
        ),
        (
            ("--to", "json", "--from", "blif-mv"),
            "standard input: line 1: 'PC0' outside a table, "
            "expected .model, .inputs, .outputs, .mv, .table, .default and .end",
        ),
        (
            ("--to", "mrcs", "--from", "codes", "--space", "2,2"),
            "standard input: line 1: 'PC0' is not a code of the space 2,2, expected 4 characters of 01",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused(convert, tmp_path, words, sentence):
    done = convert(*words, stdin=CODES)
    assert (done.status, done.out, done.err) == (1, b"", f"error: {sentence}\n")
    assert list(tmp_path.glob("a.*")) == []


def test_a_design_of_another_space_than_asked_for_is_refused(convert):
    design = convert("--from", "codes", "--to", "blif-mv", stdin=CODES).out
    done = convert("--to", "codes", "--space", "2,2", stdin=design)
    assert done.err == "error: standard input: operations of the space 3,2, expected 2,2\n"


def test_a_library_of_drawn_operations_passes_its_testbenches(ternary, tmp_path):
    ternary("sample", "-n", 12, "--unique", "--seed", 3, "--out", tmp_path / "rows.parquet")
    done = ternary("library", tmp_path / "rows.parquet", "--out", tmp_path / "lib")
    assert done.text.splitlines() == [
        f"{tmp_path / 'lib'}: 12 operations of the space 3,2, 26 files",
        f"simulate: iverilog -o bench {tmp_path / 'lib'}/*.v && vvp bench",
    ]
    files = sorted(file.name for file in (tmp_path / "lib").glob("*.v"))
    assert simulated(tmp_path / "lib", *files)[-1] == "PASS 12 of 12 gates"
    index = json.loads((tmp_path / "lib" / "index.json").read_text())
    drawn = pd.read_parquet(tmp_path / "rows.parquet")["index"]
    assert [one["index"] for one in index["operations"]] == drawn.tolist()


@pytest.mark.parametrize("form", ["verilog", "blif-mv", "mrcs", "json"])
def test_each_operation_is_in_a_library_once(ternary, tmp_path, form):
    words = ("--from", "codes", "--format", form, "--out", tmp_path / "lib", "--json")
    stated = json.loads(ternary("library", *words, stdin=CODES + CODES).text)
    assert (stated["operations"], stated["files"]) == (3, len(list((tmp_path / "lib").iterdir())))


def test_a_folder_that_exists_is_left_as_it_is(ternary, tmp_path):
    (tmp_path / "kept").write_text("mine")
    done = ternary("library", "--from", "codes", "--out", tmp_path, stdin=CODES)
    assert (done.status, done.err) == (
        1,
        f"error: {tmp_path}: exists already, expected a folder that does not\n",
    )
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_refused_library_leaves_no_folder(ternary, tmp_path):
    words = ("--from", "codes", "--space", "2,2", "--format", "mrcs", "--out", tmp_path / "lib")
    done = ternary("library", *words, stdin=b"0110\n")
    assert done.err == "error: MRCS: truth tables are of three values, found the 2 of 2,2\n"
    assert not (tmp_path / "lib").exists()
