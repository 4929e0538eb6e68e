"""
Checks `hold-out`, `true-holdout` and `holdout-shuffle`: does a path give back operations it never saw, and
is the way we measure that sound?
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.operations import OperationSet
from ternary_trainer.validation import intervals
from ternary_trainer.validation.intervals import Interval
from ternary_trainer.validation.outcome import Outcome, at_least, at_most, judged, shown
from ternary_trainer.validation.subject import (
    TRUE_HOLDOUT_SHA256,
    Network,
    Subject,
    reconstruct,
    tables,
)
from ternary_trainer.validation.thresholds import Thresholds

SHUFFLES: Final = 50


def hold_out(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of the operations trained on, and of those the snapshot was chosen by."""
    figures = [
        figure
        for path, network in subject.paths.items()
        for name, chosen in (
            ("training operations exact", subject.split.training),
            ("validation operations exact", subject.split.validation),
        )
        for figure in (_exact(name, path, network, chosen, thresholds.reconstruction),)
    ]
    return judged(figures, "Operations decode from their posterior mean to themselves.")


def true_holdout(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Exact reconstruction of the published true holdout, and that nothing else looked at it."""
    split = subject.split
    used = OperationSet(split.training.mask | split.validation.mask)
    leaked = int((used.mask & split.holdout.mask).sum())
    right = float(split.holdout.digest == TRUE_HOLDOUT_SHA256)
    figures = [
        at_most("held-out operations also used in training", "", leaked, 0),
        at_least("set is the published one (1) or not (0)", "", right, 1),
        *(
            _exact("true holdout exact", path, network, split.holdout, thresholds.reconstruction)
            for path, network in subject.paths.items()
        ),
    ]
    good = "Operations that neither training nor selection saw decode to themselves."
    return judged(figures, good + subject.caveat)


def holdout_shuffle(subject: Subject, thresholds: Thresholds) -> Outcome:
    """What is left of reconstruction when inputs are shuffled and targets are not: chance, if sound."""
    targets = tables(subject.split.holdout)
    figures: list[Figure] = []
    for path, network in subject.paths.items():
        honest = float((reconstruct(network, targets) == targets).mean())
        shuffled = [_agreement(network, targets, order) for order in _orders(len(targets))]
        exact, trits = (np.array(column) for column in zip(*shuffled, strict=True))
        figures += [
            at_most(
                "exact after shuffling",
                path,
                float(exact.mean()),
                thresholds.shuffled_exact,
                interval=_range(exact),
            ),
            at_most(
                "trits agreeing after shuffling",
                path,
                float(trits.mean()),
                thresholds.shuffled_trits,
                interval=_range(trits),
            ),
            at_least(
                "trits lost by shuffling",
                path,
                honest - float(trits.mean()),
                thresholds.shuffle_gap,
                interval=_range(honest - trits),
            ),
        ]
    return judged(
        figures, "With shuffled inputs agreement falls to chance, so the answers come from the inputs."
    )


def _exact(name: str, path: str, network: Network, chosen: OperationSet, bound: float) -> Figure:
    inputs = tables(chosen)
    right = int((reconstruct(network, inputs) == inputs).all(axis=1).sum())
    total = len(inputs)
    if total == 0:
        return shown(name + " (none)", path, 0)
    return at_least(name, path, right / total, bound, interval=intervals.share(right, total))


def _orders(count: int) -> Iterator[npt.NDArray[np.int64]]:
    random = np.random.default_rng(0)
    for _ in range(SHUFFLES):
        yield random.permutation(count)


def _agreement(
    network: Network, targets: npt.NDArray[np.float32], order: npt.NDArray[np.int64]
) -> tuple[float, float]:
    same = reconstruct(network, targets[order]) == targets
    return float(same.all(axis=1).mean()), float(same.mean())


def _range(values: npt.NDArray[np.float64]) -> Interval:
    """The middle 95 % over shuffles."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
