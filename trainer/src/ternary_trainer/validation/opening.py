"""
From a run, a checkpoint file or a package to what is validated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ternary_sdk.packages.package import Package
from ternary_trainer import split
from ternary_trainer.checkpoint import Checkpoint
from ternary_trainer.device import CPU
from ternary_trainer.run import Run
from ternary_trainer.validation import networks, traces
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.subject import Subject


def run_subject(
    run: Run,
    *,
    rule: str = "coverage",
    seeds: Study | None = None,
    betas: Study | None = None,
    place: torch.device = CPU,
) -> Subject:
    """A run's best snapshot with the run's history, computed on a device.

    Raises:
        InputError: If there is no such rule.
        FormatError: If the snapshot is missing or damaged.
    """
    best = run.best(rule)
    return Subject(
        name=run.path.name if rule == "coverage" else f"{run.path.name}, chosen by {rule}",
        kind="run",
        digest=best.source,
        paths=networks.of_weights(best.state, place),
        split=split.sets(run.recipe.holdout_family),
        traces=traces.of_run(run.history, run.recipe),
        rule=rule,
        asks_for_all=run.recipe.separate is not None,
        seeds=seeds,
        betas=betas,
    )


def checkpoint_subject(checkpoint: Checkpoint, path: Path, place: torch.device = CPU) -> Subject:
    """A checkpoint file, with what it says of its own training, computed on a device."""
    return Subject(
        name=path.name,
        kind="checkpoint",
        digest=checkpoint.source,
        paths=networks.of_weights(checkpoint.state, place),
        split=split.sets(),
        traces=traces.of_file(checkpoint.details),
        asks_for_all=None,
    )


@contextmanager
def package_subject(package: Package) -> Iterator[Subject]:
    """A verified package, computed with its own graphs."""
    with networks.of_package(package) as paths:
        yield Subject(
            name=package.manifest.label,
            kind="package",
            digest=package.identity.digest,
            paths=paths,
            split=split.sets(),
            asks_for_all=None,
        )
