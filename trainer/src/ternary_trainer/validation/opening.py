"""
From a run, a checkpoint file or a package to what is validated.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ternary_sdk.errors import InputError
from ternary_sdk.proved import ProvedModel
from ternary_sdk.space import Space
from ternary_trainer import split
from ternary_trainer.checkpoint import Checkpoint
from ternary_trainer.device import CPU
from ternary_trainer.run import Run
from ternary_trainer.validation import networks, traces
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.subject import Floats, Subject

Margins = Callable[[Mapping[str, Tensor]], Mapping[str, Floats]]
"""From a model's weights to ``Subject.margins``: ``ternary_export.reach.margins``."""


def run_subject(
    run: Run,
    margins: Margins,
    *,
    rule: str = "coverage",
    seeds: Study | None = None,
    betas: Study | None = None,
    place: torch.device = CPU,
) -> Subject:
    """A run's best snapshot with the run's history, computed on a device.

    Args:
        run: The training.
        margins: Finds what the snapshot reaches.
        rule: By which the snapshot is chosen.
        seeds: Retrainings with other seeds, where they were made.
        betas: Retrainings with other betas, where they were made.
        place: The device that computes.
    Raises:
        InputError: If there is no such rule, or the space is vast.
        FormatError: If the snapshot is missing or damaged.
    """
    _expect_listed(str(run.path), run.recipe.space)
    best = run.best(rule)
    return Subject(
        name=run.path.name if rule == "coverage" else f"{run.path.name}, chosen by {rule}",
        kind="run",
        digest=best.source,
        signature=best.architecture.signature,
        paths=networks.of_weights(best.state, place),
        margins=margins(best.state),
        decoder_parameters=networks.decoder_parameters(best.state),
        split=split.sets(run.recipe.space, run.recipe.holdout_family),
        traces=traces.of_run(run.history, run.recipe),
        rule=rule,
        asks_for_all=run.recipe.separate is not None,
        seeds=seeds,
        betas=betas,
    )


def checkpoint_subject(
    checkpoint: Checkpoint, path: Path, margins: Margins, place: torch.device = CPU
) -> Subject:
    """A checkpoint file, with what it says of its own training; ``margins`` finds what it reaches.

    Raises:
        InputError: If its space is vast.
    """
    _expect_listed(path.name, checkpoint.architecture.signature.space)
    return Subject(
        name=path.name,
        kind="checkpoint",
        digest=checkpoint.source,
        signature=checkpoint.architecture.signature,
        paths=networks.of_weights(checkpoint.state, place),
        margins=margins(checkpoint.state),
        decoder_parameters=networks.decoder_parameters(checkpoint.state),
        split=split.sets(checkpoint.architecture.signature.space),
        traces=traces.of_file(checkpoint.details, checkpoint.architecture.signature),
        asks_for_all=None,
    )


@contextmanager
def package_subject(model: ProvedModel) -> Iterator[Subject]:
    """A proved package, computed with its own graphs.

    Raises:
        InputError: If its space is vast.
    """
    _expect_listed(model.package.manifest.label, model.package.signature.space)
    package = model.package
    with networks.of_package(package) as paths:
        yield Subject(
            name=package.manifest.label,
            kind="package",
            digest=package.identity.digest,
            signature=package.signature,
            paths=paths,
            margins={path: model.margins(path=path) for path in paths},
            decoder_parameters={entry.path: entry.decoder.parameters for entry in package.manifest.paths},
            split=split.sets(package.signature.space),
            asks_for_all=None,
        )


def _expect_listed(name: str, space: Space) -> None:
    if not space.listed:
        raise InputError(
            f"{name}: is of the vast space {space}; its operations cannot be examined one by one, expected a"
            " listed space"
        )
