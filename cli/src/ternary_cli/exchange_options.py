"""
The options of ``convert`` and ``library``, and the formats that they name.
"""

from enum import StrEnum
from typing import Annotated, Final

from ternary_cli.formats import Format
from ternary_cli.options import option
from ternary_sdk._internal.exchange.choices import Encoding


class Source(StrEnum):
    """What a file of operations is."""

    ROWS = "rows"
    """CSV, JSON, .npy, Parquet or Arrow, told apart by content."""
    CODES = "codes"
    """A code on each line."""
    BLIF_MV = "blif-mv"
    MRCS = "mrcs"
    """A truth table as CSV."""


class Target(StrEnum):
    """What operations are written as."""

    VERILOG = "verilog"
    BLIF_MV = "blif-mv"
    MRCS = "mrcs"
    """A truth table as CSV."""
    JSON = "json"
    """One array, an object for each operation."""
    CODES = "codes"
    """A code on each line."""
    CSV = "csv"
    JSONL = "jsonl"
    NPY = "npy"
    PARQUET = "parquet"
    ARROW = "arrow"


SOURCES: Final = {".mv": Source.BLIF_MV, ".blifmv": Source.BLIF_MV}
"""By the end of a file's name; others are known by their content."""
TARGETS: Final = {
    ".v": Target.VERILOG,
    ".mv": Target.BLIF_MV,
    ".blifmv": Target.BLIF_MV,
    ".json": Target.JSON,
    **{suffix: Target(form) for form in Format if form is not Format.TABLE for suffix in form.suffixes},
}
"""By the end of a file's name."""

FromOption = Annotated[
    Source | None, option("--from", text="What the input is; default: by its name and its content.")
]
SpaceOption = Annotated[
    str | None,
    option("--space", metavar="R,K", text="Values and inputs of rows that do not state them; default: 3,2."),
]
EncodingOption = Annotated[
    Encoding | None,
    option("--encoding", text="Of -, 0, + in Verilog: 01 11 10, 00 01 10 or 11 00 01; default: mrcs."),
]
