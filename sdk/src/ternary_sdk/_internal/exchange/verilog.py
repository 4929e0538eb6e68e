"""
Operations as Verilog modules of binary-encoded values (IEEE 1364-2005).

Names and ports follow Mixed Radix Circuit Synthesis: module ``f_PC0_bet``, the ports in reverse order of
their letters, the output ``out``. Two inputs are a = portA and b = portB. Three are a = portC, b = portA and
c = portB: that program adds its third port in front, as the slowest.

A port may carry a word that stands for no value, such as 00 in the encoding of MRCS. The output is then x:
a simulator shows it, and synthesis is free to choose.
"""

from collections.abc import Sequence
from typing import Final

from ternary_sdk._internal.exchange.choices import Encoding
from ternary_sdk._internal.exchange.encodings import chosen, described, words
from ternary_sdk._internal.exchange.gates import Gates, check_identifier, input_digits, input_names
from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space, Tables

_PORTS: Final = {3: ("portC", "portA", "portB")}
"""Where they are not in the order of the alphabet."""
_KEY_WORDS: Final = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule
    endprimitive endspecify endtable endtask event for force forever fork function generate genvar
    highz0 highz1 if ifnone incdir include initial inout input instance integer join large liblist
    library localparam macromodule medium module nand negedge nmos nor noshowcancelled not notif0 notif1
    or output parameter pmos posedge primitive pull0 pull1 pulldown pullup pulsestyle_ondetect
    pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task
    time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand
    weak0 weak1 while wire wor xnor xor
"""
"""The key words of IEEE 1364-2005, annex B."""


def module_names(gates: Gates) -> tuple[str, ...]:
    """The name of each gate's module: its own and ``_bet`` for three values, ``_r4`` for four.

    Raises:
        InputError: If a gate's name is not one that Verilog takes.
    """
    ending = "bet" if gates.space.radix == 3 else f"r{gates.space.radix}"
    return tuple(f"{check_identifier(name, 'module')}_{ending}" for name in gates.names)


def check_module_name(name: str) -> str:
    """Refuse a name that no module can have.

    Raises:
        InputError: If it is not an identifier, or a key word of Verilog.
    """
    if check_identifier(name, "module") in _KEY_WORDS.split():
        raise InputError(f"module: {name!r} is a key word of Verilog, expected another name")
    return name


def write(gates: Gates, encoding: Encoding | None = None, names: Sequence[str] | None = None) -> str:
    """Write a module for each gate.

    Args:
        gates: The operations.
        encoding: How values are written in bits; None is MRCS's for three values, else plain binary.
        names: Of the modules; None takes ``module_names``.
    Raises:
        InputError: If the encoding is not one of the space's, or a name is not one of Verilog's.
    """
    how = chosen(encoding, gates.space)
    named = module_names(gates) if names is None else [check_module_name(name) for name in names]
    rows = zip(named, gates.index.tolist(), gates.tables, strict=True)
    return "\n".join(_module(name, index, table, gates.space, how) for name, index, table in rows)


def ports(space: Space) -> tuple[str, ...]:
    """The port of each input, in the order of the inputs."""
    return _PORTS.get(space.inputs, tuple(f"port{letter.upper()}" for letter in input_names(space)))


def range_of(space: Space, encoding: Encoding) -> str:
    """The range of a port that carries one value, such as ``[1:0] ``; nothing for one bit."""
    width = len(words(encoding, space)[0])
    return f"[{width - 1}:0] " if width > 1 else ""


def _module(name: str, index: int, table: Tables, space: Space, encoding: Encoding) -> str:
    code, word, bits = to_code(index, space), words(encoding, space), range_of(space, encoding)
    width, slow_first = len(word[0]), ports(space)
    letters = ", ".join(
        f"{letter} = {port}" for letter, port in zip(input_names(space), slow_first, strict=True)
    )
    cases = [
        f"            {width * space.inputs}'b{''.join(word[digit] for digit in digits)}:"
        f" out = {width}'b{word[value - space.lowest]};"
        for digits, value in zip(input_digits(space), table.tolist(), strict=True)
    ]
    lines = [
        f"// Operation {index} of the space {space}, code {code}: out = f({', '.join(input_names(space))}),"
        f" {letters}.",
        f"// Encoding {described(encoding, space)}. Any other word on a port gives x.",
        f"module {name} (",
        *(f"    input wire {bits}{port}," for port in sorted(slow_first, reverse=True)),
        f"    output reg {bits}out",
        ");",
        "    always @(*)",
        f"        case ({{{', '.join(slow_first)}}})",
        *cases,
        f"            default: out = {width}'b{'x' * width};",
        "        endcase",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"
