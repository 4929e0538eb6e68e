"""
Checks `seed-variance` and `collapse-sweep`: what other trainings of the same recipe come out as.
"""

from typing import Final

import numpy as np

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.coverage import headline_draws
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
from ternary_trainer.validation.subject import Subject
from ternary_trainer.validation.thresholds import Thresholds

LEAST_SEEDS: Final = 3


def seed_variance(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Coverage and reconstruction of retrainings that differ in nothing but the seed."""
    if subject.seeds is None:
        return _missing(subject)
    trials = subject.seeds.trials
    if len(trials) < LEAST_SEEDS:
        return not_run(f"{len(trials)} seeds were trained, expected at least {LEAST_SEEDS}.")
    held_out, quoted = len(subject.split.holdout), headline_draws(subject.space)
    figures: list[Figure] = []
    for path in subject.signature.paths:
        values = [_coverage(trial, path) for trial in trials]
        exact = min(trial.paths[path].holdout_exact for trial in trials)
        figures += [
            at_least(
                f"worst seed's hash coverage at {quoted:,} draws",
                path,
                min(values),
                thresholds.hash_coverage,
            ),
            at_most("spread between seeds", path, max(values) - min(values), thresholds.seed_spread),
            at_least(
                "mean hash coverage over seeds",
                path,
                float(np.mean(values)),
                thresholds.hash_coverage,
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


def collapse_sweep(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Active dimensions and coverage of retrainings whose beta is multiplied by a factor throughout."""
    if subject.betas is None:
        return _missing(subject)
    trials = sorted(subject.betas.trials, key=lambda trial: trial.factor)
    factor = thresholds.collapse_factor
    if not trials or trials[0].factor > 1 / factor or trials[-1].factor < factor:
        return not_run(f"Beta was not swept from 1/{factor:g} to {factor:g} times its value.")
    dimensions = subject.signature.latent_size
    near = [trial for trial in trials if 1 / factor <= trial.factor <= factor]
    figures: list[Figure] = []
    for path in subject.signature.paths:
        least = min(trial.paths[path].active for trial in near)
        covered = min(_coverage(trial, path) for trial in near)
        figures += [
            at_least(f"active dimensions within a factor of {factor:g}", path, least, dimensions),
            at_least(
                f"worst hash coverage within a factor of {factor:g}", path, covered, thresholds.hash_coverage
            ),
        ]
        for trial in trials:
            figures += [
                shown(f"active dimensions at {trial.factor:g} × beta", path, trial.paths[path].active),
                shown(f"hash coverage at {trial.factor:g} × beta", path, _coverage(trial, path)),
            ]
    return judged(figures, f"Nothing collapses when beta is wrong by a factor of {factor:g}.")


def _coverage(trial: Trial, path: str) -> float:
    return trial.paths[path].coverage


def _missing(subject: Subject) -> Outcome:
    if subject.kind != "run":
        return not_applicable(
            f"A {subject.kind} does not say how it was trained, so it cannot be trained again."
        )
    return not_run("No retrainings were made; 'ternary validate RUN --studies DIR' makes them.")
