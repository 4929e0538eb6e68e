"""
What the cells of one row mean: numbers, one list of numbers, or a text that stands for an operation.

CSV and JSON rows share it, so that a number or an operation is read, or refused, alike in both.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ternary_cli.kinds import Kind
from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.logic import Form, parse
from ternary_sdk.space import Space

_NUMBER: Final = r" *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *"
"""A number in ASCII: RFC 8259's, or with a plus sign, leading zeros, or no digit on one side of the point.

Python and NumPy also read `1_0`, `nan`, `inf`, and digits of other scripts. None of them is a number here.
"""
_ONE: Final = re.compile(_NUMBER)
_SEVERAL: Final = re.compile(rf"(?:{_NUMBER},)*{_NUMBER}")
_DECIMAL_COMMA: Final = re.compile(r" *[+-]?[0-9]*,[0-9]+ *")


class Row(NamedTuple):
    """One row that was read."""

    place: tuple[str, int]
    """Where it stands: ``line`` and a number from 1, or ``row`` and one from 0."""
    values: Sequence[float]
    extra: Mapping[str, object] = MappingProxyType({})
    """Cells that pass through, by the names of their columns."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which columns or members of a row hold its values, and in which form."""

    kind: Kind
    columns: tuple[str, ...]
    """Their names: one for each number, or a single one."""
    form: Form | None = None
    """Of a single column of operations; None if the columns hold numbers."""

    def values(self, cells: Sequence[object]) -> Sequence[float]:
        """The numbers of one row.

        Args:
            cells: One for each of `columns`: a text of CSV or a value of JSON.
        Raises:
            InputError: If a cell is not what its column holds. The message lacks file and line.
        """
        if self.columns == self.kind.columns:
            return _numbers(cells, self.columns)
        try:
            return self._whole(cells[0])
        except InputError as refusal:
            raise InputError(f"column {self.columns[0]}: {refusal}") from None

    def _whole(self, cell: object) -> Sequence[float]:
        if self.form in (None, Form.ANY):
            value = _list_in(cell) if isinstance(cell, str) else cell
            if isinstance(value, list):
                return listed(value, self.kind)
        if self.kind.space is not None and self.form is not None:
            if isinstance(cell, str):
                return _by_text(cell.strip(), self.form, self.kind.space)
            if type(cell) is int and self.form in (Form.ANY, Form.INDEX):
                return _by_index(cell, self.kind.space)
        raise InputError(f"{shown_json(cell)}, expected {self._expected()}")

    def _expected(self) -> str:
        if self.form is None:
            return f"a list of {self.kind.width} numbers"
        if self.form is not Form.ANY:
            return f"an operation's {self.form}"
        values = "trits" if self.kind.space is not None and self.kind.space.radix == 3 else "values"
        return f"a list of {self.kind.width} {values}, a text or an index"


def layout(names: Collection[str], kind: Kind) -> Layout:
    """Where a row with these columns or members holds a kind of values: the first that is there of
    numbered columns, the list, and for operations the index, the code and the name.

    Other columns are left alone, except numbered ones of a wider array: without them a row of another
    space or latent size would be cut, and read as what it is not.

    Raises:
        InputError: If it holds none of them, only some of the numbered columns, more of them than the kind
            has.
    """
    numbered = [name for name in kind.columns if name in names]
    if len(numbered) == kind.width == len(names):  # as most rows of JSON are: nothing else to look for
        return Layout(kind=kind, columns=kind.columns)
    if 0 < len(numbered) < kind.width:
        missing = next(name for name in kind.columns if name not in numbered)
        raise InputError(f"column {missing} is missing; {_instead(names, kind)}")
    if wider := kind.wider(names):
        raise InputError(f"column {wider[:20]} is of a wider {kind.member}; {_instead(names, kind)}")
    if numbered:
        return Layout(kind=kind, columns=kind.columns)
    for name in kind.singles:
        if name in names:
            form = Form(name) if kind.space is not None else None
            return Layout(kind=kind, columns=(name,), form=form)
    raise InputError(
        f"no column of {kind.member}s; {_instead(names, kind)}, or one of {', '.join(kind.singles)}"
    )


def _instead(names: Collection[str], kind: Kind) -> str:
    return f"found {shown(','.join(names))}, expected {kind}"


def _list_in(text: str) -> object:
    """The list that a text holds, as pandas writes a column of lists; None if it holds none."""
    try:
        return plain.decode(text) if text.strip().startswith("[") else None
    except FormatError:
        return None


def listed(values: list[object], kind: Kind) -> Sequence[float]:
    """The numbers of a JSON list.

    Raises:
        InputError: If they are not as many as the kind has, or not numbers.
    """
    if len(values) != kind.width:
        raise InputError(f"{shown_json(values)}, expected a list of {kind.width} numbers")
    return _numbers(values, kind.columns)


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    return _ONE.fullmatch(text) is not None


def _numbers(cells: Sequence[Any], names: Sequence[str]) -> Sequence[float]:
    # One match for a row of CSV is much faster than one for each cell. A cell with a comma of its own passes
    # it, and then `float` refuses that cell.
    try:
        if _SEVERAL.fullmatch(",".join(cells)):
            return [float(text) for text in cells]
    except (TypeError, ValueError):
        pass
    return [_number(cell, name) for cell, name in zip(cells, names, strict=True)]


def _number(cell: Any, name: str) -> float:
    if isinstance(cell, str):
        if is_number(cell):
            return float(cell)
        comma = " with a decimal point" if _DECIMAL_COMMA.fullmatch(cell) else ""
        raise InputError(f"column {name} is {shown(cell)}, expected a number{comma}")
    if type(cell) not in (int, float):
        raise InputError(f"column {name} is {shown_json(cell)}, expected a number")
    try:
        return float(cell)
    except OverflowError:
        raise InputError(f"column {name} is an integer too large for any number format") from None


@lru_cache(maxsize=1 << 16)
def _by_text(text: str, form: Form, space: Space) -> Sequence[float]:
    return _table(parse(text, space, form), space)


def _by_index(index: int, space: Space) -> Sequence[float]:
    if not 0 <= index < space.size:
        raise InputError(f"{shown_json(index)}, expected an index, 0 to {space.size - 1}")
    return _table(index, space)


def _table(index: int, space: Space) -> Sequence[float]:
    values: list[float] = space.from_index([index])[0].tolist()
    return values


def shown(text: str) -> str:
    """A text as a message shows it: quoted, and not longer than 60 characters."""
    return short(repr(text[:100]))


def shown_json(value: object) -> str:
    """A JSON value as a message shows it, not longer than 60 characters."""
    try:
        return short(json.dumps(value))
    except RecursionError:
        return "a value nested too deeply"


def short(text: str) -> str:
    """A text cut to 60 characters."""
    return text if len(text) <= 60 else text[:57] + "…"
