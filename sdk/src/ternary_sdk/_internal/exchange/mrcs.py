"""
The truth-table CSV of Mixed Radix Circuit Synthesis: ternary operations of the same inputs, side by side.

A row holds the inputs in one cell, ``-0``, the outputs in the next, ``0+``, and comments after them. The
first input is the first character and the slowest: ``MSB``. Each output is one operation.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

import numpy as np

from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.exchange.gates import Gates, input_digits
from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import Space

HEADER: Final = ("MSB in_0in_1..in_n", "MSB out_0out_1..out_n")
MOST_OPERATIONS: Final = 10_000
"""In one file: the outputs of a row are one word."""

_SIGNS: Final = "-0+"


def is_mrcs(data: bytes) -> bool:
    """Whether bytes begin as such a table does."""
    return outer.stripped(data).startswith(b"MSB in_0")


def write(gates: Gates) -> str:
    """Write operations as one table, an output for each; the comment of every row is their codes.

    Raises:
        InputError: If there is none, more than 10,000, or their values are not three.
    """
    space = gates.space
    if space.radix != 3:
        raise InputError(f"MRCS: truth tables are of three values, found the {space.radix} of {space}")
    if not 1 <= len(gates) <= MOST_OPERATIONS:
        raise InputError(f"MRCS: {len(gates)} operations for one table, expected 1 to {MOST_OPERATIONS:,}")
    codes = " ".join(to_code(index, space) for index in gates.index.tolist())
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*HEADER, "comment_1"))
    for digits, column in zip(input_digits(space), gates.tables.T + 1, strict=True):
        inputs, outputs = ("".join(_SIGNS[digit] for digit in row) for row in (digits, column.tolist()))
        writer.writerow((inputs, outputs, codes))
    return stream.getvalue()


def read(data: bytes, what: str) -> Gates:
    """Read a table, its rows in any order, named by their codes.

    Raises:
        FormatError: If it is not such a table, a combination of inputs is missing or has two results, or
            there are more than three inputs. The line is named.
    """
    rows = _rows(outer.text(data, what), what)
    header = next(rows, (1, []))[1]
    if [cell.strip() for cell in header[:2]] != list(HEADER):
        raise FormatError(f"{what}: line 1: not the header of MRCS, expected {','.join(HEADER)}")
    found, first = dict[str, tuple[int, str]](), None
    for line, cells in rows:
        if len(cells) < 2:
            raise FormatError(f"{what}: line {line}: {len(cells)} cells, expected inputs and outputs")
        inputs, outputs = cells[0].strip(), cells[1].strip()
        first = first or (inputs, outputs)
        _check(inputs, "inputs", len(first[0]), f"{what}: line {line}")
        _check(outputs, "outputs", len(first[1]), f"{what}: line {line}")
        before = found.setdefault(inputs, (line, outputs))
        if before[1] != outputs:
            raise FormatError(
                f"{what}: line {line}: inputs {inputs} give {outputs}, and {before[1]} in line {before[0]}"
            )
    if first is None:
        raise FormatError(f"{what}: no rows after the header")
    return _gathered({inputs: outputs for inputs, (_, outputs) in found.items()}, len(first[0]), what)


def _rows(text: str, what: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise FormatError(f"{what}: line {reader.line_num}: not CSV ({error})") from None


def _check(signs: str, which: str, length: int, where: str) -> None:
    if not signs or set(signs) - set(_SIGNS):
        raise FormatError(f"{where}: {which} are {signs[:60]!r}, expected -, 0 and +")
    most = 3 if which == "inputs" else MOST_OPERATIONS
    if len(signs) > most:
        raise FormatError(f"{where}: {len(signs)} {which}, expected at most {most:,}")
    if len(signs) != length:
        raise FormatError(f"{where}: {len(signs)} {which}, expected {length} as in the first row")


def _gathered(found: dict[str, str], inputs: int, what: str) -> Gates:
    space = Space(3, inputs)
    wanted = ["".join(_SIGNS[digit] for digit in digits) for digits in input_digits(space)]
    missing = next((signs for signs in wanted if signs not in found), None)
    if missing is not None:
        raise FormatError(f"{what}: inputs {missing} have no row, expected all {space.cells}")
    tables = np.array([[_SIGNS.index(sign) - 1 for sign in found[signs]] for signs in wanted], np.int8)
    return Gates.of(space.to_index(tables.T), space)
