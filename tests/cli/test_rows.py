"""Reading and writing operations and latents: what goes out comes back, all else is refused by name."""

import io

import numpy as np
import pytest
from tests.cli.rows_read import read_latents, read_operations

from ternary_cli.formats import Format, in_parts, to_bytes
from ternary_cli.rows import Rows
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2

TABLES = TERNARY_2.tables
LATENTS = np.random.default_rng(7).standard_normal((50, 16)).astype(np.float32)
HEADER = ",".join(f"t{k}" for k in range(9))
READ = [form for form in Format if form not in (Format.TABLE, Format.SQUARES)]
"""What `encode` and `decode` read as well: every format but the table for people."""
NUMBERS = "expected integers or floats of at most 8 bytes"


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def headed(text, values=b"", version=b"\1\0"):
    """An ``.npy`` file with any header."""
    length = len(text).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + length + text.encode("latin-1") + values


def refusal(read, data):
    with pytest.raises(InputError) as caught:
        read(data, "rows")
    return str(caught.value)


@pytest.mark.parametrize("form", READ)
def test_all_operations_survive_writing_and_reading(form):
    data = to_bytes(Rows(index=np.arange(TERNARY_2.size, dtype=np.int32), operations=TABLES), form)
    assert np.array_equal(read_operations(data, "rows"), TABLES)


@pytest.mark.parametrize("form", READ)
def test_latents_survive_writing_and_reading_bit_for_bit(form):
    hard = np.array(
        [[np.float32(1e-45), np.float32(3.4028235e38), -0.0, 1 / 3, *([0.1] * 12)]], dtype=np.float32
    )
    latents = np.concatenate([LATENTS, hard])
    back = read_latents(to_bytes(Rows(latents=latents), form), "rows")
    assert back.dtype == np.float32
    assert back.tobytes() == latents.tobytes()


@pytest.mark.parametrize("form", [form for form in READ if form is not Format.JSONL])
def test_no_rows_survive_writing_and_reading(form):
    operations = to_bytes(Rows(operations=TABLES[:0]), form)
    latents = to_bytes(Rows(latents=LATENTS[:0]), form)
    assert read_operations(operations, "rows").shape == (0, 9)
    assert read_latents(latents, "rows").shape == (0, 16)


@pytest.mark.parametrize("form", [form for form in READ if form is not Format.NPY])
def test_rows_with_everything_serve_encode_and_decode(form):
    data = to_bytes(Rows(index=np.arange(50, dtype=np.int32), operations=TABLES[:50], latents=LATENTS), form)
    assert np.array_equal(read_operations(data, "rows"), TABLES[:50])
    assert np.array_equal(read_latents(data, "rows"), LATENTS)


def test_csv_columns_are_taken_by_name_in_any_order():
    data = b"t8,t7,t6,t5,t4,t3,t2,t1,t0,note\r\n1,0,0,0,0,0,0,0,-1,from a spreadsheet\r\n"
    assert read_operations(data, "rows").tolist() == [[-1, 0, 0, 0, 0, 0, 0, 0, 1]]


def test_csv_with_a_byte_order_mark_is_read():
    assert len(read_operations(b"\xef\xbb\xbf" + HEADER.encode() + b"\n0,0,0,0,0,0,0,0,0\n", "rows")) == 1


def test_nine_columns_without_names_are_operations():
    assert read_operations(b"1,1,1,0,0,0,-1,-1,-1\n", "rows").tolist() == [[1, 1, 1, 0, 0, 0, -1, -1, -1]]


def test_bare_lists_are_json_lines():
    assert read_operations(b"[1,1,1,0,0,0,-1,-1,-1]\n\n", "rows").tolist() == [[1, 1, 1, 0, 0, 0, -1, -1, -1]]


