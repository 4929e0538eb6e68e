"""
Checks `annealing`, `phase-sync` and `early-plateau`: what the history of a training says.

A history is a record, not a sample, so most figures here are exact and have no interval.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_trainer.validation.outcome import (
    Outcome,
    at_least,
    at_most,
    judged,
    not_applicable,
    shown,
)
from ternary_trainer.validation.subject import Validated
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.traces import EVENNESS, Series, Traces

Mask = npt.NDArray[np.bool_]

LAST: Final = 20
"""Epochs over which a path must have settled."""
WINDOWS: Final = (1, 2, 3, 5)
"""Over how many epochs a rise is measured; the least lead of these decides."""
LEAST_GAIN: Final = 1e-4
"""What counts as a better score."""


def annealing(subject: Validated, thresholds: Thresholds) -> Outcome:
    """The largest rise of beta from one epoch to the next outside declared disruptions."""
    traces = subject.traces
    if traces is None:
        return not_applicable(_no_history(subject))
    if not traces.beta:
        return not_applicable("The file's history does not record beta.")
    rises = {path: np.diff(beta) for path, beta in traces.beta.items()}
    planned = _declared(traces)
    if all((rise[~planned] <= 0).all() for rise in rises.values()):
        return not_applicable(
            "Beta never rises but in surges: its warm-up, if any, ends within the first epoch."
        )
    figures: list[Figure] = []
    for path, rise in rises.items():
        figures += [
            at_most(
                "largest rise of beta", path, _largest(np.where(planned, 0.0, rise)), thresholds.beta_step
            ),
            shown("largest declared rise", path, _largest(np.where(planned, rise, 0.0))),
        ]
    return judged(figures, "The weight of the KL rises in steps small enough for the posterior to follow.")


def phase_sync(subject: Validated, thresholds: Thresholds) -> Outcome:
    """Whether the entropy of A surges before that of B, and whether both settle."""
    traces = subject.traces
    if traces is None:
        return not_applicable(_no_history(subject))
    if len(traces.coverage) == 1:
        return not_applicable("The model has one path: there is no other to be in step with.")
    if not traces.coupled:
        return not_applicable("The paths were trained apart: there are no phases to be in step.")
    if len(traces) < 2 * LAST:
        return not_applicable(f"{len(traces)} epochs are recorded, phases need at least {2 * LAST}.")
    leads = [
        float(_surge(traces.entropy["B"], window) - _surge(traces.entropy["A"], window)) for window in WINDOWS
    ]
    windows = f"{', '.join(map(str, WINDOWS[:-1]))} or {WINDOWS[-1]} epochs"
    figures = [
        at_least(
            f"epochs by which A leads B, least for rises over {windows}",
            "",
            min(leads),
            thresholds.phase_lead,
        ),
        shown(f"epochs by which A leads B, most for rises over {windows}", "", max(leads)),
        *(
            at_most(
                f"entropy's deviation over {LAST} epochs",
                path,
                float(series[-LAST:].std()),
                thresholds.settled,
            )
            for path, series in traces.entropy.items()
        ),
    ]
    return judged(figures, "Path A surges first, B follows, and both settle.")


def early_plateau(subject: Validated, thresholds: Thresholds) -> Outcome:
    """The largest undeclared fall of the weaker path's coverage, and the longest stretch without progress.

    A fall before anything evened the draws is shown and not judged: what is learned then is to rebuild.
    """
    traces = subject.traces
    if traces is None:
        return not_applicable(_no_history(subject))
    if len(traces) < 3:
        return not_applicable(f"{len(traces)} epochs are recorded, a plateau needs at least 3.")
    planned = _declared(traces)
    if planned.all():
        return not_applicable("Every epoch is in a declared surge or follows one: any fall would be excused.")
    early = ~planned & _at(traces.unevened, traces)
    if (planned | early).all():
        return not_applicable("No epoch is recorded that evened the draws: any fall would be excused.")
    fall = -np.diff(traces.weaker)
    stalled = longest_stall(traces.weaker)
    figures = [
        at_most(
            f"largest fall of {traces.quantity}",
            "",
            _largest(np.where(planned | early, 0.0, fall)),
            thresholds.evenness_drop if traces.quantity == EVENNESS else thresholds.coverage_drop,
        ),
        shown("largest declared fall", "", _largest(np.where(planned, fall, 0.0))),
        shown("largest fall before draws were evened", "", _largest(np.where(early, fall, 0.0))),
        at_most(
            "longest stretch without progress, share of epochs", "", stalled / len(traces), thresholds.stall
        ),
        shown("longest stretch without progress, epochs", "", stalled),
        shown("farthest below the best so far", "", _largest(best_so_far(traces.weaker) - traces.weaker)),
    ]
    good = "grows without unexplained jumps and without standing still for long."
    return judged(figures, f"{traces.quantity.capitalize()} {good}")


def best_so_far(series: Series) -> Series:
    """The best score up to and including each epoch."""
    best: Series = np.maximum.accumulate(series)
    return best


def longest_stall(series: Series) -> int:
    """The most epochs in a row that brought no score better than the best before."""
    best, since, longest = -np.inf, 0, 0
    for value in series:
        since = 0 if value > best + LEAST_GAIN else since + 1
        best, longest = max(best, float(value)), max(longest, since)
    return longest


def _surge(series: Series, window: int) -> int:
    """The epoch at whose end the steepest rise over `window` epochs is complete."""
    return int(np.argmax(series[window:] - series[:-window])) + window


def _declared(traces: Traces) -> Mask:
    return _at(traces.declared, traces)


def _at(positions: frozenset[int], traces: Traces) -> Mask:
    """Which steps from one epoch to the next end at one of the positions."""
    return np.array([position in positions for position in range(1, len(traces))])


def _largest(values: Series) -> float:
    return max(0.0, float(values.max(initial=0.0)))


def _no_history(subject: Validated) -> str:
    return f"A {subject.kind} without its run carries no history of its training."
