"""
What a caller chooses among: encodings and the formats of a library. A command line that only prints help
needs no more than these names, so nothing else is imported.
"""

from enum import StrEnum


class Encoding(StrEnum):
    """Which bits stand for a value."""

    MRCS = "mrcs"
    """-, 0, + are 01, 11, 10, as Mixed Radix Circuit Synthesis writes them."""
    ASCENDING = "ascending"
    """The values in ascending order are 0, 1, 2, … in binary: -, 0, + are 00, 01, 10."""
    SIGNED = "signed"
    """Two's complement: -, 0, + are 11, 00, 01."""


class LibraryFormat(StrEnum):
    """What the files of a library are."""

    VERILOG = "verilog"
    """Modules and their testbenches."""
    BLIF_MV = "blif-mv"
    MRCS = "mrcs"
    """Truth tables as CSV."""
    JSON = "json"
