"""
Files of logic designers: BLIF-MV, truth tables of Mixed Radix Circuit Synthesis, Verilog, gate libraries.

Nothing here needs a model. docs/exchange.md shows each format and the programs that read it.
"""

from ternary_sdk._internal.exchange.blif_mv import write as to_blif_mv
from ternary_sdk._internal.exchange.blif_mv_reading import read as from_blif_mv
from ternary_sdk._internal.exchange.choices import Encoding, LibraryFormat
from ternary_sdk._internal.exchange.gate_json import write as to_json
from ternary_sdk._internal.exchange.gate_library import write as to_library
from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk._internal.exchange.mrcs import read as from_mrcs
from ternary_sdk._internal.exchange.mrcs import write as to_mrcs
from ternary_sdk._internal.exchange.testbench import write as to_testbench
from ternary_sdk._internal.exchange.verilog import write as to_verilog

__all__ = [
    "Encoding",
    "Gates",
    "LibraryFormat",
    "from_blif_mv",
    "from_mrcs",
    "to_blif_mv",
    "to_json",
    "to_library",
    "to_mrcs",
    "to_testbench",
    "to_verilog",
]
