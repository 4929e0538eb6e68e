"""
Checks of a vast space that encode operations and decode them again: `hold-out`, `true-holdout`,
`holdout-shuffle`, `novel-operations` and `cold-shift`, each over samples, with exact binomial intervals.
"""

import numpy as np

from ternary_sdk._internal.packages.validation import Figure
from ternary_trainer import vast_split
from ternary_trainer.families import belongs, defined
from ternary_trainer.validation import intervals, novelty, reconstruction
from ternary_trainer.validation.outcome import (
    Outcome,
    at_most,
    decided,
    judged,
    not_applicable,
    share,
    too_few,
)
from ternary_trainer.validation.subject import Network
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_subject import Sample, VastSubject


def hold_out(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of operations as they are trained on, and as snapshots are chosen by."""
    kinds = {"training": subject.trained_on, "validation": subject.chosen_by}
    figures = [
        _exact(f"{kind} operations exact", path, network, sample, thresholds.reconstruction)
        for path, network in subject.networks.items()
        for kind, sample in kinds.items()
    ]
    few = _few(subject, "training operations", thresholds.reconstruction)
    return decided(
        figures, "Operations decode from their posterior mean to themselves.", few=few, shares=figures
    )


def true_holdout(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of the true holdout, and that training draws nothing of it."""
    exact = [
        _exact("true holdout exact", path, network, subject.held_out, thresholds.reconstruction)
        for path, network in subject.networks.items()
    ]
    name = f"held-out operations among {len(subject.trained_on):,} as training draws them"
    figures = [at_most(name, "", _leaked(subject), 0), *exact]
    few = _few(subject, "held-out operations", thresholds.reconstruction)
    good = "Operations that neither training nor selection saw decode to themselves."
    return decided(figures, good + subject.caveat, few=few, shares=exact)


def _leaked(subject: VastSubject) -> int:
    """Operations that the published rule holds out, and that training may draw all the same."""
    trained, space = subject.trained_on, subject.space
    held = vast_split.part(trained.indices, space) == vast_split.HOLDOUT
    for family in subject.split.families:
        held |= belongs(family, trained.tables.astype(np.int8), space)
    return int(held.sum())


def holdout_shuffle(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """What is left of reconstruction when inputs are shuffled: as many operations as thresholds are stated
    for, or all there are."""
    sample = subject.held_out.first(reconstruction.STATED_FOR)
    bounds = reconstruction.bounds_for(thresholds, subject.space, len(sample))
    figures = [
        figure
        for path, network in subject.networks.items()
        for figure in reconstruction.shuffled(path, network, sample.tables, subject.space, bounds)
    ]
    return judged(figures, reconstruction.FROM_INPUTS)


def novel_operations(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of members of the families that are held out as a whole."""
    space = subject.space
    families, left_out = vast_split.held_families(space), set(defined(space))
    if not families:
        return not_applicable(
            f"No family of {space} is held out as a whole, and members of none can be drawn."
        )
    figures = [
        _exact(f"{family}, held out as a whole", path, network, members, thresholds.family)
        for family, members in ((family, subject.members(family)) for family in families)
        for path, network in subject.networks.items()
    ]
    few = _few(subject, "members", thresholds.family)
    others = ", ".join(sorted(left_out - set(families)))
    good = (
        "Uniform members of families that training never draws decode to themselves. Members of other "
        f"families are not drawn: {others}."
    )
    return decided(figures, good + subject.caveat, few=few, shares=figures)


def cold_shift(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Held-out operations with 1, 2 or 3 cells replaced, and with noise on every cell."""
    inputs, space, exact = subject.held_out.tables, subject.space, intervals.exact
    figures: list[Figure] = []
    corrupted: list[Figure] = []
    for path, network in subject.networks.items():
        shares = list(novelty.replaced(path, network, inputs, space, thresholds.corrupted, of=exact))
        corrupted += shares
        figures += [*shares, *novelty.noisy(path, network, inputs, space, thresholds.off_grid, of=exact)]
    few = _few(subject, "held-out operations", thresholds.corrupted)
    return decided(figures, novelty.READ, few=few, shares=corrupted)


def _exact(name: str, path: str, network: Network, sample: Sample, bound: float) -> Figure:
    right = int((network.index(network.encode(sample.tables)) == sample.indices).sum())
    return share(f"{name}, of {len(sample):,}", path, right, len(sample), bound, of=intervals.exact)


def _few(subject: VastSubject, what: str, bound: float) -> str:
    return too_few(subject.effort.operations, what, bound, of=intervals.exact)
