"""
Reading the header of an ``.npy`` file, versions 1.0 and 2.0.

NumPy's own reader evaluates the header as Python and lets out whatever Python then raises or warns of, so
the one form that a header can have here is matched instead.
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk.errors import FormatError

MAGIC: Final = b"\x93NUMPY"

_LENGTH_BYTES: Final = {b"\1\0": 2, b"\2\0": 4}
_LONGEST: Final = 10_000
_ENTRY: Final = "|".join(
    (
        r"'descr' *: *'(?P<dtype>[^'\s]{1,20})'",
        r"'fortran_order' *: *(?P<fortran>True|False)",
        r"'shape' *: *\((?P<shape>(?:[0-9]{1,18} *(?:, *|(?=\))))*)\)",
    )
)
_HEADER: Final = re.compile(rf"\{{ *(?:(?:{_ENTRY}) *(?:, *|(?=\}}))){{3}}\}}\s*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NpyHeader:
    """What a file says of its array."""

    dtype: str
    """Its type as NumPy names it, such as ``<f4``; any word."""

    fortran: bool
    """Whether the first axis varies fastest."""

    shape: tuple[int, ...]
    start: int
    """Where the values begin, in bytes."""


def read(data: bytes) -> NpyHeader:
    """Read the header of a file that begins with ``MAGIC``; its entries may be in any order.

    Raises:
        FormatError: If it is of another version, cut short or of another form.
    """
    begin = len(MAGIC) + 2
    begin += _LENGTH_BYTES.get(data[len(MAGIC) : begin], 0)
    length = int.from_bytes(data[len(MAGIC) + 2 : begin], "little")
    text = data[begin : begin + length].decode("latin-1") if length <= _LONGEST else ""
    found = _HEADER.fullmatch(text)
    if len(text) != length or found is None or None in found.groups():
        raise FormatError("the .npy header cannot be read, expected version 1.0 or 2.0")
    return NpyHeader(
        dtype=found["dtype"],
        fortran=found["fortran"] == "True",
        shape=tuple(int(size) for size in found["shape"].split(",") if size.strip()),
        start=begin + length,
    )
