"""
Runs side by side: which settings and versions differ, and what came of each.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.report import PathReport
from ternary_trainer.run import Run, Summary
from ternary_trainer.settings import Recipe
from ternary_trainer.vast_report import VastPathReport

RULE: Final = "coverage"
"""The rule whose snapshot is compared: what `export` ships unless another is asked for."""
_NAMES: Final = ("name", "about")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the runs."""

    run: Run
    summary: Summary
    shipped: int | None
    """The epoch of the snapshot that is shipped; None unless the run has ended."""
    coverage: Mapping[str, float]
    """Of that snapshot by path, at the headline draws of the run's space; empty unless the run has ended, and
    in a vast space."""
    collisions: Mapping[str, float]
    """In a vast space, of that snapshot by path: colliding pairs of draws, as a multiple of what
    uniform draws have on average; else empty."""

    @property
    def space(self) -> Space:
        """Which operations the run learns."""
        return self.run.recipe.space

    @property
    def draws(self) -> int | None:
        """The headline draws of that space; None in a vast space, where coverage is not quoted."""
        return headline_draws(self.space) if self.space.listed else None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs in the order in which they were named."""

    runs: tuple[Compared, ...]
    settings: Mapping[str, tuple[Any, ...]]
    """Each setting that differs, named as for `--set`: its value in each run, None where it has none."""
    versions: Mapping[str, tuple[Any, ...]]
    """Each version and fact of the machine that differs, likewise."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The letters of all paths of all runs, ascending."""
        return tuple(sorted({path for one in self.runs for path in one.run.recipe.signature.paths}))


def compare(folders: Sequence[Path]) -> Comparison:
    """Compare run directories.

    Raises:
        InputError: If there are fewer than two, or one is named twice.
        FormatError: If one is no run, or is damaged.
    """
    if len(folders) < 2:
        raise InputError(f"{len(folders)} run to compare, expected at least 2")
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InputError(f"{folder}: is named twice, expected different runs")
        seen.add(folder.resolve())
    compared = tuple(_compared(runs.open(folder)) for folder in folders)
    return Comparison(
        runs=compared,
        settings=_differing([settings(one.run.recipe) for one in compared]),
        versions=_differing([one.run.facts for one in compared]),
    )


def _compared(run: Run) -> Compared:
    summary = run.summary()
    choice = summary.choices.get(RULE)
    reports = choice.paths.items() if choice else ()
    return Compared(
        run=run,
        summary=summary,
        shipped=choice.epoch if choice else None,
        coverage={path: report.coverage for path, report in reports if isinstance(report, PathReport)},
        collisions={
            path: report.colliding_pairs / report.expected_pairs
            for path, report in reports
            if isinstance(report, VastPathReport)
        },
    )


def settings(recipe: Recipe) -> dict[str, Any]:
    """All settings that train, by the names that `--set` takes; of a surge by its place, `surge[0].epoch`."""
    written = tomllib.loads(recipes.dump(recipe))
    return _flat({key: value for key, value in written.items() if key not in _NAMES})


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """What nested tables hold by dotted names; of a list of tables, each by its place."""
    if isinstance(value, dict):
        parts = {f"{name}.{key}" if name else key: part for key, part in value.items()}
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        parts = {f"{name}[{place}]": part for place, part in enumerate(value)}
    else:
        return {name: value}
    return {key: leaf for part_name, part in parts.items() for key, leaf in _flat(part, part_name).items()}


def _differing(tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = {key: tuple(table.get(key) for table in tables) for key in keys}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}
