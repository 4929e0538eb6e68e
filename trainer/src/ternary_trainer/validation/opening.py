"""
From a run, a checkpoint file or a package to what is validated.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import InputError
from ternary_sdk.proved import ProvedModel
from ternary_sdk.space import Space
from ternary_trainer import split
from ternary_trainer.checkpoint import Checkpoint
from ternary_trainer.device import CPU
from ternary_trainer.run import Run
from ternary_trainer.validation import networks, traces
from ternary_trainer.validation.checks import AnySubject
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.subject import Floats, Subject
from ternary_trainer.validation.vast_subject import Effort, VastSubject
from ternary_trainer.vast_split import VastSplit

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
    effort: Effort | None = None,
) -> AnySubject:
    """A run's best snapshot with the run's history, computed on a device.

    Args:
        run: The training.
        margins: Finds what the snapshot reaches.
        rule: By which the snapshot is chosen.
        seeds: Retrainings with other seeds, where they were made.
        betas: Retrainings with other betas, where they were made.
        place: The device that computes.
        effort: How much is drawn and encoded in a vast space.
    Raises:
        InputError: If there is no such rule, or effort is named for a listed space.
        FormatError: If the snapshot is missing or damaged.
    """
    best, space = run.best(rule), run.recipe.space
    expect_of(effort, space)
    name = run.path.name if rule == "coverage" else f"{run.path.name}, chosen by {rule}"
    paths = networks.of_weights(best.state, place)
    if not space.listed:
        return VastSubject(
            name=name,
            kind="run",
            digest=best.source,
            signature=best.architecture.signature,
            paths=paths,
            decoder_parameters=networks.decoder_parameters(best.state),
            split=VastSplit(space, run.recipe.holdout_family),
            traces=traces.of_run(run.history, run.recipe),
            rule=rule,
            asks_for_all=True,
            seeds=seeds,
            betas=betas,
            effort=effort or Effort(),
        )
    return Subject(
        name=name,
        kind="run",
        digest=best.source,
        signature=best.architecture.signature,
        paths=paths,
        margins=margins(best.state),
        decoder_parameters=networks.decoder_parameters(best.state),
        split=split.sets(space, run.recipe.holdout_family, run.recipe.training_operations),
        traces=traces.of_run(run.history, run.recipe),
        rule=rule,
        asks_for_all=run.recipe.separate is not None,
        seeds=seeds,
        betas=betas,
    )


def checkpoint_subject(
    checkpoint: Checkpoint,
    path: Path,
    margins: Margins,
    place: torch.device = CPU,
    effort: Effort | None = None,
) -> AnySubject:
    """A checkpoint file, with what it says of its own training; ``margins`` finds what it reaches.

    Raises:
        InputError: If effort is named for a listed space.
    """
    space = checkpoint.architecture.signature.space
    expect_of(effort, space)
    if not space.listed:
        return VastSubject(
            name=path.name,
            kind="checkpoint",
            digest=checkpoint.source,
            signature=checkpoint.architecture.signature,
            paths=networks.of_weights(checkpoint.state, place),
            decoder_parameters=networks.decoder_parameters(checkpoint.state),
            split=VastSplit(space),
            asks_for_all=None,
            effort=effort or Effort(),
        )
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
def package_subject(model: ProvedModel, effort: Effort | None = None) -> Iterator[AnySubject]:
    """A proved package, computed with its own graphs.

    Raises:
        InputError: If effort is named for a listed space.
    """
    package = model.package
    expect_of(effort, package.signature.space)
    with networks.of_package(package) as paths:
        if isinstance(package.certificate, VastCertificate):
            yield VastSubject(
                name=package.manifest.label,
                kind="package",
                digest=package.identity.digest,
                signature=package.signature,
                paths=paths,
                decoder_parameters=_parameters(package),
                split=VastSplit(package.signature.space),
                certified={claim.path: claim for claim in package.certificate.paths},
                asks_for_all=None,
                effort=effort or Effort(),
            )
            return
        yield Subject(
            name=package.manifest.label,
            kind="package",
            digest=package.identity.digest,
            signature=package.signature,
            paths=paths,
            margins={path: model.margins(path=path) for path in paths},
            decoder_parameters=_parameters(package),
            split=split.sets(package.signature.space),
            asks_for_all=None,
        )


def _parameters(package: Package) -> dict[str, int]:
    return {entry.path: entry.decoder.parameters for entry in package.manifest.paths}


def expect_of(effort: Effort | None, space: Space) -> None:
    """Refuse an effort that is named for a listed space, of which every operation is examined.

    Raises:
        InputError: If it is.
    """
    if effort is not None and space.listed:
        raise InputError(
            f"draws and operations: {space} is a listed space, whose operations are all examined; leave the "
            "numbers out"
        )
