"""
From parsed TOML to frozen dataclasses, field by field.

Every refusal names the line where the setting was written, or its key alone if a command line gave it.
"""

import dataclasses
import math
import types
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer.ranges import Within


class Reader:
    """Turns parsed TOML into a dataclass, remembering where each key was written."""

    def __init__(self, text: str, source: str, overrides: Mapping[str, str]) -> None:
        self._lines = text.splitlines()
        self._source = source
        self._overrides = overrides

    def record(self, kind: type[Any], values: Any, path: str) -> Any:
        """A dataclass of `kind` from a table.

        Args:
            kind: The dataclass; its annotations say what each setting must be.
            values: What the file holds there.
            path: Dotted key of the table, empty for the whole file.
        Raises:
            InputError: If a setting is unknown, missing, of the wrong kind or out of range.
        """
        if not isinstance(values, dict):
            raise self._refusal(path, f"is {values!r}, expected a table of settings")
        fields = {field.name: field for field in dataclasses.fields(kind)}
        prefix = f"{path}." if path else ""
        for key in values:
            if key not in fields:
                raise self._refusal(prefix + key, f"is unknown, expected one of {', '.join(fields)}")
        hints = get_type_hints(kind, include_extras=True)
        read = {key: self._value(hints[key], value, prefix + key) for key, value in values.items()}
        for key, field in fields.items():
            if key not in read and field.default is dataclasses.MISSING:
                raise self._refusal(prefix + key, "is missing")
        return kind(**read)

    def _value(self, kind: Any, value: Any, path: str) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (types.UnionType, Union):
            return self._value(_of_two(arguments, value), value, path)
        if origin is Annotated:
            return self._within(arguments[0], arguments[1], value, path)
        if kind is Space:
            return self._space(value, path)
        if dataclasses.is_dataclass(kind):
            return self.record(kind, value, path)  # type: ignore[arg-type]
        if origin is Literal:
            return self._one_of(arguments, value, path)
        if origin is tuple:
            return self._tuple(arguments, value, path)
        if origin is Mapping:
            return self._mapping(arguments[1], value, path)
        return self._scalar(kind, value, path)

    def _within(self, kind: type[Any], bounds: Within, value: Any, path: str) -> Any:
        number = self._scalar(kind, value, path)
        if problem := bounds.problem(number):
            raise self._refusal(path, problem)
        return number

    def _space(self, value: Any, path: str) -> Space:
        try:
            return Space.parse(value) if isinstance(value, str) else Space.parse(repr(value))
        except InputError as refusal:
            raise self._refusal(path, f"is no space ({refusal})") from None

    def _one_of(self, choices: tuple[Any, ...], value: Any, path: str) -> Any:
        if value not in choices:
            raise self._refusal(path, f"is {value!r}, expected one of {', '.join(map(repr, choices))}")
        return value

    def _tuple(self, kinds: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * (len(value) if isinstance(value, list) else 0)
        if not isinstance(value, list) or len(value) != len(kinds):
            raise self._refusal(
                path, f"is {value!r}, expected a list" + (f" of {len(kinds)}" if kinds else "")
            )
        return tuple(
            self._value(kind, item, f"{path}[{number}]" if dataclasses.is_dataclass(kind) else path)
            for number, (kind, item) in enumerate(zip(kinds, value, strict=True))
        )

    def _mapping(self, kind: Any, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._refusal(path, f"is {value!r}, expected a table of settings")
        return {key: self._value(kind, value[key], f"{path}.{key}") for key in sorted(value)}

    def _scalar(self, kind: type[Any], value: Any, path: str) -> Any:
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or (kind is float and not math.isfinite(value)):
            names = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a string"}
            raise self._refusal(path, f"is {value!r}, expected {names[kind]}")
        return value

    def _refusal(self, path: str, problem: str) -> InputError:
        given = any(path == key or path.startswith((f"{key}.", f"{key}[")) for key in self._overrides)
        line = None if given else self._line_of(path)
        where = f"{self._source}, line {line}" if line else self._source
        return InputError(f"{where}: setting '{path}' {problem}")

    def _line_of(self, path: str) -> int | None:
        table, _, key = path.rpartition(".")
        current, lists = "", Counter[str]()
        for number, line in enumerate(self._lines, start=1):
            stripped = line.split("#")[0].strip()
            if stripped.startswith("["):
                current = stripped.strip("[] ")
                if stripped.startswith("[["):
                    lists[current] += 1
                    current = f"{current}[{lists[current] - 1}]"
                if current == path:
                    return number
            elif current == table and stripped.partition("=")[0].strip() == key:
                return number
        return None


def _of_two(kinds: tuple[Any, ...], value: Any) -> Any:
    """Which of two kinds a value is to be: the table if it is one, else the first."""
    table = next((kind for kind in kinds if dataclasses.is_dataclass(kind)), None)
    return table if table and isinstance(value, dict) else kinds[0]
