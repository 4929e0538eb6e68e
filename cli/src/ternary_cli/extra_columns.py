"""
Columns that pass through ``encode`` and ``decode``: which they are, and how each format writes them.
"""

import functools
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from ternary_sdk.errors import InputError

Column = Sequence[Any]
"""The values of one column: texts of CSV, values of JSON, or an array of pyarrow."""

_OURS: Final = re.compile(r"index|operation|latent|[tz](?:0|[1-9][0-9]*)")
_NEARLY_OURS: Final = re.compile(r"\s*(index|operation|latent|[tz]0*[0-9]+)\s*", re.IGNORECASE)


@functools.lru_cache(maxsize=1024)
def passing(names: tuple[str, ...], used: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that pass through: those with a name that are not read and are not ours.

    Ours are ``index``, ``operation``, ``latent``, ``t0``, ``z0`` and so on: the result states them anew.

    Args:
        names: Of all columns of a file.
        used: Of those that are read.
    Raises:
        InputError: If one appears twice, or could be mistaken for one of ours.
    """
    found = [name for name in names if name.strip() and name not in used and not _OURS.fullmatch(name)]
    for name in found:
        if _NEARLY_OURS.fullmatch(name):
            raise InputError(f"column {name[:40]!r} collides with a column of the result; rename it")
    if len(set(found)) != len(found):
        twice = next(name for place, name in enumerate(found) if name in found[:place])
        raise InputError(f"column {twice[:40]!r} appears twice, expected once")
    return tuple(found)


class Gathering:
    """Columns from rows as they come; a column that a row lacks is None there."""

    def __init__(self) -> None:
        self.columns: dict[str, list[object]] = {}
        self._count = 0

    def take(self, row: Mapping[str, object]) -> None:
        """Take one row in."""
        for name, value in row.items():
            if name not in self.columns:
                self.columns[name] = [None] * self._count
            self.columns[name].append(value)
        self._count += 1
        if len(row) != len(self.columns):
            for column in self.columns.values():
                if len(column) < self._count:
                    column.append(None)


def as_text(column: Column) -> list[str]:
    """A column as cells of CSV: text as it is, nothing for None, other values as JSON writes them."""
    return [_text(value) for value in _plain(column)]


def as_json(column: Column) -> list[str]:
    """A column as JSON texts. A float that is not finite is null; a date, which JSON lacks, is its text."""
    return [_json(value) for value in _plain(column)]


def named(columns: Collection[str]) -> str:
    """Names of columns for a message."""
    return ", ".join(name[:40] for name in columns)[:100]


def _plain(column: Column) -> Sequence[object]:
    values: Sequence[object] = column.to_pylist() if hasattr(column, "to_pylist") else column
    return values


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _json(value) if isinstance(value, bool | int | float | list | dict) else str(value)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), default=str)


def _finite(value: object) -> object:
    """The same value with null for floats that JSON does not have."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return {key: _finite(each) for key, each in value.items()} if isinstance(value, dict) else value
