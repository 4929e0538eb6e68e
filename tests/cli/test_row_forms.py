"""Rows as other programs write them: read where they have one meaning, else refused by what was found."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from tests.cli.rows_read import read_latents, read_operations

from ternary_cli import row_reader
from ternary_cli.lines import MOST_CHARACTERS
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2

TABLES = TERNARY_2.tables
INDICES = [3335, 12905, 7068, 11145, 9825]
TRITS = TABLES[INDICES]
COLUMNS = [f"t{k}" for k in range(9)]
FRAME = pd.DataFrame(TRITS, columns=COLUMNS)
CSV = FRAME.to_csv(index=False)
LATENTS = np.random.default_rng(3).standard_normal((4, 16)).astype(np.float32)


def refusal(data, read=read_operations):
    with pytest.raises(InputError) as caught:
        read(data if isinstance(data, bytes) else data.encode(), "rows")
    return str(caught.value)


def savetxt(array, **options):
    stream = io.BytesIO()
    np.savetxt(stream, array, **options)
    return stream.getvalue()


FORMS = {
    "semicolon": FRAME.to_csv(index=False, sep=";").encode(),
    "tab": FRAME.to_csv(index=False, sep="\t").encode(),
    "sep= comma": ("sep=,\r\n" + CSV.replace("\n", "\r\n")).encode(),
    "sep= semicolon, quoted": b'"sep=;"\n' + FRAME.to_csv(index=False, sep=";").encode(),
    "sep= tab": b"sep=\t\n" + FRAME.to_csv(index=False, sep="\t").encode(),
    "sep= bar": b"sep=|\n" + FRAME.to_csv(index=False, sep="|").encode(),
    "utf-16": CSV.encode("utf-16"),
    "utf-16, big-endian": b"\xfe\xff" + CSV.encode("utf-16-be"),
    "utf-32": CSV.encode("utf-32"),
    "byte order mark": CSV.encode("utf-8-sig"),
    "CRLF": CSV.replace("\n", "\r\n").encode(),
    "CR": CSV.replace("\n", "\r").encode(),
    "blank last rows": (CSV + ",,,,,,,,\n" * 3 + "\n\n").encode(),
    "blank last rows, with spaces": (CSV + " , , , , , , , , \n").encode(),
    "blank first line": b"\n" + CSV.encode(),
    "all cells quoted": FRAME.to_csv(index=False, quoting=1).encode(),
    "with pandas' row numbers": FRAME.to_csv().encode(),
    "without names": FRAME.to_csv(index=False, header=False).encode(),
    "floats": FRAME.astype(float).to_csv(index=False).encode(),
    "spaces after commas": CSV.replace(",", ", ").encode(),
    "savetxt": savetxt(TRITS),
    "savetxt, with commas and names": savetxt(TRITS, delimiter=",", header=",".join(COLUMNS)),
    "savetxt, with another comment": savetxt(TRITS, delimiter=",", header="made on Monday\nby me"),
    "savetxt, as integers": savetxt(TRITS, fmt="%2d"),
    "records": FRAME.to_json(orient="records").encode(),
    "records, indented": FRAME.to_json(orient="records", indent=2).encode(),
    "records, as lines": FRAME.to_json(orient="records", lines=True).encode(),
    "records, in utf-16": FRAME.to_json(orient="records").encode("utf-16"),
    "values": FRAME.to_json(orient="values").encode(),
    "one line": json.dumps(TRITS.tolist()).encode(),
    "indented": json.dumps(TRITS.tolist(), indent=1).encode(),
    "records with numbers in quotes": FRAME.astype(str).to_json(orient="records").encode(),
    "a column of lists": pd.DataFrame({"operation": TRITS.tolist()}).to_csv(index=False).encode(),
    "a column of indices": pd.DataFrame({"index": INDICES}).to_csv(index=False).encode(),
    "members with indices": pd.DataFrame({"index": INDICES}).to_json(orient="records").encode(),
    "indices without a name": "".join(f"{index}\n" for index in INDICES).encode(),
    "operations as indices": json.dumps([{"operation": index} for index in INDICES]).encode(),
    "signs": "".join("".join("-0+"[t + 1] for t in row) + "\n" for row in TRITS).encode(),
    "digits": ("operation\n" + "".join("".join("012"[t + 1] for t in row) + "\n" for row in TRITS)).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_other_programs_are_read(form):
    assert read_operations(FORMS[form], "rows").tolist() == TRITS.tolist()


@pytest.mark.parametrize(
    "data",
    [
        b"CONS\nMIN\nPC0\n15633\n----00-0+\n000011012\n",
        b"operation\nCONS\nMIN\nPC0\n15633\n----00-0+\n000011012\n",
        b"operation;note\nCONS;a\nmin;\npc0;\n15633;\n----00-0+;\n000011012;x\n",
        b'{"operation":"CONS"}\n{"operation":"MIN"}\n{"operation":"PC0"}\n{"operation":15633}\n'
        b'{"operation":"----00-0+"}\n{"operation":[-1,-1,-1,-1,0,0,-1,0,1]}\n',
        b"index\n16401\n15633\n15633\n15633\n15633\n15633\n",
        b"code\nRDC\nPC0\nPC0\nPC0\nPC0\nPC0\n",
        b"name\nCONS\nMIN\nMIN\nMIN\nMIN\nMIN\n",
    ],
)
def test_names_codes_signs_digits_and_indices_are_read(data):
    assert read_operations(data, "rows").tolist() == TABLES[[16401, *[15633] * 5]].tolist()


def test_the_name_of_the_column_decides_what_a_cell_means():
    read = {name: read_operations(f"{name}\nMAX\n".encode(), "rows") for name in ("code", "name")}
    assert [read[name].tolist() for name in ("code", "name")] == [
        [TABLES[14146].tolist()],
        [TABLES[19569].tolist()],
    ]
    read = {name: read_operations(f"{name}\n012\n".encode(), "rows") for name in ("index", "code")}
    assert [read[name].tolist() for name in ("index", "code")] == [
        [TABLES[12].tolist()],
        [TABLES[29].tolist()],
    ]


def test_trits_are_preferred_to_an_index_which_may_be_pandas_number_of_the_row():
    assert (
        read_operations(FRAME.reset_index().to_csv(index=False).encode(), "rows").tolist() == TRITS.tolist()
    )
    both = b'{"index":0,"operation":"MIN"}'
    assert read_operations(both, "rows").tolist() == [TABLES[15633].tolist()]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(LATENTS, columns=[f"z{k}" for k in range(16)])
        .to_csv(index=False, sep=";")
        .encode("utf-16"),
        pd.DataFrame({"latent": LATENTS.astype(float).tolist()}).to_csv(index=False).encode(),
        pd.DataFrame({"latent": LATENTS.astype(float).tolist()})
        .to_json(orient="records", double_precision=15)
        .encode(),
        savetxt(LATENTS),
        savetxt(LATENTS, fmt="%+.9E", delimiter="\t", header="latents"),
    ],
)
def test_latents_of_other_programs_are_read(data):
    assert np.allclose(read_latents(data, "rows"), LATENTS, rtol=1e-7, atol=0)


@pytest.mark.parametrize(
    "number", ["1", "+1", "1.", "1.0", "01", "1e0", "1E+0", "1.0e+00", "10e-1", ".1e1", "0.1E1", " 1 "]
)
def test_a_number_of_ascii_digits_is_read(number):
    row = ",".join([number] * 16)
    assert read_latents(f"{row}\n".encode(), "rows").tolist() == [[1.0] * 16]


NOT_NUMBERS = [
    "1_0",
    "٣",
    "１",
    "१",
    "0x1",
    "1,0",
    "nan",
    "inf",
    "-Infinity",
    "1e",
    "",
    "--1",
    "+-1",
    "1 0",
    "½",
    "1f",
]


@pytest.mark.parametrize("number", NOT_NUMBERS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_is_not_a_number_of_ascii_digits_is_refused_in_csv(number, separator):
    names = separator.join(f"z{k}" for k in range(16))
    row = separator.join(["0"] * 15 + [f'"{number}"'])
    point = " with a decimal point" if number == "1,0" else ""
    sentence = f"rows: line 2: column z15 is {number!r}, expected a number{point}"
    assert refusal(f"{names}\n{row}\n", read_latents) == sentence


@pytest.mark.parametrize("number", NOT_NUMBERS)
def test_what_is_not_a_number_of_ascii_digits_is_refused_in_a_text_of_json(number):
    point = " with a decimal point" if number == "1,0" else ""
    sentence = f"rows: line 1: column z15 is {number!r}, expected a number{point}"
    assert refusal(json.dumps([0] * 15 + [number]), read_latents) == sentence


@pytest.mark.parametrize("number", ["1_0", "٣", "0x1", "01", "+1", ".5", "1."])
def test_what_is_not_a_number_is_refused_as_json(number):
    line = "[" + "0," * 15 + number + "]"
    assert refusal(line, read_latents).startswith("rows: not JSON at line 1, character ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_only_python_takes_for_a_number_is_refused(number):
    assert (
        refusal(f"[{'0,' * 15}{number}]", read_latents) == f"rows: line 1: {number} is not a number of JSON"
    )


def test_a_row_of_cells_with_commas_of_their_own_is_not_read_as_a_longer_one():
    row = ";".join(["0,5"] * 16)
    sentence = "rows: line 1: column z0 is '0,5', expected a number with a decimal point"
    assert refusal(f"{row}\n", read_latents) == sentence


@pytest.mark.parametrize(
    ("data", "read", "found", "names"),
    [
        (pd.DataFrame(LATENTS).to_csv(index=False), read_latents, range(16), "z0 to z15"),
        (pd.DataFrame(LATENTS).to_csv(), read_latents, ["", *range(16)], "z0 to z15"),
        (pd.DataFrame(TRITS).to_csv(index=False), read_operations, range(9), "t0 to t8"),
        (pd.DataFrame(TRITS).to_csv(), read_operations, ["", *range(9)], "t0 to t8"),
        (pd.Series(INDICES).to_csv(index=False), read_operations, [0], "t0 to t8"),
    ],
)
def test_column_numbers_by_pandas_are_not_read_as_a_row(data, read, found, names):
    shown = repr(",".join(map(str, found)))
    assert refusal(data, read) == (
        f"rows: line 1: {shown} can be column numbers, as pandas writes them; write no header and no index"
        f" (header=False, index=False), or name the columns {names}"
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            '[{"t0":1,\n"t0":1}]',
            "rows: member 't0' appears twice",
        ),
        (
            '{"operation":"MIN"}\n{"operation":"MIN","operation":"MIN"}\n',
            "rows: line 2: member 'operation' appears twice",
        ),
        ('{"operation":"MIN","operation":"MIN"}\n', "rows: line 1: member 'operation' appears twice"),
        (
            "[\n[1,0,0,0,0,0,0,0,0],\n[1,0,0,0,0,0,0,0,2]\n]",
            "rows: row 1: column t8 is 2, expected -1, 0 or 1",
        ),
        ("\n\n[\n[1,0,0,0,0,0,0,0,0],\n]", "rows: not JSON at line 5, character 1 (Expecting value)"),
        (
            '{"columns":["t0"],"data":[[1]]}',
            "rows: line 1: no column of operations; found 'columns,data', expected t0 to t8, or"
            " one of operation, index, code, name",
        ),
        ('["MIN","MAX"]', 'rows: line 1: ["MIN", "MAX"], expected a list of 9 numbers'),
        ('[{"operation":"MIN"},3]', "rows: row 1: 3, expected a list or an object"),
        (
            '{"operation":true}',
            "rows: line 1: column operation: true, expected a list of 9 trits, a text or an index",
        ),
        (
            '{"operation":1.0}',
            "rows: line 1: column operation: 1.0, expected a list of 9 trits, a text or an index",
        ),
        ('{"index":-1}', "rows: line 1: column index: -1, expected an index, 0 to 19682"),
        (
            '{"index":' + "9" * 400 + "}",
            f"rows: line 1: column index: {'9' * 57}…, expected an index, 0 to 19682",
        ),
        ('{"index":' + "9" * 5000 + "}", "rows: JSON with an integer that has too many digits"),
        ('{"index":[1]}', "rows: line 1: column index: [1], expected an operation's index"),
        ('{"code":12}', "rows: line 1: column code: 12, expected an operation's code"),
        (
            "index\n5.0\n",
            "rows: line 2: column index: '5.0' is not an operation, expected an index, 0 to 19682",
        ),
        ("operation\nMIN\n\n \nMAX\n", "rows: line 5: a row after line 4, which has only empty cells"),
        (
            CSV + ",,,,,,,,\n1,0,0,0,0,0,0,0,0\n",
            "rows: line 8: a row after line 7, which has only empty cells",
        ),
        ("sep=x\n1x2\n", "rows: line 1: the separator is 'x', expected a comma, semicolon, tab or bar"),
        ("1;0;0;0;0;0;0;0\n", "rows: line 1: 8 columns without names, expected 9 (t0 to t8)"),
        (
            'operation\n"[1,"\n',
            "rows: line 2: column operation: '[1,' is not an operation, expected an index, a code of 3"
            " characters, 9 signs, 9 digits from 0 to 2, 9 values with commas, or a name",
        ),
        ("sep=,\n", "rows: line 1: nothing but comments, expected rows"),
        ("# only a comment\n", "rows: line 1: nothing but comments, expected rows"),
    ],
)
def test_what_has_no_or_two_meanings_is_refused_by_line(data, sentence):
    assert refusal(data) == sentence


def test_a_file_of_names_alone_holds_no_rows():
    assert read_operations(b"index\n", "rows").shape == (0, 9)
    assert read_operations(b"# t0,t1,t2,t3,t4,t5,t6,t7,t8\n", "rows").shape == (0, 9)
    assert read_operations(b"[]", "rows").shape == (0, 9)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (CSV.encode() + b"caf\xe9\n", "rows: line 7 is not UTF-8 text; save the file as UTF-8"),
        (CSV.encode("utf-16") + b"1", "rows: line 7 is not UTF-16 text; save the file as UTF-8"),
        (
            CSV.encode("utf-16-le"),
            "rows: unknown format (begins 74 00 30 00), expected CSV, JSON, .npy, Parquet or Arrow",
        ),
    ],
)
def test_text_in_another_encoding_is_refused_by_line(data, sentence):
    assert refusal(data) == sentence


LONG = (
    f"a row or a JSON array of more than {MOST_CHARACTERS:,} characters, expected at most"
    " that many; write each row on a line of its own"
)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("," * (MOST_CHARACTERS + 1), 1),
        (f'"{"a" * 1020}\n",' * (MOST_CHARACTERS // 1024 + 1), MOST_CHARACTERS // 1024 + 1),
        ("[" + f"{'[],' * 341}\n" * (MOST_CHARACTERS // 1024 + 1), MOST_CHARACTERS // 1024),
    ],
)
def test_a_row_or_an_array_without_an_end_is_refused(data, line):
    assert refusal(data) == f"rows: line {line}: {LONG}"


def test_more_rows_than_can_be_sampled_are_refused_before_they_take_memory():
    length = (row_reader.MOST_ROWS + 1) * 9
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|i1", "fortran_order": False, "shape": (row_reader.MOST_ROWS + 1, 9)}
    )
    data = stream.getvalue() + bytes(length)
    assert refusal(data) == "rows: more than 10,000,000 rows, expected at most that many"
