"""
Testbenches in Verilog: each drives a gate with every combination of inputs and compares what comes out.

A bench of one gate ends by itself and prints one line, ``PASS`` or ``FAIL``. The bench of a library runs all
of them and prints one line more. Nothing but a simulator is needed: ``iverilog -o bench *.v && vvp bench``.
"""

from collections.abc import Sequence

from ternary_sdk._internal.exchange.choices import Encoding
from ternary_sdk._internal.exchange.encodings import chosen, described, words
from ternary_sdk._internal.exchange.gates import Gates, input_digits, input_names
from ternary_sdk._internal.exchange.verilog import check_module_name, module_names, ports, range_of
from ternary_sdk.space import Space, Tables

SUFFIX = "_tb"
"""What the name of a gate's bench ends in."""


def write(gates: Gates, encoding: Encoding | None = None, names: Sequence[str] | None = None) -> str:
    """Write a bench for each gate, a module that stands alone; the arguments are those of ``verilog.write``.

    Raises:
        InputError: As ``verilog.write``.
    """
    how = chosen(encoding, gates.space)
    named = module_names(gates) if names is None else [check_module_name(name) for name in names]
    rows = zip(named, gates.tables, strict=True)
    return "\n".join(_bench(name, table, gates.space, how) for name, table in rows)


def write_top(names: Sequence[str], top: str) -> str:
    """Write the bench that runs those of several gates and prints whether all of them passed.

    Args:
        names: The modules of the gates, without ``SUFFIX``.
        top: Its own module.
    """
    failed = " + ".join(f"(bench_{number}.errors != 0)" for number in range(len(names))) or "0"
    lines = [
        f"// Runs the testbench of each of {len(names)} gates.",
        f"module {top};",
        *(f"    {name}{SUFFIX} bench_{number} ();" for number, name in enumerate(names)),
        "    integer failed;",
        "    initial begin",
        *(f"        wait (bench_{number}.done);" for number in range(len(names))),
        f"        failed = {failed};",
        "        if (failed == 0)",
        f'            $display("PASS {len(names)} of {len(names)} gates");',
        "        else",
        f'            $display("FAIL %0d of {len(names)} gates", failed);',
        "        $finish;",
        "    end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _bench(name: str, table: Tables, space: Space, encoding: Encoding) -> str:
    bits, letters = range_of(space, encoding), input_names(space)
    lines = [
        f"// Testbench of {name}. Encoding {described(encoding, space)}.",
        f"module {name}{SUFFIX};",
        *(f"    reg {bits}{letter};" for letter in letters),
        f"    wire {bits}out;",
        "    integer errors = 0;",
        "    reg done = 1'b0;",
        f"    {name} gate (",
        *(f"        .{port}({letter})," for letter, port in zip(letters, ports(space), strict=True)),
        "        .out(out)",
        "    );",
        *_task(name, bits, letters),
        "    initial begin",
        *_checks(table, space, words(encoding, space)),
        "        if (errors == 0)",
        f'            $display("PASS {name}: {space.cells} of {space.cells} cells");',
        "        else",
        f'            $display("FAIL {name}: %0d of {space.cells} cells", errors);',
        "        done = 1'b1;",
        "    end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _task(name: str, bits: str, letters: Sequence[str]) -> list[str]:
    """The task that drives one cell; ``!==`` also finds an output of x."""
    shown, listed = ", ".join(f"{letter} = %b" for letter in letters), ", ".join(letters)
    return [
        "    task check;",
        *(f"        input {bits}in_{letter};" for letter in letters),
        f"        input {bits}expected;",
        "        begin",
        *(f"            {letter} = in_{letter};" for letter in letters),
        "            #1;",
        "            if (out !== expected) begin",
        "                errors = errors + 1;",
        f'                $display("{name}: {shown}: out is %b, expected %b", {listed}, out, expected);',
        "            end",
        "        end",
        "    endtask",
    ]


def _checks(table: Tables, space: Space, word: Sequence[str]) -> list[str]:
    """A call of the task for each cell."""
    literals = [f"{len(bits)}'b{bits}" for bits in word]
    cells = zip(input_digits(space), (table - space.lowest).tolist(), strict=True)
    return [
        f"        check({', '.join(literals[digit] for digit in (*inputs, result))});"
        for inputs, result in cells
    ]
