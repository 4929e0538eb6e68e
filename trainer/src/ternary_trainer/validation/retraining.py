"""
Checks `seed-variance` and `collapse-sweep`: what other trainings of the same recipe come out as.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.coverage import headline_draws
from ternary_sdk.space import Space
from ternary_trainer import split as splits
from ternary_trainer.report import PathReport
from ternary_trainer.validation import intervals
from ternary_trainer.validation.outcome import (
    Outcome,
    at_least,
    at_most,
    judged,
    not_applicable,
    not_run,
    share,
    shown,
)
from ternary_trainer.validation.studies import Trial
from ternary_trainer.validation.subject import Validated
from ternary_trainer.validation.thresholds import Thresholds

LEAST_SEEDS: Final = 3


@dataclass(frozen=True, kw_only=True)
class _Quantity:
    """What says how good a retraining's draws are."""

    name: str
    """For a figure."""
    at: str
    """The same with its number of draws."""
    bound: float
    """The least that it must be."""


def _quantity(subject: Validated, thresholds: Thresholds) -> _Quantity:
    if not subject.space.listed:
        return _Quantity(name="evenness", at="evenness", bound=thresholds.evenness)
    quoted = headline_draws(subject.space)
    return _Quantity(
        name="hash coverage", at=f"hash coverage at {quoted:,} draws", bound=thresholds.hash_coverage
    )


def seed_variance(subject: Validated, thresholds: Thresholds) -> Outcome:
    """Coverage, in a vast space evenness, and reconstruction of retrainings that differ in nothing but the
    seed."""
    if subject.seeds is None:
        return _missing(subject)
    trials = subject.seeds.trials
    if len(trials) < LEAST_SEEDS:
        return not_run(f"{len(trials)} seeds were trained, expected at least {LEAST_SEEDS}.")
    quantity = _quantity(subject, thresholds)
    figures: list[Figure] = []
    for path in subject.signature.paths:
        values = [_coverage(trial, path) for trial in trials]
        exact, held_out = min(_held_out(trial, path, subject.space) for trial in trials)
        figures += [
            at_least(
                f"worst seed's {quantity.at}",
                path,
                min(values),
                quantity.bound,
            ),
            at_most("spread between seeds", path, max(values) - min(values), thresholds.seed_spread),
            at_least(
                f"mean {quantity.name} over seeds",
                path,
                float(np.mean(values)),
                quantity.bound,
                interval=intervals.mean(values),
            ),
            share(
                "worst seed's true holdout exact",
                path,
                round(exact * held_out),
                held_out,
                thresholds.reconstruction,
                value=exact,
            ),
        ]
    return judged(figures, f"{len(trials)} seeds give models of the same quality.")


def collapse_sweep(subject: Validated, thresholds: Thresholds) -> Outcome:
    """Active dimensions and coverage, in a vast space evenness, of retrainings whose beta is multiplied by a
    factor throughout."""
    if subject.betas is None:
        return _missing(subject)
    trials = sorted(subject.betas.trials, key=lambda trial: trial.factor)
    factor = thresholds.collapse_factor
    if not trials or trials[0].factor > 1 / factor or trials[-1].factor < factor:
        return not_run(f"Beta was not swept from 1/{factor:g} to {factor:g} times its value.")
    dimensions, quantity = _dimensions(subject), _quantity(subject, thresholds)
    near = [trial for trial in trials if 1 / factor <= trial.factor <= factor]
    figures: list[Figure] = []
    for path in subject.signature.paths:
        least = min(trial.paths[path].active for trial in near)
        covered = min(_coverage(trial, path) for trial in near)
        figures += [
            at_least(f"active dimensions within a factor of {factor:g}", path, least, dimensions),
            at_least(f"worst {quantity.name} within a factor of {factor:g}", path, covered, quantity.bound),
        ]
        for trial in trials:
            figures += [
                shown(f"active dimensions at {trial.factor:g} × beta", path, trial.paths[path].active),
                shown(f"{quantity.name} at {trial.factor:g} × beta", path, _coverage(trial, path)),
            ]
    return judged(figures, f"Nothing collapses when beta is wrong by a factor of {factor:g}.")


def _coverage(trial: Trial, path: str) -> float:
    report = trial.paths[path]
    return report.coverage if isinstance(report, PathReport) else report.evenness


def _held_out(trial: Trial, path: str, space: Space) -> tuple[float, int]:
    """The share of the true holdout that a retraining gives back, and of how many operations."""
    report = trial.paths[path]
    count = splits.sizes(space)[2] if isinstance(report, PathReport) else report.operations
    return report.holdout_exact, count


def _dimensions(subject: Validated) -> int:
    """How many dimensions must be active: all of them, in a vast space no more than there are cells."""
    size, space = subject.signature.latent_size, subject.space
    return size if space.listed else min(size, space.cells)


def _missing(subject: Validated) -> Outcome:
    if subject.kind != "run":
        return not_applicable(
            f"A {subject.kind} does not say how it was trained, so it cannot be trained again."
        )
    return not_run("No retrainings were made; 'ternary validate RUN --studies DIR' makes them.")
