"""
What a check says: figures with their intervals and bounds, and one of four endings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ternary_sdk._internal.packages.validation import decimal
from ternary_trainer.validation.intervals import Interval

Relation = Literal["at least", "at most", "shown"]


class Status(StrEnum):
    """How a check ended; the last two count neither for the model nor against it."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    """What it asks about does not exist here."""
    NOT_RUN = "not run"
    """It would apply, but the trainings it needs were not made."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a check, in the six decimals that a verdict writes: whoever reads it decides the same."""

    name: str
    """What was measured, in a few words."""
    path: str
    """`A`, `B`, or empty where a figure is of both."""
    value: float
    low: float
    """Lower end of the 95 % interval; `value` where there is none: of a count, a record, one training."""
    high: float
    """Upper end."""
    relation: Relation
    """Which side of the bound is right; `shown` figures decide nothing."""
    bound: float
    """The threshold; 0 for figures that are only shown."""

    @property
    def passed(self) -> bool:
        """Whether the whole interval is on the right side of the bound."""
        if self.relation == "shown":
            return True
        return self.low >= self.bound if self.relation == "at least" else self.high <= self.bound


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check found."""

    status: Status
    reason: str
    """One sentence."""
    measures: tuple[Measure, ...] = ()


def at_least(
    name: str, path: str, value: float, bound: float, *, interval: Interval | None = None
) -> Measure:
    """A figure that must reach a bound."""
    return _measure(name, path, value, interval, "at least", bound)


def at_most(name: str, path: str, value: float, bound: float, *, interval: Interval | None = None) -> Measure:
    """A figure that must not exceed a bound."""
    return _measure(name, path, value, interval, "at most", bound)


def shown(name: str, path: str, value: float, *, interval: Interval | None = None) -> Measure:
    """A figure that helps a reader and decides nothing."""
    return _measure(name, path, value, interval, "shown", 0.0)


def _measure(
    name: str, path: str, value: float, interval: Interval | None, relation: Relation, bound: float
) -> Measure:
    low, high = interval or (value, value)
    return Measure(
        name=name,
        path=path,
        value=_written(value),
        low=_written(low),
        high=_written(high),
        relation=relation,
        bound=_written(bound),
    )


def _written(number: float) -> float:
    return float(decimal(float(number)))


def judged(measures: Sequence[Measure], good: str) -> Outcome:
    """Passed with the sentence `good` if every measure passed, else failed, naming those that did not."""
    wrong = [measure for measure in measures if not measure.passed]
    if not wrong:
        return Outcome(status=Status.PASSED, reason=good, measures=tuple(measures))
    return Outcome(
        status=Status.FAILED, reason="; ".join(map(_complaint, wrong)) + ".", measures=tuple(measures)
    )


def not_applicable(reason: str) -> Outcome:
    """What the check asks about does not exist here, and why."""
    return Outcome(status=Status.NOT_APPLICABLE, reason=reason)


def not_run(reason: str) -> Outcome:
    """The check would apply, but what it needs was not made, and how to make it."""
    return Outcome(status=Status.NOT_RUN, reason=reason)


def _complaint(measure: Measure) -> str:
    where = f" on path {measure.path}" if measure.path else ""
    end = measure.low if measure.relation == "at least" else measure.high
    sure = "" if measure.low == measure.high else f" (95 % interval ends at {end:.4g})"
    return (
        f"{measure.name}{where} is {measure.value:.4g}{sure}, expected {measure.relation} {measure.bound:g}"
    )
