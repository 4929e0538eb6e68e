"""
Spaces of operations: all functions of some inputs over some values, and how they are numbered.

A space is (radix, inputs). Manifests, certificates and usage reports refer to operations by index in their
space; this module alone defines the numbering. Changing it breaks every certificate ever issued.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import InputError

__all__ = ["MOST_LISTED", "TERNARY_2", "Indices", "Space", "Tables"]

MOST_LISTED: Final = 1 << 20
"""The most operations that a space may have to be listed."""

_MOST: Final = 1 << 63
_MOST_CELLS: Final = 62
"""Two values in one cell more are 2^63 operations."""
_AT_ONCE: Final = 1 << 14
"""Rows that are written out at a time."""
_NAMES: Final = {2: "boolean", 3: "ternary", 4: "quaternary", 5: "quinary", 6: "senary", 7: "septenary"}

Indices = npt.NDArray[np.signedinteger[Any]]
"""Canonical indices: int32 where every one of the space fits, else int64."""
Tables = npt.NDArray[np.int8]
"""Truth tables, one in each row."""


@dataclass(frozen=True, order=True)
class Space:
    """All functions of ``inputs`` inputs over ``radix`` values.

    A truth table has a cell for each combination of inputs, of which the last varies fastest. Values are
    balanced around 0 where the radix is odd, and 0 to radix - 1 where it is even.

    Raises:
        InputError: If the radix is not a whole number from 2, the number of inputs not one from 1, or the
            space has 2^63 operations or more.
    """

    radix: int
    """How many values an input or a result may have, at least 2."""

    inputs: int
    """How many inputs, at least 1."""

    def __post_init__(self) -> None:
        for name, value, least in (("radix", self.radix, 2), ("inputs", self.inputs, 1)):
            if type(value) is not int or value < least:
                raise InputError(f"space: {name} is {value!r}, expected a whole number from {least}")
        # Checked before any power is computed: a power of large numbers takes hours.
        if max(self.radix, self.inputs) > _MOST_CELLS or self.cells > _MOST_CELLS or self.size >= _MOST:
            raise InputError(
                f"space: {self.radix} values and {self.inputs} inputs have 2^63 operations or more, "
                "expected fewer"
            )

    @property
    def cells(self) -> int:
        """Cells of a truth table, radix^inputs."""
        return int(self.radix**self.inputs)

    @property
    def size(self) -> int:
        """How many operations it has, radix^cells."""
        return int(self.radix**self.cells)

    @property
    def listed(self) -> bool:
        """Whether all its operations can be listed, proved and counted one by one: up to 2^20. Others are
        *vast*."""
        return self.size <= MOST_LISTED

    @property
    def bitmap_bytes(self) -> int:
        """Bytes of a bitmap with one bit for each operation.

        Raises:
            InputError: If the space is vast.
        """
        self.expect_listed()
        return (self.size + 7) // 8

    @property
    def lowest(self) -> int:
        """The smallest value, whose digit is 0."""
        return -(self.radix // 2) if self.radix % 2 else 0

    @property
    def values(self) -> tuple[int, ...]:
        """The values in ascending order, each at the place of its digit."""
        return tuple(range(self.lowest, self.lowest + self.radix))

    @property
    def label(self) -> str:
        """Its name in documents and sentences, such as ``ternary-2-input``; two spaces never share one."""
        return f"{_NAMES.get(self.radix, f'radix-{self.radix}')}-{self.inputs}-input"

    @property
    def title(self) -> str:
        """What its operations are called in running text, such as ``two-input ternary``."""
        inputs = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}[self.inputs]
        kind = "Boolean" if self.radix == 2 else _NAMES.get(self.radix, f"radix-{self.radix}")
        return f"{inputs}-input {kind}"

    @property
    def index_type(self) -> type[np.int32] | type[np.int64]:
        """The type of its indices."""
        return np.int32 if self.size <= 1 << 31 else np.int64

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """The place value of each cell, radix^cell, read-only, shape (cells,)."""
        return _places(self)

    @property
    def tables(self) -> Tables:
        """All operations in canonical order, read-only, shape (size, cells).

        Raises:
            InputError: If the space is vast.
        """
        self.expect_listed()
        return _tables(self)

    def expect_listed(self) -> None:
        """Refuse a vast space where all operations are needed.

        Raises:
            InputError: If it is one.
        """
        if not self.listed:
            raise InputError(f"{self}: has {self.size:,} operations, more than the 2^20 that can be listed")

    def to_index(self, tables: npt.ArrayLike) -> Indices:
        """Number truth tables by their canonical index, the sum over cells k of digit[k]·radix^k.

        A digit is a value's place among the values, from 0 on.

        Args:
            tables: Values, shape (n, cells). For (3, 2), column 3·(a + 1) + (b + 1) holds f(a, b).
                Any integer or float dtype.
        Returns:
            Indices in [0, size), shape (n,).
        Raises:
            InputError: If the shape is wrong or an entry is none of the values.
        """
        digits = self.as_tables(tables).astype(self.index_type) - self.lowest
        index: Indices = digits @ self.places.astype(self.index_type)
        return index

    def as_tables(self, tables: npt.ArrayLike) -> Tables:
        """Check that an array holds truth tables.

        Args:
            tables: Values, shape (n, cells), any integer or float dtype.
        Returns:
            The same values as int8, shape (n, cells).
        Raises:
            InputError: If the shape is wrong or an entry is none of the values; the first such is named.
        """
        try:
            array = np.asarray(tables)
        except ValueError:
            raise InputError(
                f"operations: rows have different lengths, expected {self.cells} values in each"
            ) from None
        if array.ndim != 2 or array.shape[1] != self.cells:
            raise InputError(f"operations: shape is {array.shape}, expected (n, {self.cells})")
        if array.dtype.kind not in "iuf":
            raise InputError(f"operations: dtype is {array.dtype}, expected integers or floats")
        wrong = self._wrong(array)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            *most, last = map(str, self.values)
            raise InputError(
                f"operations: row {row}, column {column} is {array[row, column]}, "
                f"expected {', '.join(most)} or {last}"
            )
        return array.astype(np.int8, copy=False)

    def _wrong(self, array: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        good = array == self.lowest
        for value in self.values[1:]:
            good |= array == value
        wrong: npt.NDArray[np.bool_] = ~good
        return wrong

    def from_index(self, indices: npt.ArrayLike) -> Tables:
        """Write out the truth tables that canonical indices stand for.

        Args:
            indices: Integers in [0, size), shape (n,).
        Returns:
            Values, shape (n, cells), C-contiguous.
        Raises:
            InputError: If the shape is wrong or an index is out of range.
        """
        checked = self.as_indices(indices)
        return _tables(self)[checked] if self.listed else _written_out(self, checked)

    def as_indices(self, indices: npt.ArrayLike) -> Indices:
        """Check that an array holds canonical indices, integers in [0, size), shape (n,).

        Raises:
            InputError: If the shape is wrong or an entry is no such integer; the first is named.
        """
        array = np.asarray(indices)
        if array.ndim != 1:
            raise InputError(f"indices: shape is {array.shape}, expected (n,)")
        if array.size == 0:
            return array.astype(self.index_type)
        if array.dtype.kind not in "iu":
            raise InputError(f"indices: dtype is {array.dtype}, expected integers")
        wrong = (array < 0) | (array >= self.size)
        if wrong.any():
            first = int(np.argmax(wrong))
            raise InputError(f"indices: entry {first} is {array[first]}, expected 0 to {self.size - 1}")
        checked: Indices = array.astype(self.index_type, copy=False)
        return checked

    def to_json(self) -> Json:
        """As documents state it: ``{"inputs": 2, "radix": 3}``."""
        return {"inputs": self.inputs, "radix": self.radix}

    def __str__(self) -> str:
        """As sentences and command lines name it: ``3,2``."""
        return f"{self.radix},{self.inputs}"

    @classmethod
    def parse(cls, text: str) -> "Space":
        """Read what ``str`` writes, such as ``3,2``, or a label.

        Raises:
            InputError: If it is no space.
        """
        if not isinstance(text, str):
            raise InputError(f"space: {text!r}, expected text such as {TERNARY_2}")
        for space in _labelled():
            if text == space.label:
                return space
        radix, comma, inputs = text.partition(",")
        if not (comma and _is_number(radix) and _is_number(inputs)):
            raise InputError(
                f"space: {text[:60]!r}, expected a radix and a number of inputs, such as {TERNARY_2}"
            )
        return cls(int(radix), int(inputs))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4 and str(int(text)) == text


@cache
def _labelled() -> tuple[Space, ...]:
    """Every space that has fewer than 2^63 operations."""
    found = []
    for radix in range(2, _MOST_CELLS + 1):
        for inputs in range(1, _MOST_CELLS + 1):
            try:
                found.append(Space(radix, inputs))
            except InputError:
                break
    return tuple(found)


@cache
def _places(space: Space) -> npt.NDArray[np.int64]:
    places = np.array([space.radix**cell for cell in range(space.cells)], np.int64)
    places.flags.writeable = False
    return places


@cache
def _tables(space: Space) -> Tables:
    tables = _written_out(space, np.arange(space.size, dtype=np.int32))
    tables.flags.writeable = False
    return tables


def _written_out(space: Space, indices: Indices) -> Tables:
    tables = np.empty((len(indices), space.cells), np.int8)
    for start in range(0, len(indices), _AT_ONCE):  # whole digits of many rows would take gigabytes
        part = indices[start : start + _AT_ONCE].astype(np.int64)[:, None]
        tables[start : start + _AT_ONCE] = part // space.places % space.radix + space.lowest
    return tables


TERNARY_2: Final = Space(3, 2)
"""All 19,683 two-input ternary operations."""
