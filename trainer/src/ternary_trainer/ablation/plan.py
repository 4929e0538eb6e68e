"""
Plans as TOML: a base recipe, settings for all trainings, options that change some more, and seeds.

    format = "ternary-ablation/1"
    base = "coverage"                                  # as for `ternary train --recipe`
    seeds = [1, 2, 3]                                  # or 8: the seeds 1 to 8; default: 3
    measures = ["coverage", "exact"]                   # verdicts are about the first; default: all
    set = { epochs = 12 }                              # of the base and every option

    [options.linear-a]
    set = { "networks.A.decoder" = [] }

A path as `base` is relative to the plan's folder. Every refusal names the plan and the key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ternary_sdk.errors import InputError
from ternary_trainer import recipe as recipes
from ternary_trainer import toml_file
from ternary_trainer.ablation import measures
from ternary_trainer.settings import Recipe
from ternary_trainer.validation.studies import settings_alone

FORMAT: Final = "ternary-ablation/1"
"""What a plan says first, and a result too."""
BASE: Final = "base"
"""The base's own name among the options."""
SEEDS: Final = range(3, 17)
"""How many seeds a plan may have."""
MOST_OPTIONS: Final = 32
MOST_SETTINGS: Final = 64
"""Of one table `set`."""
_SEED: Final = range(1 << 63)
_KEYS: Final = ("format", "base", "seeds", "measures", "set", "options")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Option:
    """The base, or what is tried in place of it."""

    name: str
    settings: Mapping[str, str]
    """All that it changes of the base recipe, those for all included, as `--set` takes them."""
    recipe: Recipe


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be trained and compared."""

    source: str
    """The plan's file."""
    recipe: str
    """Name or path of the base recipe, as `--recipe` takes it."""
    seeds: tuple[int, ...]
    measures: tuple[str, ...]
    """By name, the primary one first."""
    options: tuple[Option, ...]
    """The base first."""


def read(path: Path) -> Plan:
    """Read a plan and resolve the recipe of every option.

    Raises:
        InputError: If the file cannot be read, is no TOML, a key is unknown, missing or out of range, an
            option's recipe is refused, or an option changes nothing or the same as another.
    """
    values, source = toml_file.parse(toml_file.read(path), str(path)), str(path)
    _check_keys(values, _KEYS, source)
    if values.get("format") != FORMAT:
        raise InputError(f"{source}: format is {values.get('format')!r}, expected '{FORMAT}'")
    base = _base(values.get("base"), path, source)
    common = _settings(values.get("set", {}), source)
    options = (
        _option(BASE, base, common, source),
        *(
            _option(name, base, common | settings, f"{source}: option '{name}'")
            for name, settings in _options(values.get("options"), source).items()
        ),
    )
    _check_differences(options, source)
    return Plan(
        source=source,
        recipe=base,
        seeds=_seeds(values.get("seeds", SEEDS.start), source),
        measures=_measures(values.get("measures"), options[0].recipe, source),
        options=options,
    )


def _check_keys(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in values:
        if key not in known:
            raise InputError(f"{where}: key '{key}' is unknown, expected one of {', '.join(known)}")


def _base(value: object, path: Path, source: str) -> str:
    if not isinstance(value, str):
        found = "missing" if value is None else f"{value!r}"
        raise InputError(f"{source}: base is {found}, expected the name of a recipe or the path of its file")
    return value if value in recipes.names() else str(path.parent / value)


def _settings(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: set is {value!r}, expected a table of settings")
    if len(value) > MOST_SETTINGS:
        raise InputError(f"{where}: set has {len(value)} settings, expected at most {MOST_SETTINGS}")
    try:
        return {key: toml_file.literal(setting) for key, setting in value.items()}
    except InputError as refusal:
        raise InputError(f"{where}: set: {refusal}") from None


def _options(value: object, source: str) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict) or not 1 <= len(value) <= MOST_OPTIONS:
        found = f"{len(value)} of them" if isinstance(value, dict) else "missing" if value is None else value
        raise InputError(f"{source}: options is {found}, expected 1 to {MOST_OPTIONS} tables [options.NAME]")
    read_options = {}
    for name, table in value.items():
        where = f"{source}: option '{name}'"
        if not _NAME.fullmatch(name) or name == BASE:
            raise InputError(
                f"{where}: expected a name of 1 to 40 small letters, digits, dots, underscores and hyphens,"
                f" other than '{BASE}'"
            )
        if not isinstance(table, dict):
            raise InputError(f"{where}: is {table!r}, expected a table with 'set'")
        _check_keys(table, ("set",), where)
        read_options[name] = _settings(table.get("set", {}), where)
    return read_options


def _option(name: str, base: str, settings: Mapping[str, str], where: str) -> Option:
    try:
        return Option(name=name, settings=settings, recipe=recipes.load(base, settings))
    except InputError as refusal:
        raise InputError(f"{where}: {refusal}") from None


def _check_differences(options: tuple[Option, ...], source: str) -> None:
    space, seen = options[0].recipe.space, dict[str, str]()
    for option in options:
        if option.recipe.space != space:
            raise InputError(
                f"{source}: option '{option.name}' is of the space {option.recipe.space}, the base of"
                f" {space}; figures of different spaces cannot be compared"
            )
        same = seen.setdefault(settings_alone(option.recipe), option.name)
        if same != option.name:
            other = "the base" if same == BASE else f"option '{same}'"
            raise InputError(f"{source}: option '{option.name}' has the settings of {other}, expected others")


def _seeds(value: object, source: str) -> tuple[int, ...]:
    if type(value) is int and value in SEEDS:
        return tuple(range(1, value + 1))
    given = value if isinstance(value, list) and len(value) in SEEDS else [None]
    if all(type(seed) is int and seed in _SEED for seed in given) and len(set(given)) == len(given):
        return tuple(given)
    raise InputError(
        f"{source}: seeds is {value!r}, expected {SEEDS.start} to {SEEDS.stop - 1}, or a list of so many"
        " different whole numbers from 0"
    )


def _measures(value: object, recipe: Recipe, source: str) -> tuple[str, ...]:
    known = measures.known(recipe)
    if value is None:
        return known
    given = value if isinstance(value, list) else []
    judged = [name for name in known if measures.MEASURES[name].judged]
    if given and given[0] in judged and all(given.count(name) == 1 and name in known for name in given):
        return tuple(given)
    raise InputError(
        f"{source}: measures is {value!r}, expected a list that begins with one of {', '.join(judged)}, and"
        f" has any of {', '.join(known)}"
    )
