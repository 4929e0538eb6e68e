"""
A run directory: all that is needed to know a training, to repeat it, and to ship its best epoch.

    recipe.toml        the recipe as resolved
    run.json           format, signature, seed, digests of the operations used for what, versions, device
    history.jsonl      one record an epoch (`history`)
    snapshots/         coverage.pt, elbo.pt, loss.pt: the best epoch by each rule (`choose`), v5.5 format
    state.pt           where to resume
    summary.json       once the run has ended: how, and what each snapshot is worth (`report`)
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from ternary_sdk._internal import source, whole_file
from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import checkpoint, choose, history, split, vast_split
from ternary_trainer import recipe as recipes
from ternary_trainer.architecture import Architecture
from ternary_trainer.compute import Compute, spent
from ternary_trainer.disrupt import SurgeEffect, effects
from ternary_trainer.history import EpochRecord
from ternary_trainer.recognition import architecture_of
from ternary_trainer.report import PathReport
from ternary_trainer.settings import Recipe
from ternary_trainer.vast_report import VastPathReport

RECIPE: Final = "recipe.toml"
FACTS: Final = "run.json"
STATE: Final = "state.pt"
FORMAT: Final = "ternary-run/2"
"""Of a run directory: what `run.json` says first."""
SUMMARY: Final = "summary.json"
_MOST_JSON: Final = 1 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A model that a run kept."""

    state: dict[str, Tensor]
    """As `TernaryVAE.state_dict()` gives it, checked."""
    epoch: int
    """After which it was taken, counted from 0."""
    reason: str
    """One sentence: which epoch, by which rule and figures."""
    source: str
    """SHA-256 of the snapshot's file, 64 lowercase hex digits."""

    @property
    def architecture(self) -> Architecture:
        """Which networks the state is of."""
        return architecture_of(self.state, self.source)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What shipping by one rule means."""

    rule: str
    epoch: int
    reason: str
    paths: Mapping[str, PathReport | VastPathReport]
    """By the path's letter: of a listed space the first, of a vast one the second."""

    @property
    def counted(self) -> Mapping[str, PathReport]:
        """The paths of a model of a listed space.

        Raises:
            InputError: If the space is vast.
        """
        paths = {path: found for path, found in self.paths.items() if isinstance(found, PathReport)}
        if len(paths) != len(self.paths):
            raise InputError(f"choice by {self.rule}: is of a vast space, whose operations are not counted")
        return paths

    @property
    def sampled(self) -> Mapping[str, VastPathReport]:
        """The paths of a model of a vast space.

        Raises:
            InputError: If the space is listed.
        """
        paths = {path: found for path, found in self.paths.items() if isinstance(found, VastPathReport)}
        if len(paths) != len(self.paths):
            raise InputError(f"choice by {self.rule}: is of a listed space, whose operations are counted")
        return paths


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How a run ended, and what it brought."""

    status: str
    """`complete`, `plateau`, `interrupted`, or `running` if it has not ended (or was killed)."""
    epochs: int
    """Trained so far."""
    planned: int
    """At most so many."""
    seconds: float
    """Wall time of the epochs."""
    epochs_saved: int
    """Epochs not trained because the plateau's score stood still."""
    seconds_saved: float
    """Their time, at the mean of the last five."""
    compute: Compute
    """Until the snapshot that `coverage` ships, after it, and saved by the plateau."""
    choices: Mapping[str, Choice]
    """What each rule would ship; empty unless the run has ended."""
    surges: Sequence[SurgeEffect]
    """Coverage, in a vast space evenness, before, during and after each surge."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training that was run, or is running."""

    path: Path
    recipe: Recipe
    seed: int
    facts: Mapping[str, Any]
    """Versions and machine it ran with."""
    history: Sequence[EpochRecord]

    def best(self, rule: str = "coverage") -> Snapshot:
        """The snapshot a rule chose: `coverage`, `elbo` or `loss`.

        Raises:
            InputError: If there is no such rule.
            FormatError: If the snapshot is missing or damaged.
        """
        choose.score_by(rule)
        file = snapshot_file(self.path, rule)
        if not file.exists():
            raise FormatError(
                f"{file}: missing, expected the snapshot of a finished epoch; train for one epoch first"
            )
        kept = checkpoint.load(file)
        record = next((record for record in self.history if record.epoch == kept.epoch), None)
        if record is None:
            named = "no epoch" if kept.epoch is None else f"epoch {kept.epoch}"
            raise FormatError(f"{file}: is of {named}, which the history lacks; resume the run to repair it")
        reason = choose.reason(record, self.recipe, rule)
        return Snapshot(state=kept.state, epoch=record.epoch, reason=reason, source=kept.source)

    def seconds_to(self, coverage: float) -> float | None:
        """Wall time until all paths first covered this share at the headline draws; None if they never did.

        In a vast space, until all paths first were so even.
        """
        spent = 0.0
        for record in self.history:
            spent += record.seconds
            if record.headline >= coverage:
                return spent
        return None

    def compute(self, rule: str = "coverage") -> Compute:
        """What the training took until the snapshot of a rule, and after it.

        Raises:
            InputError: If there is no such rule.
            FormatError: If `summary.json` is damaged.
        """
        return self._compute(rule, self._ending()["status"])

    def _compute(self, rule: str, status: str) -> Compute:
        shipped = choose.best_epoch(self.history, self.recipe, rule) if self.history else 0
        unspent = self.recipe.epochs - len(self.history) if status == "plateau" else 0
        return spent(self.history, shipped, unspent)

    def _ending(self) -> dict[str, Any]:
        file = self.path / SUMMARY
        return _read_json(file) if file.exists() else {"status": "running", "choices": {}}

    def summary(self) -> Summary:
        """How the run ended, and what each rule would ship.

        Raises:
            FormatError: If `summary.json` is damaged.
        """
        file, ending, compute = self.path / SUMMARY, self._ending(), self.compute()
        return Summary(
            status=ending["status"],
            epochs=len(self.history),
            planned=self.recipe.epochs,
            seconds=sum(record.seconds for record in self.history),
            epochs_saved=compute.saved.epochs,
            seconds_saved=compute.saved.seconds,
            compute=compute,
            choices={
                rule: _choice(rule, value, file, listed=self.recipe.space.listed)
                for rule, value in ending["choices"].items()
            },
            surges=effects(self.history),
        )


