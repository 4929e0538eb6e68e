"""
The checks in the order of docs/validation.md, and running them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from ternary_sdk.errors import InputError
from ternary_trainer.validation import (
    arithmetic,
    dynamics,
    novelty,
    permutation,
    reconstruction,
    retraining,
    vast_drawing,
    vast_reconstruction,
    vast_spectrum,
)
from ternary_trainer.validation.drawing import hash_coverage
from ternary_trainer.validation.outcome import Outcome, not_applicable
from ternary_trainer.validation.spectrum import latent_spectrum
from ternary_trainer.validation.subject import Subject
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_subject import VastSubject

AnySubject = Subject | VastSubject
"""A model of a listed space, or of a vast one."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question about a model, and how it is answered."""

    question: str
    """What it answers."""
    control: str
    """What makes it fail, each in tests/trainer/validation/test_controls.py."""
    blind: str
    """What it cannot see."""
    run: Callable[[Subject, Thresholds], Outcome]
    """Of a listed space."""
    vast: Callable[[VastSubject, Thresholds], Outcome]
    """Of a vast one."""
    encodes: bool = False
    """Whether it asks something of encoders, and so nothing of a path without one."""


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "latent-spectrum": Check(
            question="Does every latent dimension tell operations apart?",
            control="a dimension switched off that nothing needs, an untrained model",
            blind="a dimension that varies but that the decoder ignores",
            run=latent_spectrum,
            vast=vast_spectrum.latent_spectrum,
            encodes=True,
        ),
        "hold-out": Check(
            question="Does each path give back the operations it was trained and chosen on?",
            control="an untrained model, an early snapshot, shuffled targets, a decoder of a part",
            blind="whether it generalises: the snapshot was chosen by half of these",
            run=reconstruction.hold_out,
            vast=vast_reconstruction.hold_out,
            encodes=True,
        ),
        "annealing": Check(
            question="Was the weight of the KL raised gently?",
            control="a history in which beta jumps for one epoch",
            blind="what happened within an epoch",
            run=dynamics.annealing,
            vast=dynamics.annealing,
        ),
        "hash-coverage": Check(
            question="How much of the space do prior draws reach, beside what perfect draws would?",
            control="draws that crowd into the middle, a decoder of a part of the space, an early snapshot",
            blind="which operations are rare",
            run=hash_coverage,
            vast=vast_drawing.hash_coverage,
        ),
        "phase-sync": Check(
            question="Did path A surge before path B, and did both settle?",
            control="a history in which B surges first, one that never settles",
            blind="whether either surge made the model better",
            run=dynamics.phase_sync,
            vast=dynamics.phase_sync,
        ),
        "holdout-shuffle": Check(
            question="Do the answers come from the inputs?",
            control="answers known from the order of the rows, an untrained model",
            blind="held-out operations that were trained on: they, too, are answered from the input",
            run=reconstruction.holdout_shuffle,
            vast=vast_reconstruction.holdout_shuffle,
            encodes=True,
        ),
        "novel-operations": Check(
            question="Are held-out operations given back in every structural family?",
            control="a model that has forgotten eight held-out commutative operations, or a held-out family",
            blind="what would become of a family held out as a whole, unless the recipe holds one out",
            run=novelty.novel_operations,
            vast=vast_reconstruction.novel_operations,
            encodes=True,
        ),
        "seed-variance": Check(
            question="Was this model luck?",
            control="one bad seed of three",
            blind="other machines, other versions, and more seeds than were trained",
            run=retraining.seed_variance,
            vast=retraining.seed_variance,
        ),
        "cold-shift": Check(
            question="What happens to corrupted inputs?",
            control="an encoder that reads slight noise as trits",
            blind="corruption that follows a pattern instead of chance",
            run=novelty.cold_shift,
            vast=vast_reconstruction.cold_shift,
            encodes=True,
        ),
        "early-plateau": Check(
            question="Did training jump or stand still?",
            control="a history in which coverage falls by 30 points for one epoch, one that stands still",
            blind="jumps within an epoch, and what a longer training would have brought",
            run=dynamics.early_plateau,
            vast=dynamics.early_plateau,
        ),
        "collapse-sweep": Check(
            question="How far is the recipe from losing latent dimensions?",
            control="a recipe that loses a dimension at twice its beta",
            blind="any other setting than beta",
            run=retraining.collapse_sweep,
            vast=retraining.collapse_sweep,
        ),
        "true-holdout": Check(
            question="Are operations given back that neither training nor selection ever saw?",
            control="a split with five leaked operations, another holdout than the published one",
            blind="a training outside this package that used them and says it did not",
            run=reconstruction.true_holdout,
            vast=vast_reconstruction.true_holdout,
            encodes=True,
        ),
        "permutation-robustness": Check(
            question="Is an operation given back when its inputs are permuted or its values relabelled?",
            control="an encoder that knows operations in one orientation only, thirty forgotten images",
            blind="whether training saw the images: a model that was trained on most operations knows them",
            run=permutation.permutation_robustness,
            vast=permutation.of_vast,
            encodes=True,
        ),
        "latent-arithmetic": Check(
            question="Does zA + zB - zC decode to a + b - c more often than by chance?",
            control="a model that is right, with the latents of all operations exchanged",
            blind="whether it learned anything: codes that hold cells apart add most cells by their form",
            run=arithmetic.latent_arithmetic,
            vast=arithmetic.of_vast,
            encodes=True,
        ),
    }
)


def chosen(only: Sequence[str]) -> list[str]:
    """The checks of the given names in the documented order; all of them if there is no name.

    Raises:
        InputError: If a name is none of a check.
    """
    for name in only:
        if name not in CHECKS:
            raise InputError(f"check '{name}': there is none, expected one of {', '.join(CHECKS)}")
    return [name for name in CHECKS if not only or name in only]


def validate(
    subject: AnySubject,
    thresholds: Thresholds,
    *,
    only: Sequence[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Outcome]:
    """Run the checks.

    Args:
        subject: What is validated.
        thresholds: The bounds.
        only: Names of the checks to run; all of them if empty.
        tell: Called with each check's name before it runs.
    Returns:
        Outcomes by name, in the documented order.
    Raises:
        InputError: If a name is none of a check.
    """
    outcomes = {}
    for name in chosen(only):
        tell(name)
        outcomes[name] = _run(CHECKS[name], subject, thresholds)
    return outcomes


def _run(check: Check, subject: AnySubject, thresholds: Thresholds) -> Outcome:
    lacking = sorted(subject.paths.keys() - subject.networks.keys()) if check.encodes else []
    if not lacking:
        return _asked(check, subject, thresholds)
    if not subject.networks:
        return not_applicable("No path has an encoder, so no operation has a posterior mean.")
    outcome = _asked(check, subject, thresholds)
    paths = f"Path {lacking[0]} has" if len(lacking) == 1 else f"Paths {', '.join(lacking)} have"
    return replace(outcome, reason=f"{outcome.reason} {paths} no encoder and nothing to check here.")


def _asked(check: Check, subject: AnySubject, thresholds: Thresholds) -> Outcome:
    if isinstance(subject, VastSubject):
        return check.vast(subject, thresholds)
    return check.run(subject, thresholds)
