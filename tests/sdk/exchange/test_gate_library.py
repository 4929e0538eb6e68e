"""A library holds each operation once, a true index, and testbenches that find what is wrong."""

import hashlib
import json

import pytest
from tests.foreign_programs import simulated

from ternary_sdk.errors import InputError
from ternary_sdk.exchange import Encoding, Gates, LibraryFormat, from_blif_mv, from_mrcs, to_library
from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2, Space

GATES = Gates.of([NAMES["MIN"], NAMES["SUM"], NAMES["MIN"]], TERNARY_2)


@pytest.mark.parametrize("form", LibraryFormat)
def test_the_index_lists_each_operation_once_with_the_digest_of_its_file(form):
    files = to_library(GATES, form)
    index = json.loads(files.pop("index.json"))
    assert (index["kind"], index["space"]) == ("ternary-library/1", {"inputs": 2, "radix": 3})
    assert [(one["code"], one["index"]) for one in index["operations"]] == [("PC0", 15633), ("7PB", 5681)]
    for one in [*index["operations"], index]:
        for file, digest in (("file", "sha256"), ("testbench", "testbench_sha256")):
            if file in one:
                assert hashlib.sha256(files.pop(one[file])).hexdigest() == one[digest]
    assert files == {}


def test_each_file_holds_its_operation():
    for form, read in ((LibraryFormat.BLIF_MV, from_blif_mv), (LibraryFormat.MRCS, from_mrcs)):
        files = to_library(GATES, form)
        for one in json.loads(files["index.json"])["operations"]:
            assert read(files[one["file"]], "x").index.tolist() == [one["index"]]
    files = to_library(GATES, LibraryFormat.JSON)
    for one in json.loads(files["index.json"])["operations"]:
        (stated,) = json.loads(files[one["file"]])
        assert TERNARY_2.to_index([stated["operation"]]).tolist() == [stated["index"]] == [one["index"]]


def laid(files, folder):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return simulated(folder, *sorted(name for name in files if name.endswith(".v")))


@pytest.mark.parametrize("encoding", Encoding)
def test_one_simulation_runs_all_testbenches(encoding, tmp_path):
    lines = laid(to_library(GATES, LibraryFormat.VERILOG, encoding), tmp_path)
    assert sorted(lines) == [
        "PASS 2 of 2 gates",
        "PASS f_7PB_bet: 9 of 9 cells",
        "PASS f_PC0_bet: 9 of 9 cells",
    ]


def test_a_corrupted_gate_fails_the_whole_library(tmp_path):
    files = to_library(Gates.of(range(20), Space(2, 3)), LibraryFormat.VERILOG)
    name = "f_00000001_r2.v"
    files[name] = files[name].replace(b"3'b000: out = 1'b1", b"3'b000: out = 1'b0")
    lines = laid(files, tmp_path)
    assert lines[-1] == "FAIL 1 of 20 gates"
    assert [line for line in lines[:-1] if not line.startswith("PASS ")] == [
        "f_00000001_r2: a = 0, b = 0, c = 0: out is 0, expected 1",
        "FAIL f_00000001_r2: 1 of 8 cells",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            (GATES, LibraryFormat.JSON, Encoding.MRCS),
            "library: encoding mrcs is of Verilog, but the format is json",
        ),
        (
            (Gates.of([], TERNARY_2), LibraryFormat.JSON),
            "library: 0 different operations, expected 1 to 20,000",
        ),
        (
            (Gates.of(range(20_001), Space(2, 4)), LibraryFormat.JSON),
            "library: 20,001 different operations, expected 1 to 20,000",
        ),
    ],
)
def test_what_is_not_a_library_is_refused(arguments, sentence):
    with pytest.raises(InputError) as refusal:
        to_library(*arguments)
    assert str(refusal.value) == sentence
