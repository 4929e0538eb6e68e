"""Verilog: Icarus simulates every cell in every encoding, Yosys computes the same, and a wrong gate fails."""

import itertools

import numpy as np
import pytest
from tests.foreign_programs import output, simulated, truth_table

from ternary_sdk.errors import InputError
from ternary_sdk.exchange import Encoding, Gates, to_testbench, to_verilog
from ternary_sdk.logic import NAMES, from_code
from ternary_sdk.space import TERNARY_2, Space

WORDS = {
    Encoding.MRCS: {-1: "01", 0: "11", 1: "10"},
    Encoding.ASCENDING: {-1: "00", 0: "01", 1: "10"},
    Encoding.SIGNED: {-1: "11", 0: "00", 1: "01"},
}
SPACES = [
    Space(2, 1),
    Space(2, 3),
    Space(3, 1),
    Space(3, 3),
    Space(4, 2),
    Space(5, 1),
    Space(2, 5),
    Space(15, 1),
]


def some(space, count=5):
    indices = np.random.default_rng(1).integers(0, space.size, count).tolist()
    return Gates.of([0, space.size - 1, *indices], space)


@pytest.mark.parametrize("encoding", Encoding)
def test_every_cell_passes_its_testbench_in_every_encoding(encoding, tmp_path):
    gates = some(TERNARY_2, 30)
    (tmp_path / "gates.v").write_text(to_verilog(gates, encoding))
    (tmp_path / "bench.v").write_text(to_testbench(gates, encoding))
    lines = simulated(tmp_path, "gates.v", "bench.v")
    assert sorted(lines) == sorted(f"PASS {name}_bet: 9 of 9 cells" for name in gates.names)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_cell_passes_its_testbench_in_every_space(space, tmp_path):
    gates = some(space)
    (tmp_path / "gates.v").write_text(to_verilog(gates))
    (tmp_path / "bench.v").write_text(to_testbench(gates))
    cells, lines = space.cells, simulated(tmp_path, "gates.v", "bench.v")
    assert len(lines) == len(gates)
    assert {line.partition(":")[2] for line in lines} == {f" {cells} of {cells} cells"}
    assert all(line.startswith("PASS ") for line in lines)


@pytest.mark.parametrize("cell", range(9))
def test_a_gate_with_one_wrong_cell_fails(cell, tmp_path):
    table = TERNARY_2.tables[NAMES["MIN"]].copy()
    table[cell] = 1 if table[cell] < 1 else -1
    wrong = to_verilog(Gates.of(TERNARY_2.to_index(table[None]), TERNARY_2), names=["gate"])
    (tmp_path / "gate.v").write_text(wrong)
    (tmp_path / "bench.v").write_text(to_testbench(Gates.of([NAMES["MIN"]], TERNARY_2), names=["gate"]))
    first, last = simulated(tmp_path, "gate.v", "bench.v")
    a, b = (WORDS[Encoding.MRCS][digit - 1] for digit in divmod(cell, 3))
    assert first.startswith(f"gate: a = {a}, b = {b}: out is ")
    assert last == "FAIL gate: 1 of 9 cells"


def test_a_gate_of_another_encoding_fails(tmp_path):
    gates = Gates.of([NAMES["SUM"]], TERNARY_2)
    (tmp_path / "gate.v").write_text(to_verilog(gates, Encoding.SIGNED))
    (tmp_path / "bench.v").write_text(to_testbench(gates, Encoding.MRCS))
    assert simulated(tmp_path, "gate.v", "bench.v")[-1].startswith("FAIL f_7PB_bet: ")


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("name", ["MIN", "SUM", "MLE"])
def test_yosys_computes_the_definition(name, encoding, tmp_path):
    """Its own reading of the source, without our testbench: a is portA, b is portB."""
    define = {"MIN": min, "SUM": lambda a, b: (a + b + 1) % 3 - 1, "MLE": lambda a, b: (a > b) - (a < b)}[
        name
    ]
    (tmp_path / "gate.v").write_text(to_verilog(Gates.of([NAMES[name]], TERNARY_2), encoding, ["gate"]))
    found = truth_table(tmp_path, "read_verilog gate.v; proc -norom; cd gate", ("portA", "portB"), "out")
    word = WORDS[encoding]
    assert len(found) == 16
    for a, b in itertools.product(word, repeat=2):
        assert found[word[a], word[b]] == word[define(a, b)]


def test_yosys_synthesizes_a_gate_of_four_values(tmp_path):
    space = Space(4, 2)
    (tmp_path / "gate.v").write_text(to_verilog(some(space), names=None))
    assert "ERROR" not in output(
        "yosys", "-q", "-p", "read_verilog gate.v; synth; check -assert", folder=tmp_path
    )


def test_a_word_that_is_no_value_gives_x(tmp_path):
    (tmp_path / "gate.v").write_text(to_verilog(Gates.of([NAMES["MIN"]], TERNARY_2), names=["gate"]))
    (tmp_path / "bench.v").write_text(
        "module bench; reg [1:0] a, b; wire [1:0] out; gate g(.portA(a), .portB(b), .out(out));\n"
        "initial begin a = 2'b00; b = 2'b01; #1 $display(\"%b\", out);\n"
        'a = 2\'b01; #1 $display("%b", out); end\n'
        "endmodule\n"
    )
    assert simulated(tmp_path, "gate.v", "bench.v", top="bench") == ["xx", "01"]


def test_three_inputs_are_port_c_then_a_then_b():
    """A latch of Mixed Radix Circuit Synthesis: C = + takes A, else B stays. Its code is ZD0PPPPPP."""
    space = Space(3, 3)
    table = [a if c == 1 else b for c, a, b in itertools.product((-1, 0, 1), repeat=3)]
    assert space.to_index([table]).tolist() == [from_code("ZD0PPPPPP", space)]
    text = to_verilog(Gates.of([from_code("ZD0PPPPPP", space)], space))
    assert "out = f(a, b, c), a = portC, b = portA, c = portB." in text
    assert "case ({portC, portA, portB})" in text
    lines = [line.strip() for line in text.splitlines()]
    ports = [line for line in lines if line.startswith("input")]
    assert ports == [f"input wire [1:0] port{letter}," for letter in "CBA"]


def test_a_file_names_its_encoding():
    (named,) = {line for line in to_verilog(Gates.of([0], TERNARY_2)).splitlines() if "Encoding" in line}
    assert named == "// Encoding mrcs: - = 01, 0 = 11, + = 10. Any other word on a port gives x."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            (Gates.of([0], Space(4, 1)), Encoding.SIGNED),
            "encoding: signed is of three values, expected ascending for the 4 of 4,1",
        ),
        (
            (Gates.of([0], TERNARY_2), None, ["2nd"]),
            "module: '2nd' is not a name that design tools take, "
            "expected letters, digits and _, no digit first",
        ),
        (
            (Gates.of([0], TERNARY_2), None, ["wire"]),
            "module: 'wire' is a key word of Verilog, expected another name",
        ),
    ],
)
def test_what_verilog_cannot_say_is_refused(arguments, sentence):
    for write in (to_verilog, to_testbench):
        with pytest.raises(InputError) as refusal:
            write(*arguments)
        assert str(refusal.value) == sentence
