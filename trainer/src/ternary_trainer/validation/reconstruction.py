"""
Checks `hold-out`, `true-holdout` and `holdout-shuffle`: does a path give back operations it never saw, and
is the way we measure that sound?
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space, Tables
from ternary_trainer import split as splits
from ternary_trainer.validation.intervals import Interval
from ternary_trainer.validation.outcome import (
    Outcome,
    at_least,
    at_most,
    decided,
    judged,
    not_applicable,
    share,
    too_few,
)
from ternary_trainer.validation.subject import Floats, Network, Subject, cells_name, reconstruct, tables
from ternary_trainer.validation.thresholds import Thresholds

SHUFFLES: Final = 50
FROM_INPUTS: Final = "With shuffled inputs agreement falls to chance, so the answers come from the inputs."
STATED_FOR: Final = 1_969
"""Operations that `shuffled_exact` is stated for: the true holdout of (3, 2)."""


def hold_out(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of the operations trained on, and of those the snapshot was chosen by."""
    figures = [
        figure
        for path, network in subject.networks.items()
        for name, chosen in (
            ("training operations exact", subject.split.training),
            ("validation operations exact", subject.split.validation),
        )
        for figure in (_exact(name, path, network, chosen, thresholds.reconstruction),)
    ]
    few = too_few(len(subject.split.training), "training operations", thresholds.reconstruction)
    good = "Operations decode from their posterior mean to themselves."
    trained = [figure for figure in figures if figure.name == "training operations exact"]
    return decided(figures, good, few=few, shares=trained)


def true_holdout(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of the published true holdout, and that nothing else looked at it."""
    split = subject.split
    leaked = len((split.training | split.validation) & split.holdout)
    right = float(split.holdout == splits.sets(subject.space).holdout)
    exact = [
        _exact("true holdout exact", path, network, split.holdout, thresholds.reconstruction)
        for path, network in subject.networks.items()
    ]
    figures = [
        at_most("held-out operations also used in training", "", leaked, 0),
        at_least("set is the published one (1) or not (0)", "", right, 1),
        *exact,
    ]
    few = too_few(len(split.holdout), "held-out operations", thresholds.reconstruction)
    good = "Operations that neither training nor selection saw decode to themselves."
    return decided(figures, good + subject.caveat, few=few, shares=exact)


def holdout_shuffle(subject: Subject, thresholds: Thresholds) -> Outcome:
    """What is left of reconstruction when inputs are shuffled and targets are not: chance, if sound."""
    held_out, space = subject.split.holdout, subject.space
    bounds = bounds_for(thresholds, space, len(held_out))
    if bounds.by_chance > bounds.cells:
        return not_applicable(
            f"{len(held_out)} held-out operations of {space.cells} {cells_name(space)} are too few: "
            f"by chance alone a share of {bounds.by_chance:.4g} may agree, "
            f"expected at most {bounds.cells:.4g}."
        )
    figures = [
        figure
        for path, network in subject.networks.items()
        for figure in shuffled(path, network, tables(held_out), space, bounds)
    ]
    return judged(figures, FROM_INPUTS)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Thresholds of shuffling, which are stated for (3, 2), for a space and a number of operations."""

    exact: float
    cells: float
    gap: float
    by_chance: float
    """The upper end of the 95 % interval of cells that agree by chance in one shuffle."""


def bounds_for(thresholds: Thresholds, space: Space, operations: int) -> Bounds:
    """The thresholds of shuffling so many operations of a space."""
    chance = 1 / space.radix
    # Of what is not chance, the share that it is for radix 3.
    scale = (1 - chance) / (1 - 1 / 3)
    deviation = math.sqrt(chance * (1 - chance) / (operations * space.cells))
    return Bounds(
        exact=thresholds.shuffled_exact * STATED_FOR / operations,
        cells=chance + (thresholds.shuffled_trits - 1 / 3) * scale,
        gap=thresholds.shuffle_gap * scale,
        by_chance=chance + 1.96 * deviation,
    )


def shuffled(path: str, network: Network, inputs: Floats, space: Space, bounds: Bounds) -> Iterator[Figure]:
    """What is left on a path of the reconstruction of operations, tables of shape (n, cells), if others are
    put in."""
    targets, name = inputs.astype(np.int8), cells_name(space)
    honest = float((_given_back(network, inputs, space) == targets).mean())
    shares = [_agreement(network, inputs[order], targets, space) for order in _orders(len(inputs))]
    exact, cells = (np.array(column) for column in zip(*shares, strict=True))
    yield at_most("exact after shuffling", path, float(exact.mean()), bounds.exact, interval=_range(exact))
    yield at_most(
        f"{name} agreeing after shuffling", path, float(cells.mean()), bounds.cells, interval=_range(cells)
    )
    yield at_least(
        f"{name} lost by shuffling",
        path,
        honest - float(cells.mean()),
        bounds.gap,
        interval=_range(honest - cells),
    )


def _exact(name: str, path: str, network: Network, chosen: OperationSet, bound: float) -> Figure:
    right = int((reconstruct(network, tables(chosen)) == chosen.indices).sum())
    return share(name, path, right, len(chosen), bound)


def _orders(count: int) -> Iterator[npt.NDArray[np.int64]]:
    random = np.random.default_rng(0)
    for _ in range(SHUFFLES):
        yield random.permutation(count)


def _agreement(network: Network, inputs: Floats, targets: Tables, space: Space) -> tuple[float, float]:
    same = _given_back(network, inputs, space) == targets
    return float(same.all(axis=1).mean()), float(same.mean())


def _given_back(network: Network, inputs: Floats, space: Space) -> Tables:
    return space.from_index(reconstruct(network, inputs))


def _range(values: npt.NDArray[np.float64]) -> Interval:
    """The middle 95 % over shuffles."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
