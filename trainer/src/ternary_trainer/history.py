"""
`history.jsonl`: one record an epoch, one line each, in order.

Plots, summaries, resumed runs and vendors' own tools read it; docs/training.md documents every field.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ternary_sdk._internal import source, whole_file
from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError, InputError

NAME = "history.jsonl"
_MOST: Final = 1 << 28  # bytes; an epoch takes some hundred


@dataclasses.dataclass(frozen=True, kw_only=True)
class PathRecord:
    """One path after one epoch. Figures from validation are after the epoch, losses its mean."""

    reconstruction: float
    """Cross-entropy summed over the cells of a table, nats, mean over the epoch's steps."""
    kl: float
    """KL of the posterior to the prior, nats, all of it, mean over the epoch's steps."""
    rate: float
    """Learning rate at the epoch's end."""
    beta: float
    """Weight of the KL at the epoch's end."""
    noise: float
    """Scale of the posterior's noise (the temperature) at the epoch's end."""
    weight: float
    """Factor on the prior's term at the epoch's end: uniformity, or (`coupled`) entropy and repulsion."""
    coverage: float | None
    """Expected share of the space at its headline draws, rarefied from the validation draws, in [0, 1].

    None in a vast space."""
    entropy: float | None
    """Of the validation draws' operations, nats; uniform is ln size (9.887 for (3, 2)).

    None in a vast space."""
    kl_single: float
    """KL to uniform of single cells, nats."""
    kl_pairs: float
    """Mutual information in pairs of cells, nats."""
    kl_higher: float
    """Dependence of three and more cells, nats; in a vast space of three alone, from a sample of triples."""
    exact: float
    """Share of validation operations that decode from their posterior mean exactly, in [0, 1]."""
    elbo: float
    """Negative ELBO at beta 1 over validation operations, nats; no model is below ln size on average."""
    active: int
    """Dimensions whose mean varies by more than 0.1 over validation operations, from 0 to the latent size."""
    lost_cells: int | None = None
    """Cells that validation operations do not get back; None in a history that does not say."""

    @property
    def evenness(self) -> float:
        """e to the minus KL to uniform, as far as its three parts show it; 1 if uniform.

        It is the perplexity of the draws as a share of the space. What triples add to pairs can come out
        negative far from uniform, where pairs say the same thing twice; then it counts as nothing.
        """
        return math.exp(-(self.kl_single + self.kl_pairs + max(0.0, self.kl_higher)))

    @property
    def headline(self) -> float:
        """The figure that ranks epochs: coverage, or in a vast space evenness."""
        return self.evenness if self.coverage is None else self.coverage


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One epoch of a run."""

    epoch: int
    """Counted from 0."""
    epochs: int
    """How many there will be at most."""
    phase: str
    """What the recipe calls this stretch: learn, spread; isolation, consolidation, coupling, exploration."""
    seconds: float
    """Wall time of the epoch, scoring included."""
    limit: float | None
    """What perfect draws would cover at the headline draws, on average; 0.92116 for (3, 2), None in a vast
    space."""
    loss: float
    """The recipe's own loss on validation operations; with the epoch's beta in it, it cannot rank epochs."""
    surge: float
    """Strength of the surge that was on, 0 if none."""
    surge_origin: str
    """`recipe`, `request`, or empty."""
    paths: Mapping[str, PathRecord]
    """By the path's letter."""
    coupling: dict[str, float] | None = None
    """What `coupled` adapts: rho, l1, l2, l3, gradient_ratio."""
    core_seconds: float | None = None
    """Processor time of the process over all its threads in the same span as `seconds`; None if an older
    release trained the epoch."""

    @property
    def headline(self) -> float:
        """Coverage, or in a vast space evenness, of the weakest path: what every path is good for."""
        return min(path.headline for path in self.paths.values())

    @property
    def exact(self) -> float:
        """Reconstruction of the weakest path."""
        return min(path.exact for path in self.paths.values())

    @property
    def elbo(self) -> float:
        """Negative ELBO at beta 1, mean of the paths."""
        return sum(path.elbo for path in self.paths.values()) / len(self.paths)


def place(record: EpochRecord) -> str:
    """Which epoch it is, counted from 0 as in every file, and how many are trained of how many."""
    return f"epoch {record.epoch} ({record.epoch + 1} of {record.epochs})"


def to_line(record: EpochRecord) -> str:
    """One line of JSON, without its newline."""
    return json.dumps(dataclasses.asdict(record), allow_nan=False)


def is_finite(record: EpochRecord) -> bool:
    """Whether all figures are numbers; an overflow in training shows here first."""
    numbers = [figure for path in record.paths.values() for figure in dataclasses.astuple(path)]
    return all(math.isfinite(number) for number in [*numbers, record.loss] if number is not None)


def write(folder: Path, records: Sequence[EpochRecord]) -> None:
    """Replace a run's history in one step.

    Raises:
        InputError: If it cannot be written; the older history is intact.
    """
    whole_file.write(folder / NAME, "".join(to_line(record) + "\n" for record in records).encode())


def read(folder: Path) -> list[EpochRecord]:
    """Read a run's history.

    Raises:
        FormatError: If there is none, or a line is no record; the line is named.
    """
    path = folder / NAME
    try:
        lines = source.read(path, _MOST).decode().splitlines()
    except (InputError, UnicodeDecodeError):
        raise FormatError(f"{path}: cannot be read, expected a run's history") from None
    return [_from_line(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def _from_line(line: str, name: str) -> EpochRecord:
    try:
        values: dict[str, Any] = plain.decode(line)
        if "paths" not in values:  # Written before paths were a mapping.
            values["paths"] = {path: values.pop(path) for path in ("A", "B")}
        paths = {path: PathRecord(**figures) for path, figures in values.pop("paths").items()}
        record = EpochRecord(paths=paths, **values)
        if not _is_time(record.seconds) or not (record.core_seconds is None or _is_time(record.core_seconds)):
            raise TypeError
        return record
    except (FormatError, TypeError, KeyError, AttributeError):
        raise FormatError(f"{name}: is no record of an epoch") from None


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf  # type: ignore[operator]
