"""Truth tables of Mixed Radix Circuit Synthesis, read back here and by pandas."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.exchange import Gates, from_mrcs, to_mrcs
from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2, Space

HEADER = "MSB in_0in_1..in_n,MSB out_0out_1..out_n,comment_1\n"
SIGNS = {"-": -1, "0": 0, "+": 1}


@given(st.sampled_from([Space(3, 1), TERNARY_2, Space(3, 3)]), st.data())
def test_any_operation_is_read_back(space, data):
    indices = data.draw(st.lists(st.integers(0, space.size - 1), min_size=1, max_size=5))
    back = from_mrcs(to_mrcs(Gates.of(indices, space)).encode(), "x")
    assert (back.space, back.index.tolist()) == (space, indices)


def test_pandas_reads_the_same_operations():
    names = ["MIN", "SUM"]
    text = to_mrcs(Gates.of([NAMES[name] for name in names], TERNARY_2))
    frame = pd.read_csv(io.StringIO(text), dtype=str)
    found = {
        tuple(SIGNS[sign] for sign in inputs): [SIGNS[sign] for sign in outputs]
        for inputs, outputs in zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True)
    }
    assert found == {(a, b): [min(a, b), (a + b + 1) % 3 - 1] for a in SIGNS.values() for b in SIGNS.values()}
    assert set(frame["comment_1"]) == {"PC0 7PB"}


def test_a_table_of_that_program_is_read():
    """An adder of two trits in its form: rows in any order, three comments, no line feed at the end."""
    rows = [
        f"{'-0+'[a + 1]}{'-0+'[b + 1]},{'-0+'[(a + b > 1) - (a + b < -1) + 1]}"
        f"{'-0+'[(a + b + 1) % 3]},{a},{b},{a + b}"
        for a in (1, 0, -1)
        for b in (-1, 0, 1)
    ]
    text = "MSB in_0in_1..in_n,MSB out_0out_1..out_n,comment_1,comment_2,comment_3\n" + "\n".join(rows)
    assert from_mrcs(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "x").names == ("f_RDC", "f_7PB")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x: line 1: not the header of MRCS, expected MSB in_0in_1..in_n,MSB out_0out_1..out_n"),
        ("a,b\n", "x: line 1: not the header of MRCS, expected MSB in_0in_1..in_n,MSB out_0out_1..out_n"),
        (HEADER, "x: no rows after the header"),
        (HEADER + "-\n", "x: line 2: 1 cells, expected inputs and outputs"),
        (HEADER + "-,0\n0,0\n", "x: inputs + have no row, expected all 3"),
        (HEADER + "-,0\n0,0\n-,+\n", "x: line 4: inputs - give +, and 0 in line 2"),
        (HEADER + "-,0\n1,0\n", "x: line 3: inputs are '1', expected -, 0 and +"),
        (HEADER + "-,\n", "x: line 2: outputs are '', expected -, 0 and +"),
        (HEADER + "-,0\n0,00\n", "x: line 3: 2 outputs, expected 1 as in the first row"),
        (HEADER + "----,0\n", "x: line 2: 4 inputs, expected at most 3"),
        (HEADER + '"-,0\n', "x: line 2: not CSV (unexpected end of data)"),
    ],
)
def test_what_is_not_such_a_table_is_refused_with_line_and_reason(text, sentence):
    with pytest.raises(FormatError) as refusal:
        from_mrcs(text.encode(), "x")
    assert str(refusal.value) == sentence


@given(st.binary(max_size=200).map(lambda data: HEADER.encode() + data) | st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(data):
    try:
        gates = from_mrcs(data, "x")
    except FormatError:
        pass
    else:
        assert len(gates) > 0


@pytest.mark.parametrize(
    ("gates", "sentence"),
    [
        (Gates.of([0], Space(4, 1)), "MRCS: truth tables are of three values, found the 4 of 4,1"),
        (Gates.of([], TERNARY_2), "MRCS: 0 operations for one table, expected 1 to 10,000"),
        (
            Gates.of(np.zeros(10_001, np.int32), TERNARY_2),
            "MRCS: 10001 operations for one table, expected 1 to 10,000",
        ),
    ],
)
def test_what_is_not_one_ternary_table_is_not_written(gates, sentence):
    with pytest.raises(InputError) as refusal:
        to_mrcs(gates)
    assert str(refusal.value) == sentence