def test_fortran_order_and_other_number_types_are_read():
    assert np.array_equal(
        read_operations(npy(np.asfortranarray(TABLES[:7].astype(">f8"))), "rows"),
        TABLES[:7],
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "rows: empty, expected CSV, JSON, .npy, Parquet or Arrow"),
        (b"\n\n", "rows: nothing but blank lines, expected CSV, JSON, .npy, Parquet or Arrow"),
        (
            b"\x00\x00\x03\x04\x00\x00",
            "rows: unknown format (begins 00 00 03 04), expected CSV, JSON, .npy, Parquet or Arrow",
        ),
        (
            b"PK\x03\x04\x00\x00",
            "rows: a ZIP archive or an Excel workbook, expected CSV, JSON, .npy, Parquet or Arrow",
        ),
        (b"\x1f\x8b\x08\x00", "rows: compressed by gzip, expected CSV, JSON, .npy, Parquet or Arrow"),
        (
            b"a,b\n1,2\n",
            "rows: line 1: no column of operations; found 'a,b', expected t0 to t8, or one of operation,"
            " index, code, name",
        ),
        (
            b"t0,t1,index\n1,2,3\n",
            "rows: line 1: column t2 is missing; found 't0,t1,index', expected t0 to t8",
        ),
        (
            f"{HEADER},t3\n".encode(),
            f"rows: line 1: column t3 appears twice; found '{HEADER},t3', expected t0 to t8",
        ),
        (b"1,2,3\n", "rows: line 1: 3 columns without names, expected 9 (t0 to t8)"),
        (f"{HEADER}\n0,0,0\n".encode(), "rows: line 2: 3 cells, expected 9"),
        (
            f"{HEADER}\n0,0,0,0,0,0,0,0,0\n0,0,x,0,0,0,0,0,0\n".encode(),
            "rows: line 3: column t2 is 'x', expected a number",
        ),
        (
            f"{HEADER}\n0,0,0,0,0,0,0,0,2\n".encode(),
            "rows: line 2: column t8 is 2, expected -1, 0 or 1",
        ),
        (
            f"{HEADER}\n0,nan,0,0,0,0,0,0,0\n".encode(),
            "rows: line 2: column t1 is 'nan', expected a number",
        ),
        (b'"1,2\n', "rows: line 1: not CSV (unexpected end of data)"),
        (
            b'{"operation":[0,0,0,0,0,0,0,0,0]}\n{"operation":[0,',
            "rows: line 2 is not JSON: '{\"operation\":[0,'",
        ),
        (
            b'{"latent":4}\n',
            "rows: line 1: no column of operations; found 'latent', expected t0 to t8, or one of operation,"
            " index, code, name",
        ),
        (b'{"operation":[0,0]}\n', "rows: line 1: column operation: [0, 0], expected a list of 9 numbers"),
        (
            b'{"operation":"000000000"}',
            "rows: line 1: column operation: '000000000' is ambiguous: the signs of operation 9841 or the"
            " digits of operation 0; write the index",
        ),
        (
            b'{"operation":null}',
            "rows: line 1: column operation: null, expected a list of 9 trits, a text or an index",
        ),
        (b"[1,2]", "rows: line 1: [1, 2], expected a list of 9 numbers"),
        (b'{"t0":1}\n3\n', "rows: line 1: column t1 is missing; found 't0', expected t0 to t8"),
        (
            b"[true,0,0,0,0,0,0,0,0]",
            "rows: line 1: column t0 is true, expected a number",
        ),
        (b"[NaN,0,0,0,0,0,0,0,0]", "rows: line 1: NaN is not a number of JSON"),
        (
            b"[1" + b"0" * 400 + b",0,0,0,0,0,0,0,0]",
            "rows: line 1: column t0 is an integer too large for any number format",
        ),
        (b"[" * 100_000, "rows: JSON nested too deeply to be read"),
        (b"\x93NUMPY", "rows: the .npy header cannot be read, expected version 1.0 or 2.0"),
        (b"\x93NUMPY\x07\x00", "rows: the .npy header cannot be read, expected version 1.0 or 2.0"),
        (npy(TABLES[:4])[:-1], "rows: 35 bytes of values, its header promises 36"),
        (npy(TABLES[:4]) + b"\0", "rows: 37 bytes of values, its header promises 36"),
        (npy(TABLES[0]), "rows: shape is (9,), expected (n, 9)"),
        (npy(TABLES[:4, :8]), "rows: shape is (4, 8), expected (n, 9)"),
        (npy(np.ones((2, 9), dtype=bool)), f"rows: dtype is |b1, {NUMBERS}"),
        (npy(np.full((2, 9), "x")), f"rows: dtype is <U1, {NUMBERS}"),
        (npy(np.full((2, 9), None), allow_pickle=True), f"rows: dtype is |O, {NUMBERS}"),
    ],
)
def test_what_holds_no_operations_is_refused(data, sentence):
    assert refusal(read_operations, data) == sentence


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (npy(LATENTS[:, :9]), "rows: shape is (50, 9), expected (n, 16)"),
        (
            f"{HEADER}\n".encode(),
            f"rows: line 1: no column of latents; found '{HEADER}', expected z0 to z15, or one of latent",
        ),
        (npy(np.full((2, 16), np.inf)), "rows: row 0: column z0 is inf, expected a finite float32"),
        (npy(np.full((2, 16), 1e39)), "rows: row 0: column z0 is inf, expected a finite float32"),
        (
            ("[" + ",".join(["0"] * 15) + ",NaN]").encode(),
            "rows: line 1: NaN is not a number of JSON",
        ),
    ],
)
def test_what_holds_no_latents_is_refused(data, sentence):
    assert refusal(read_latents, data) == sentence


def test_an_npy_header_that_promises_terabytes_is_refused_before_memory_is_taken():
    header = npy(np.zeros((1, 9))).replace(b"(1, 9), }" + b" " * 12, b"(1000000000000, 9), }")
    assert refusal(read_operations, header) == "rows: 72 bytes of values, its header promises 72000000000000"


