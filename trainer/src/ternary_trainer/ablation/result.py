"""
What an ablation found: figures of every training, differences paired by seed, and a sentence for each option.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ternary_trainer import run as runs
from ternary_trainer.ablation import measures
from ternary_trainer.ablation.measures import MEASURES, Measure
from ternary_trainer.ablation.pairing import LEVEL, Paired, holm, paired
from ternary_trainer.ablation.plan import Option, Plan
from ternary_trainer.validation.studies import Job


@dataclass(frozen=True, kw_only=True)
class Row:
    """The base or an option."""

    option: Option
    runs: tuple[Path, ...]
    """One for each seed."""
    values: Mapping[str, tuple[float, ...]]
    """By measure: one for each seed."""
    differences: Mapping[str, Paired]
    """By measure: to the base, with the same seed; empty for the base."""
    p: float | None
    """Of the primary measure, after Holm's correction; None for the base."""
    verdict: str
    """One sentence."""

    def mean(self, measure: str) -> float:
        """Of a measure, over the seeds."""
        return sum(self.values[measure]) / len(self.values[measure])


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A plan and what came of it."""

    plan: Plan
    rows: tuple[Row, ...]
    """The base first."""

    @property
    def primary(self) -> Measure:
        """What the verdicts are about."""
        return MEASURES[self.plan.measures[0]]


def compare(plan: Plan, jobs: Mapping[str, Sequence[Job]]) -> Ablation:
    """Read finished trainings and compare every option with the base.

    Args:
        plan: What was trained.
        jobs: By the option's name, the base's included: one for each seed.
    Raises:
        InputError: If a training has not ended.
        FormatError: If one is damaged.
    """
    values = {name: _values(plan, those) for name, those in jobs.items()}
    base, *options = plan.options
    differences = {
        option.name: _differences(plan, values[option.name], values[base.name]) for option in options
    }
    first = plan.measures[0]
    p = holm({name: found[first].p for name, found in differences.items()})

    def row(option: Option) -> Row:
        name, found = option.name, differences.get(option.name, {})
        return Row(
            option=option,
            runs=tuple(job.out for job in jobs[name]),
            values=values[name],
            differences=found,
            p=p.get(name),
            verdict=verdict(MEASURES[first], found[first], p[name]) if found else "the base",
        )

    return Ablation(plan=plan, rows=tuple(map(row, plan.options)))


def verdict(measure: Measure, found: Paired, p: float) -> str:
    """One sentence: better, worse, or what would have been shown.

    Args:
        measure: The primary one, of which more is better.
        found: The option's differences.
        p: After Holm's correction.
    """
    unit = f" {measure.unit}" if measure.unit else ""
    if found.least is None:
        same = (
            f"{measure.shown(found.mean, signed=True)}{unit} to the base" if found.mean else "no difference"
        )
        return f"{same} in every seed: without a spread there is nothing to test by"
    if p >= LEVEL:
        return f"no difference shown; one of at least {measure.shown(found.least)}{unit} would have been"
    word = "better" if found.mean > 0 else "worse"
    return f"{word}: {measure.name} {measure.shown(found.mean, signed=True)}{unit}"


def _values(plan: Plan, jobs: Sequence[Job]) -> dict[str, tuple[float, ...]]:
    found = [runs.open(job.out) for job in jobs]
    return {name: tuple(measures.read(run, name) for run in found) for name in plan.measures}


def _differences(
    plan: Plan, ours: Mapping[str, Sequence[float]], base: Mapping[str, Sequence[float]]
) -> dict[str, Paired]:
    return {
        name: paired(
            [one - other for one, other in zip(ours[name], base[name], strict=True)],
            options=len(plan.options) - 1,
        )
        for name in plan.measures
    }
