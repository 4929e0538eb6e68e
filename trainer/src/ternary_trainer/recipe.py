"""
Recipes as TOML: reading one with its bases, changing single settings, writing it out as resolved.

Every refusal names the file's line, or the key, and what was expected there.
"""

import copy
import dataclasses
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import loss_hook, recipe_file, setting_meanings, toml_file
from ternary_trainer.architecture import NETWORKS
from ternary_trainer.recipe_file import RecipeFile, names
from ternary_trainer.settings import Hook, Recipe
from ternary_trainer.settings_reader import Reader
from ternary_trainer.soundness import check

__all__ = ["dump", "explained", "load", "names"]

_NO_OVERRIDES: Mapping[str, str] = types.MappingProxyType({})


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
    first, *bases = recipe_file.chain(name_or_path)
    values: dict[str, Any] = {}
    for file in reversed(bases):
        values = _over(values, file)
        _resolved(values, file, _NO_OVERRIDES)  # what is wrong with a base is said of its own file
    values = _over(values, first)
    for key, value in overrides.items():
        _override(values, key, value)
    recipe = _resolved(values, first, overrides)
    if recipe.hook is None:
        return recipe
    folders = [file.folder for file in (first, *bases) if "file" in file.values.get("hook", {})]
    named_here = {"hook", "hook.file"} & overrides.keys() or not folders
    folder = Path() if named_here else folders[0]
    return dataclasses.replace(recipe, hook=loss_hook.found(recipe.hook, folder))


def _over(values: dict[str, Any], file: RecipeFile) -> dict[str, Any]:
    _name_paths(file.values)
    return recipe_file.merged(values, file.values)


def _resolved(values: dict[str, Any], file: RecipeFile, overrides: Mapping[str, str]) -> Recipe:
    values = copy.deepcopy(values)
    _complete_networks(values)
    reader = Reader(file.text, file.source, overrides)
    recipe: Recipe = reader.record(Recipe, {"name": file.name, **values}, "")
    problem = check(recipe)
    if problem:
        raise InputError(f"{file.source}: {problem}")
    return recipe


def dump(recipe: Recipe) -> str:
    """The recipe as TOML that `load` reads back to an equal one."""
    return "\n".join(_table(recipe)).lstrip() + "\n"


def explained(recipe: Recipe) -> str:
    """The same with the meaning of each setting as a comment above it."""
    return "\n".join(_table(recipe, setting_meanings.of(recipe))).lstrip() + "\n"


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


def _table(settings: Any, meanings: Mapping[str, str] = _NO_OVERRIDES) -> list[str]:
    """The lines of a table."""
    lines: list[str] = []
    _dump_table(_written(settings), "", lines, meanings)
    return lines


def _written(value: Any) -> Any:
    """Settings as a TOML file has them: tables are dictionaries, and a space is text.

    A switch that is off unless a recipe says otherwise is written only where it is on, so that the text of
    recipes that do not know it stays the same.
    """
    if isinstance(value, Hook):
        value = dataclasses.replace(value, file=Path(value.file).name)  # a run has a copy beside its recipe
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


def _dump_table(table: Mapping[str, Any], path: str, lines: list[str], meanings: Mapping[str, str]) -> None:
    prefix = f"{path}." if path else ""
    for key, value in table.items():
        if value is not None and not _is_table(value):
            lines += _comment(meanings.get(prefix + key, ""))
            lines.append(f"{key} = {toml_file.literal(value)}")
    for key, value in table.items():
        for item in value if isinstance(value, tuple) else [value]:
            if isinstance(item, dict):
                header = prefix + key
                if not (item and all(map(_is_table, item.values()))):  # else only its tables are written
                    lines += ["", *_comment(meanings.get(header, ""))]
                    lines.append(f"[[{header}]]" if isinstance(value, tuple) else f"[{header}]")
                _dump_table(item, header, lines, meanings)


def _comment(meaning: str) -> list[str]:
    return [f"# {meaning}"] if meaning else []


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, tuple) and isinstance(next(iter(value), None), dict))
