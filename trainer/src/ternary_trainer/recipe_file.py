"""
A recipe's file and the recipes that it changes: ``base = "coverage"``, and below it changes only.

A base is the name of a recipe that comes along, or the path of a file, relative to the folder of the file
that names it. Tables are changed setting by setting; a list, such as ``surge``, is replaced as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ternary_sdk.errors import InputError
from ternary_trainer import toml_file

BASE: Final = "base"
MOST_BASES: Final = 16
"""Files that change one another, one after the other."""


@dataclass(frozen=True, kw_only=True)
class RecipeFile:
    """One file, as it is written."""

    source: str
    """What messages call it."""
    name: str
    """Of the recipe: as listed, or the file's stem."""
    text: str
    folder: Path
    """That its paths are relative to."""
    values: dict[str, Any]
    """Without its base."""
    base: str | None
    """What it changes, as it says it."""


def names() -> list[str]:
    """The recipes that come with this package, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")
    )


def chain(name_or_path: str) -> list[RecipeFile]:
    """A recipe's file and its bases, each changed by the one before it; the last has no base.

    Raises:
        InputError: If one is not found, cannot be read or is no TOML, or they name one another in a ring.
    """
    found: list[RecipeFile] = []
    for file in _following(name_or_path):
        if file.source in [earlier.source for earlier in found]:
            ring = " -> ".join([*(earlier.source for earlier in found), file.source])
            raise InputError(f"{found[-1].source}: setting 'base' leads back: {ring}")
        if len(found) > MOST_BASES:
            raise InputError(f"{name_or_path}: has more than {MOST_BASES} bases one after another")
        found.append(file)
    return found


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A base's values with changes: table by table, everything else replaced."""
    both = {
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base[key], dict) else value
        for key, value in changes.items()
        if key in base
    }
    return base | changes | both


def _following(name_or_path: str) -> Iterator[RecipeFile]:
    file = _read(name_or_path, Path(), f"recipe '{name_or_path}'")
    yield file
    while file.base is not None:
        file = _read(file.base, file.folder, f"{file.source}: setting 'base' is '{file.base}'")
        yield file


def _read(name_or_path: str, folder: Path, asked: str) -> RecipeFile:
    if name_or_path in names():
        shipped = _folder() / f"{name_or_path}.toml"
        return _parsed(shipped.read_text("utf-8"), f"recipe '{name_or_path}'", name_or_path, folder)
    path = folder / name_or_path
    if not _is_there(path):
        raise InputError(f"{asked}: not found, expected {', '.join(names())} or the path of a TOML file")
    return _parsed(toml_file.read(path), str(path), path.stem, path.parent)


def _parsed(text: str, source: str, name: str, folder: Path) -> RecipeFile:
    values = toml_file.parse(text, source)
    base = values.pop(BASE, None)
    if not isinstance(base, str | None):
        raise InputError(f"{source}: setting 'base' is {base!r}, expected a recipe's name or a path")
    return RecipeFile(source=source, name=name, text=text, folder=folder, values=values, base=base)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # reading it says why it cannot be read


def _folder() -> Any:
    return files("ternary_trainer") / "recipes"