def open(path: Path) -> Run:
    """Open a run directory.

    Raises:
        FormatError: If it is none, one of its files is damaged, or it trained another model or on other
            operations than its recipe says.
    """
    facts = _read_json(path / FACTS)
    written = facts.pop("format", None)
    if written not in (FORMAT, None):  # A run of the first format names none.
        raise FormatError(f"{path / FACTS}: format is {written!r}, expected '{FORMAT}'")
    seed = facts.pop("seed", None)
    if type(seed) is not int:
        raise FormatError(f"{path / FACTS}: seed is {seed!r}, expected a whole number")
    try:
        recipe = recipes.load(str(path / RECIPE))
    except InputError as error:
        raise FormatError(str(error)) from None
    _check_signature(path / FACTS, facts.pop("signature", None), recipe)
    hook = facts.pop("hook", None)
    if recipe.hook and hook != recipe.hook.sha256:
        raise FormatError(
            f"{path / FACTS}: hook is {hook!r}, the hook of {RECIPE} has sha256 {recipe.hook.sha256};"
            " the recipe was changed after the training began, put it back"
        )
    expected = operations_of(recipe)
    _check_operations(path / FACTS, facts.pop("operations", {}), expected)
    records = history.read(path) if (path / history.NAME).exists() else []
    return Run(path=path, recipe=recipe, seed=seed, facts=facts, history=records)


def operations_of(recipe: Recipe) -> dict[str, str]:
    """What a run records of the operations it uses: a digest of each set, or of a vast space's rule."""
    if not recipe.space.listed:
        return vast_split.digests(recipe.space, recipe.scoring.operations or 0, recipe.holdout_family)
    return split.sets(recipe.space, recipe.holdout_family, recipe.training_operations).digests


def snapshot_file(path: Path, rule: str) -> Path:
    """Where a run keeps the snapshot of a rule."""
    return path / "snapshots" / f"{rule}.pt"


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Record the seed and what the training runs with.

    Raises:
        InputError: If it cannot be written.
    """
    whole_file.write(path / FACTS, json.dumps(dict(facts), indent=1).encode())


def add_facts(path: Path, more: Mapping[str, Any]) -> None:
    """Add to a run's facts, or replace those of the same names.

    Raises:
        InputError: If they cannot be written.
        FormatError: If the facts are damaged.
    """
    write_facts(path, {**_read_json(path / FACTS), **more})


def record_device(path: Path, then: str) -> None:
    """Add to a run's facts that it goes on, on another device.

    Raises:
        InputError: If it cannot be written.
        FormatError: If the facts are damaged.
    """
    facts = _read_json(path / FACTS)
    write_facts(path, {**facts, "device": f"{facts.get('device', 'unknown')}, {then}"})


def write_ending(path: Path, status: str, choices: Mapping[str, Choice]) -> None:
    """Record how a run ended, and what it took as its history tells.

    Raises:
        InputError: If it cannot be written.
        FormatError: If what the run wrote before is damaged.
    """
    ending = {
        "status": status,
        "choices": {rule: asdict(choice) for rule, choice in choices.items()},
        "compute": asdict(open(path)._compute("coverage", status)),
    }
    whole_file.write(path / SUMMARY, json.dumps(ending, indent=1).encode())


def _check_signature(file: Path, recorded: object, recipe: Recipe) -> None:
    if recorded not in (None, recipe.signature.to_json()):
        raise FormatError(
            f"{file}: signature is {recorded}, that of {RECIPE} is {recipe.signature.to_json()}; "
            "the recipe was changed after the training began, put it back"
        )


def _check_operations(file: Path, recorded: object, expected: Mapping[str, str]) -> None:
    if recorded == {}:
        return  # Begun before digests were recorded; all such runs are of the published split.
    if not isinstance(recorded, dict):
        raise FormatError(f"{file}: operations is {recorded!r}, expected digests by name")
    for name, digest in expected.items():
        if recorded.get(name) != digest:
            raise FormatError(
                f"{file}: sha256 of the {name} operations is {recorded.get(name, 'missing')}, those of"
                f" {RECIPE} have {digest}; the recipe was changed after the training began, put it back"
            )


def _choice(rule: str, values: dict[str, Any], file: Path, *, listed: bool) -> Choice:
    try:
        written = values.get("paths") or {path: values[path] for path in ("A", "B")}  # as before the mapping
        kind = PathReport if listed else VastPathReport
        reports = {path: kind(**figures) for path, figures in written.items()}
        return Choice(rule=rule, epoch=values["epoch"], reason=values["reason"], paths=reports)
    except (KeyError, TypeError, AttributeError):
        raise FormatError(f"{file}: choice '{rule}' is incomplete") from None


def _read_json(file: Path) -> dict[str, Any]:
    try:
        values = plain.decode(source.read(file, _MOST_JSON))
    except InputError:
        raise FormatError(f"{file}: cannot be read, expected the directory of a run") from None
    except FormatError as refusal:
        raise FormatError(f"{file}: {refusal}") from None
    if not isinstance(values, dict):
        raise FormatError(f"{file}: holds a {type(values).__name__}, expected an object")
    return values