@pytest.mark.parametrize("version", [b"\1\0", b"\2\0"])
def test_the_entries_of_an_npy_header_may_be_in_any_order(version):
    text = "{'shape':(2, 9),'fortran_order':True,'descr':'|i1'}"
    found = read_operations(headed(text, TABLES[[3, 5]].tobytes(order="F"), version), "rows")
    assert found.tolist() == TABLES[[3, 5]].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 9",  # Python: never closed
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 9}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 9)\n  , }\n 1",  # Python: bad indentation
        "{'descr': '<f4', 'fortran_order':\n False, 'shape': (1, 9)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 9), }",  # NumPy: warns
        "{'descr': '<f4', 'fortran_order': False, 'shape': (01, 9), \\d}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -9), }",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (1, 9), }",
        "{'descr': '<f4', 'descr': '<f4', 'shape': (1, 9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 9), 'more': 1, }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 5000 + "), }",
        "[" * 9000,
        "",
    ],
)
def test_an_npy_header_of_another_form_is_refused_in_silence(text, capfd):
    sentence = "rows: the .npy header cannot be read, expected version 1.0 or 2.0"
    assert refusal(read_operations, headed(text, bytes(36))) == sentence
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", ["<04", "<f16", "<c8", "f4,f4", "<f", "nonsense", "<M8[s]"])
def test_an_npy_file_of_other_types_is_refused(dtype):
    data = headed(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (1, 9), }}", bytes(36))
    assert refusal(read_operations, data) == f"rows: dtype is {dtype}, {NUMBERS}"


def test_an_npy_shape_of_a_thousand_axes_is_not_repeated_whole():
    data = headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1, ' * 1000}), }}")
    assert refusal(read_operations, data) == f"rows: shape is ({'1, ' * 18}1,…, expected (n, 9)"


@pytest.mark.parametrize(("kind", "nan"), [("<f8", "010000000000f07f"), ("<f4", "0100807f")])
def test_a_signalling_nan_is_refused_in_silence(kind, nan):
    values = bytes.fromhex(nan) * 16
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (1, WIDTH), }}"
    latents = headed(text.replace("WIDTH", "16"), values)
    operations = headed(text.replace("WIDTH", "9"), values[: 9 * len(nan) // 2])
    sentence = "rows: row 0: column z0 is nan, expected a finite float32"
    assert refusal(read_latents, latents) == sentence
    sentence = "rows: row 0: column t0 is nan, expected -1, 0 or 1"
    assert refusal(read_operations, operations) == sentence


def test_operations_beside_latents_do_not_fit_into_npy():
    with pytest.raises(InputError) as caught:
        to_bytes(Rows(operations=TABLES[:50], latents=LATENTS), Format.NPY)
    assert str(caught.value) == "npy: no room for latents beside operations; use csv or jsonl"


def test_a_table_lines_up():
    rows = Rows(
        index=np.array([0, 19682], dtype=np.int32),
        operations=TABLES[[0, 19682]],
        latents=LATENTS[:2],
    )
    header, first, second = to_bytes(rows, Format.TABLE).decode().splitlines()
    assert header.startswith("index  t0 t1 t2 t3 t4 t5 t6 t7 t8       z0      z1")
    assert first.startswith("    0  -1 -1 -1 -1 -1 -1 -1 -1 -1    0.001   0.299")
    assert second.startswith("19682   1  1  1  1  1  1  1  1  1")
    assert len({len(header), len(first), len(second)}) == 1


def test_csv_names_what_is_in_it():
    rows = Rows(index=np.array([9841], dtype=np.int32), operations=TABLES[[9841]])
    assert to_bytes(rows, Format.CSV) == b"index,t0,t1,t2,t3,t4,t5,t6,t7,t8\n9841,0,0,0,0,0,0,0,0,0\n"
    assert to_bytes(rows, Format.JSONL) == b'{"index":9841,"operation":[0,0,0,0,0,0,0,0,0]}\n'


@pytest.mark.parametrize("form", [form for form in Format if not form.columnar and form.suffixes])
def test_rows_written_in_parts_are_the_same_bytes(form):
    index = np.arange(50, dtype=np.int32)
    kept = {} if form is Format.NPY else {"latents": LATENTS}

    def rows(start, end):
        some = {name: values[start:end] for name, values in kept.items()}
        return Rows(index=index[start:end], operations=TABLES[start:end], **some)

    parts = [rows(0, 20), rows(20, 49), rows(49, 50)]
    written = list(in_parts(iter(parts), form, count=50))
    assert len(written) == 3
    assert b"".join(written) == to_bytes(rows(0, 50), form)


def test_an_npy_file_is_the_one_that_numpy_writes():
    assert to_bytes(Rows(operations=TABLES), Format.NPY) == npy(TABLES)
    assert to_bytes(Rows(latents=LATENTS), Format.NPY) == npy(LATENTS)
