"""Rows in Parquet and Arrow: read by pandas and pyarrow as we write them, and by us as they write them."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_cli import row_reader
from ternary_cli.formats import Format, in_parts, to_bytes
from ternary_cli.kinds import operations_of
from ternary_cli.rows import Rows
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

INDEX = np.array([15633, 16401, 0, 19682], np.int32)
TABLES = TERNARY_2.from_index(INDEX)
LATENTS = np.random.default_rng(5).standard_normal((4, 16)).astype(np.float32)
ROWS = Rows(index=INDEX, operations=TABLES, latents=LATENTS, space=TERNARY_2)


def parquet(columns, **options):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


def arrow(columns, open_writer=pa.ipc.new_file):
    stream, table = io.BytesIO(), pa.table(columns)
    with open_writer(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def stream(columns):
    return arrow(columns, pa.ipc.new_stream)


def read(data, space=TERNARY_2):
    return row_reader.read(data, operations_of(space), "rows").values


def refusal(data, space=TERNARY_2):
    with pytest.raises(InputError) as caught:
        read(data, space)
    return str(caught.value)


def test_pandas_reads_the_parquet():
    frame = pd.read_parquet(io.BytesIO(to_bytes(ROWS, Format.PARQUET)))
    assert list(frame) == ["index", "operation", "latent"]
    assert frame["index"].tolist() == INDEX.tolist()
    assert np.stack(frame["operation"]).tolist() == TABLES.tolist()
    assert np.array_equal(np.stack(frame["latent"]), LATENTS)


def test_pyarrow_reads_the_arrow_file_without_copying_a_value():
    with pa.ipc.open_file(to_bytes(ROWS, Format.ARROW)) as file:
        table = file.read_all()
    assert table.schema.types == [pa.int32(), pa.list_(pa.int8(), 9), pa.list_(pa.float32(), 16)]
    assert table["operation"].to_pylist() == TABLES.tolist()
    assert pd.read_feather(io.BytesIO(to_bytes(ROWS, Format.ARROW)))["index"].tolist() == INDEX.tolist()


@pytest.mark.parametrize("form", [Format.PARQUET, Format.ARROW])
def test_rows_in_parts_are_the_same_rows(form):
    whole = to_bytes(ROWS, form)
    halves = [
        Rows(index=INDEX[part], operations=TABLES[part], latents=LATENTS[part], space=TERNARY_2)
        for part in (slice(0, 3), slice(3, 4))
    ]
    parts = list(in_parts(iter(halves), form, count=4))
    assert all(parts)
    read = {Format.PARQUET: pq.read_table, Format.ARROW: lambda data: pa.ipc.open_file(data).read_all()}[form]
    assert read(pa.BufferReader(b"".join(parts))).equals(read(pa.BufferReader(whole)))


def test_what_is_known_of_the_rows_stands_in_the_metadata():
    facts = {"space": TERNARY_2, "seed": 7}
    data = b"".join(in_parts([ROWS], Format.ARROW, count=4, facts=facts))
    assert pa.ipc.open_file(data).schema.metadata == {b"ternary.space": b"3,2", b"ternary.seed": b"7"}
    written = in_parts([ROWS], Format.PARQUET, count=4, facts=facts)
    facts["set"] = "ab"  # as a draw learns it from its last part
    data = next(written)
    facts["set"] = "abcd"
    data += b"".join(written)
    found = pq.read_metadata(io.BytesIO(data)).metadata
    assert found[b"ternary.space"] == b"3,2"
    assert pq.read_table(io.BytesIO(data)).schema.metadata[b"ternary.seed"] == b"7"


COLUMNS = {
    "numbers": {f"t{cell}": TABLES[:, cell] for cell in range(9)},
    "floats": {f"t{cell}": TABLES[:, cell].astype(float) for cell in range(9)},
    "lists": {"operation": TABLES.tolist()},
    "lists of one size": {"operation": pa.array(TABLES.tolist(), pa.list_(pa.int8(), 9))},
    "indices": {"index": INDEX},
    "codes": {"code": ["PC0", "RDC", "000", "ZZZ"]},
    "categories": {"operation": pa.array(["PC0", "RDC", "---------", "ZZZ"]).dictionary_encode()},
    "trits before an index, which may be pandas' number of the row": {
        "index": [0, 1, 2, 3],
        **{f"t{cell}": TABLES[:, cell] for cell in range(9)},
    },
}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("write", [parquet, arrow, stream])
def test_columns_of_other_programs_are_read(write, columns):
    assert read(write(columns)).tolist() == TABLES.tolist()


def test_a_frame_of_pandas_is_read_with_and_without_its_index():
    frame = pd.DataFrame(TABLES, columns=[f"t{cell}" for cell in range(9)], index=[5, 6, 7, 8])
    for form in (frame, frame.rename_axis("index")):
        data = io.BytesIO()
        form.to_parquet(data)
        assert read(data.getvalue()).tolist() == TABLES.tolist()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"a": [1]},
            "no column of operations; found 'a', expected t0 to t8, or one of operation, index, code, name",
        ),
        ({"index": [1, None]}, "row 1: column index is null, expected a value"),
        ({"index": [1, -1]}, "row 1: column index: -1, expected an index, 0 to 19682"),
        ({"index": [1.5]}, "column index is double, expected lists of 9 numbers"),
        ({"code": ["PC0", "?"]}, None),
        ({"operation": [[0] * 8]}, "column operation has a list of 8 numbers, expected 9"),
        (
            {"operation": [[0] * 8 + [None]]},
            "column operation has lists of nulls, expected integers or floats",
        ),
        ({"operation": [["0"] * 9]}, "column operation has lists of string, expected integers or floats"),
        ({"operation": [[0] * 8 + [2]]}, "row 0: column t8 is 2, expected -1, 0 or 1"),
        ({f"t{cell}": ["0"] for cell in range(9)}, "column t0 is string, expected integers or floats"),
        ({f"t{cell}": [0.5] for cell in range(9)}, "row 0: column t0 is 0.5, expected -1, 0 or 1"),
        ({"t0": [1]}, "column t1 is missing; found 't0', expected t0 to t8"),
    ],
)
def test_what_holds_no_operations_is_refused(columns, sentence):
    for write in (parquet, arrow, stream):
        found = refusal(write(columns))
        assert found == f"rows: {sentence}" if sentence else found.startswith("rows: row 1: column code: ")


def test_a_file_of_another_space_is_refused():
    rows = Rows(index=np.array([3]), operations=np.zeros((1, 9), np.int8), space=Space(2, 3))
    for form in (Format.PARQUET, Format.ARROW):
        data = b"".join(in_parts([rows], form, count=1, facts={"space": Space(2, 3)}))
        assert refusal(data) == "rows: its metadata says space 2,3, expected 3,2"


def test_more_rows_than_can_be_sampled_are_refused():
    data = parquet({"index": pa.nulls(row_reader.MOST_ROWS + 1, pa.int32())})
    assert refusal(data) == "rows: more than 10,000,000 rows, expected at most that many"


@pytest.mark.parametrize("write", [parquet, arrow])
def test_a_file_cut_short_is_refused(write):
    data = write(COLUMNS["numbers"])
    name = {parquet: "Parquet", arrow: "Arrow"}[write]
    assert refusal(data[:-20]).startswith(f"rows: {name} that cannot be read (")
    assert refusal(b"FEA1" + data) == (
        "rows: Feather 1; version 2 is Arrow, expected CSV, JSON, .npy, Parquet or Arrow"
    )


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.sampled_from([parquet, arrow, stream]))
def test_altered_bytes_are_read_or_refused(place, bytes_, write):
    data = bytearray(write(COLUMNS["lists"]))
    place %= len(data)
    data[place : place + len(bytes_)] = bytes_
    try:
        found = read(bytes(data))
    except InputError:
        pass
    else:
        assert found.shape[1] == 9


def test_without_pyarrow_its_formats_are_refused_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    sentence = "pyarrow: is not installed; run 'pip install pyarrow'"
    assert refusal(b"PAR1....") == f"rows: {sentence}"
    for form in (Format.PARQUET, Format.ARROW):
        with pytest.raises(InputError) as caught:
            to_bytes(ROWS, form)
        assert str(caught.value) == sentence
