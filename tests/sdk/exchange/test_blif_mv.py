"""BLIF-MV: read back as it was meant, here and by Berkeley ABC; what is not total is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.foreign_programs import output, truth_table

from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.exchange import Gates, from_blif_mv, to_blif_mv
from ternary_sdk.logic import NAMES
from ternary_sdk.space import TERNARY_2, Space

SPACES = [TERNARY_2, Space(3, 1), Space(2, 3), Space(4, 2), Space(5, 1), Space(3, 3), Space(10, 1)]


def some(space, seed=3):
    indices = np.random.default_rng(seed).integers(0, space.size, 4).tolist()
    return Gates.of([0, space.size - 1, *indices], space)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_what_is_written_is_read_back(space):
    gates = some(space)
    back = from_blif_mv(to_blif_mv(gates).encode(), "rows.mv")
    assert (back.space, back.names, back.index.tolist()) == (space, gates.names, gates.index.tolist())


@given(st.sampled_from(SPACES), st.data())
def test_any_operation_is_read_back(space, data):
    indices = data.draw(st.lists(st.integers(0, space.size - 1), min_size=1, max_size=5))
    back = from_blif_mv(to_blif_mv(Gates.of(indices, space)).encode(), "rows.mv")
    assert (back.space, back.index.tolist()) == (space, indices)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_berkeley_abc_reads_the_same_operations(space, tmp_path):
    gates = some(space)
    (tmp_path / "gates.mv").write_text(to_blif_mv(gates))
    output("berkeley-abc", "-q", "read_blif_mv gates.mv; strash; write_blif gates.blif", folder=tmp_path)
    letters, width = "abcde"[: space.inputs], (space.radix - 1).bit_length()
    for name, table in zip(gates.names, (gates.tables - space.lowest).tolist(), strict=True):
        found = truth_table(tmp_path, "read_blif -wideports gates.blif", letters, name)
        for cell, digit in enumerate(table):
            digits = [cell // space.radix**place % space.radix for place in reversed(range(space.inputs))]
            assert found[tuple(f"{each:0{width}b}" for each in digits)] == f"{digit:0{width}b}"


def test_what_berkeley_abc_writes_is_read(tmp_path):
    """ABC writes internal signals, so it is made to collapse them first."""
    (tmp_path / "gates.mv").write_text(to_blif_mv(Gates.of([0x96, 0xE8], Space(2, 3))))
    script = "read_blif_mv gates.mv; strash; collapse; sop; write_blif_mv out.mv"
    output("berkeley-abc", "-q", script, folder=tmp_path)
    assert from_blif_mv((tmp_path / "out.mv").read_bytes(), "out.mv").index.tolist() == [0x96, 0xE8]


DIALECTS = {
    "an arrow": ".table a b -> f\n0 - 0\n- 0 0\n{1,2} {1,2} 1\n",
    "a default": ".table a b f\n.default 0\n(1,2) (1,2) 1\n",
    "a default last": ".table a b f\n(1,2) {1, 2} 1\n.default 0\n",
    "the inputs in another order": ".table b a f\n0 - 0\n- 0 0\n{1,2} {1,2} 1\n",
    "comments and continued lines": ".table a \\\n  b f # of two\n\n# more\n0 - 0\n- 0 \\\n0\n.def 1\n",
    "rows that say the same twice": ".table a b f\n0 - 0\n- 0 0\n0 0 0\n.default 1\n",
}


@pytest.mark.parametrize("rows", DIALECTS.values(), ids=DIALECTS)
def test_dialects_mean_the_same(rows):
    gates = from_blif_mv(f".model m\n.inputs a b\n.outputs f\n.mv a, b,f 3\n{rows}.end\n".encode(), "x")
    assert gates.tables.tolist() == [[-1, -1, -1, -1, 0, 0, -1, 0, 0]]


def test_an_input_named_as_a_result_and_several_outputs_of_one_table_are_read():
    text = ".inputs a b\n.outputs f g\n.mv a,b,f,g 3\n.table a b -> f g\n- - =a =b\n.end\n"
    gates = from_blif_mv(text.encode(), "x")
    assert gates.names == ("f", "g")
    assert gates.tables.tolist() == [[-1] * 3 + [0] * 3 + [1] * 3, [-1, 0, 1] * 3]


def test_names_of_values_stand_for_digits_in_their_order():
    text = ".inputs a\n.outputs f\n.mv a,f 3 low mid high\n.table a f\nlow high\nhigh low\n.default mid\n"
    assert from_blif_mv(text.encode(), "x").tables.tolist() == [[1, 0, -1]]


def test_variables_without_mv_are_boolean_and_a_table_may_leave_inputs_out():
    text = ".model m\n.inputs a b\n.outputs f g\n.table b f\n0 1\n1 0\n.table g\n1\n.end\n"
    gates = from_blif_mv(text.encode(), "x")
    assert (gates.space, gates.tables.tolist()) == (Space(2, 2), [[1, 0, 1, 0], [1, 1, 1, 1]])


READ = ".model, .inputs, .outputs, .mv, .table, .default and .end"
HEAD = ".model m\n.inputs a b\n.outputs f\n.mv a,b,f 3\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x: no .inputs, expected a BLIF-MV model"),
        ("hello\n", f"x: line 1: 'hello' outside a table, expected {READ}"),
        (HEAD, "x: output f has no .table"),
        (HEAD + ".table a b f\n0 0 0\n", "x: line 5: .table of f: a=0 b=1 has no value and no .default"),
        (
            HEAD + ".table a b f\n0 - 0\n- 0 1\n",
            "x: line 7: a=0 b=0 has another value in line 6, expected one",
        ),
        (HEAD + ".table a b f\n0 3 0\n", "x: line 6: '3' is not a value of b, expected 0 to 2"),
        (HEAD + ".table a b f\n0 {1,x} 0\n", "x: line 6: '{1,x}' is not a value of b, expected 0 to 2"),
        (HEAD + ".table a b f\n0 !1 0\n", "x: line 6: '!1' is not a value of b, expected 0 to 2"),
        (HEAD + ".table a b f\n0 0 {0,1}\n", "x: line 6: f may be any of 2 values, expected one"),
        (HEAD + ".table a b f\n0 0 -\n", "x: line 6: f may be any of 3 values, expected one"),
        (HEAD + ".table a b f\n0 0\n", "x: line 6: 2 columns, expected 3"),
        (HEAD + ".table a b f\n.default 0\n.default 1\n", "x: line 7: a second .default of one table"),
        (HEAD + ".table a c f\n", "x: line 5: c is not one of the model's inputs, each once"),
        (HEAD + ".table a a f\n", "x: line 5: a is not one of the model's inputs, each once"),
        (HEAD + ".table a b g\n", "x: line 5: g is not one of the model's outputs"),
        (HEAD + ".table a b f\n.default 0\n.table a f\n", "x: line 7: f has two tables"),
        (HEAD + ".table\n", "x: line 5: a table without an output"),
        (HEAD + ".latch a b\n", f"x: line 5: .latch cannot be read here, expected {READ}"),
        (HEAD + ".model n\n", "x: line 5: a second .model, expected one"),
        (HEAD + ".end\n.model n\n", "x: line 6: '.model' after .end, expected one model"),
        (HEAD + ".mv a 2\n", "x: line 5: a has two .mv"),
        (HEAD + ".inputs a\n", "x: line 5: a is declared twice"),
        (HEAD + ".mv c many\n", "x: line 5: .mv needs variables and a number of values, such as '.mv a,b 3'"),
        (
            HEAD + ".mv c 3 x y\n",
            "x: line 5: 3 values with 2 names, expected at least 2, and as many names or none",
        ),
        (HEAD + ".table a b f\n0 0 0 \\", "x: line 6: continues with \\ after the last line"),
        (
            ".inputs a\n.outputs f\n.mv a 3\n.table a f\n.default 0\n",
            "x: a has 3 values and f has 2, expected one number for all inputs and outputs",
        ),
        (
            ".inputs a b c d\n.outputs f\n.mv a,b,c,d,f 3\n.table a f\n.default 0\n",
            "x: space: 3 values and 4 inputs have 2^63 operations or more, expected fewer",
        ),
        (
            ".inputs a\n.outputs f\n.mv a,f 99\n.table a f\n- 0\n",
            "x: line 5: the table has more than 62 cells, so 2^63 operations or more",
        ),
    ],
)
def test_what_is_not_a_total_table_is_refused_with_line_and_reason(text, sentence):
    with pytest.raises(FormatError) as refusal:
        from_blif_mv(text.encode(), "x")
    assert str(refusal.value) == sentence


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    ".model",
                    ".inputs",
                    ".outputs",
                    ".mv",
                    ".table",
                    ".default",
                    ".end",
                    "a",
                    "b",
                    "f",
                    "->",
                    "0",
                    "1",
                    "2",
                    "-",
                    "=a",
                    "{1,2}",
                    "{",
                    "(",
                    "3",
                    "\n",
                    "\n",
                    " ",
                    "\\\n",
                    "#",
                    ",",
                    "999999999999",
                ]
            ),
            max_size=60,
        ).map(lambda words: " ".join(words).encode()),
    )
)
def test_any_bytes_are_read_or_refused(data):
    try:
        gates = from_blif_mv(data, "x")
    except FormatError:
        pass
    else:
        assert len(gates) == len(gates.names) > 0


@pytest.mark.parametrize(
    ("gates", "model", "sentence"),
    [
        (Gates.of([0], Space(11, 1)), "m", "BLIF-MV: 11 values, expected at most 10: a value is one digit"),
        (Gates.of([], TERNARY_2), "m", "BLIF-MV: no operations, expected at least one"),
        (
            Gates.of([0], TERNARY_2),
            "a b",
            "BLIF-MV: 'a b' cannot be a name, expected no blanks and none of # \\ , = ( )",
        ),
        (
            Gates(space=TERNARY_2, index=np.array([NAMES["MIN"]]), names=("a",)),
            "m",
            "BLIF-MV: the output a is the name of an input, expected another",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(gates, model, sentence):
    with pytest.raises(InputError) as refusal:
        to_blif_mv(gates, model)
    assert str(refusal.value) == sentence
