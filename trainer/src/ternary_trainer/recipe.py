"""
Recipes as TOML: reading one by name or from a file, changing single settings, writing it out as resolved.

Every refusal names the file's line, or the key, and what was expected there.
"""

import dataclasses
import types
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import toml_file
from ternary_trainer.architecture import NETWORKS
from ternary_trainer.settings import Recipe
from ternary_trainer.settings_reader import Reader
from ternary_trainer.soundness import check

_NO_OVERRIDES: Mapping[str, str] = types.MappingProxyType({})


def names() -> list[str]:
    """The recipes that come with this package, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")
    )


def load(name_or_path: str, overrides: Mapping[str, str] = _NO_OVERRIDES) -> Recipe:
    """Read a recipe.

    Args:
        name_or_path: One of `names()`, or the path of a TOML file.
        overrides: Settings to change, as dotted key to TOML value: `{"separate.spread.beta": "0.1"}`.
            Text that is no TOML value is taken as a string.
    Raises:
        InputError: If there is no such recipe, its file cannot be read or is no TOML, or a setting is
            unknown, missing, of the wrong kind, out of range, or contradicts another.
    """
    text, source, name = _read(name_or_path)
    values = toml_file.parse(text, source)
    _name_paths(values)
    for key, value in overrides.items():
        _override(values, key, value)
    _complete_networks(values)
    recipe: Recipe = Reader(text, source, overrides).record(Recipe, {"name": name, **values}, "")
    problem = check(recipe)
    if problem:
        raise InputError(f"{source}: {problem}")
    return recipe


def dump(recipe: Recipe) -> str:
    """The recipe as TOML that `load` reads back to an equal one."""
    return "\n".join(_table(recipe)).lstrip() + "\n"


def _folder() -> Any:
    return files("ternary_trainer") / "recipes"


def _read(name_or_path: str) -> tuple[str, str, str]:
    if name_or_path in names():
        shipped = _folder() / f"{name_or_path}.toml"
        return shipped.read_text("utf-8"), f"recipe '{name_or_path}'", name_or_path
    path = Path(name_or_path)
    if not _is_there(path):
        raise InputError(
            f"recipe '{name_or_path}': not found, expected {', '.join(names())} or the path of a TOML file"
        )
    return toml_file.read(path), str(path), path.stem


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # reading it says why it cannot be read


def _name_paths(values: dict[str, Any]) -> None:
    """Read `separate.A`, as recipes of older runs have it, as `separate.paths.A`, and B alike."""
    separate = values.get("separate")
    if isinstance(separate, dict) and "paths" not in separate and {"A", "B"} <= separate.keys():
        separate["paths"] = {path: separate.pop(path) for path in ("A", "B")}


def _complete_networks(values: dict[str, Any]) -> None:
    """Give each path of the recipe its network, as in v5.5 where the file says nothing."""
    networks = values.setdefault("networks", {})
    separate = values.get("separate")
    paths = separate.get("paths") if isinstance(separate, dict) else dict.fromkeys(NETWORKS)
    if not (isinstance(networks, dict) and isinstance(paths, dict)):
        return  # The reader refuses it with its line.
    for path in {*networks, *paths} & NETWORKS.keys():
        given = networks.get(path, {})
        if isinstance(given, dict):
            usual = toml_file.parse("\n".join(_table(NETWORKS[path])), path)
            networks[path] = usual | given


def _override(values: dict[str, Any], key: str, text: str) -> None:
    try:
        value = toml_file.parse(f"value = {text}", key)["value"]
    except InputError:
        value = text
    *tables, last = key.split(".")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise InputError(f"setting '{key}': '{table}' is a value, not a table of settings")
    values[last] = value


def _table(settings: Any) -> list[str]:
    """The lines of a table."""
    lines: list[str] = []
    _dump_table(_written(settings), "", lines)
    return lines


def _written(value: Any) -> Any:
    """Settings as a TOML file has them: tables are dictionaries, and a space is text.

    A switch that is off unless a recipe says otherwise is written only where it is on, so that the text of
    recipes that do not know it stays the same.
    """
    if isinstance(value, Space):
        return str(value)
    if dataclasses.is_dataclass(value):
        values = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {
            field.name: _written(set_to)
            for field, set_to in values.items()
            if not (set_to is False and field.default is False)
        }
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_written, value))
    return value


def _dump_table(table: Mapping[str, Any], path: str, lines: list[str]) -> None:
    for key, value in table.items():
        if value is not None and not _is_table(value):
            lines.append(f"{key} = {toml_file.literal(value)}")
    for key, value in table.items():
        for item in value if isinstance(value, tuple) else [value]:
            if isinstance(item, dict):
                header = f"{path}.{key}" if path else key
                if not (item and all(map(_is_table, item.values()))):  # else only its tables are written
                    lines += ["", f"[[{header}]]" if isinstance(value, tuple) else f"[{header}]"]
                _dump_table(item, header, lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, tuple) and isinstance(next(iter(value), None), dict))
