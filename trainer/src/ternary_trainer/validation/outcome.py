"""
What a check says: figures with their intervals and bounds, and one of four endings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ternary_sdk._internal.packages.validation import Ending, Figure, Relation, decimal
from ternary_trainer.validation.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check found."""

    ending: Ending
    reason: str
    """One sentence."""
    figures: tuple[Figure, ...] = ()


def at_least(name: str, path: str, value: float, bound: float, *, interval: Interval | None = None) -> Figure:
    """A figure that must reach a bound."""
    return _figure(name, path, value, interval, Relation.AT_LEAST, bound)


def at_most(name: str, path: str, value: float, bound: float, *, interval: Interval | None = None) -> Figure:
    """A figure that must not exceed a bound."""
    return _figure(name, path, value, interval, Relation.AT_MOST, bound)


def shown(name: str, path: str, value: float, *, interval: Interval | None = None) -> Figure:
    """A figure that helps a reader and decides nothing."""
    return _figure(name, path, value, interval, Relation.SHOWN, 0.0)


def _figure(
    name: str, path: str, value: float, interval: Interval | None, relation: Relation, bound: float
) -> Figure:
    # In the decimals that a verdict writes: whoever reads it decides the same.
    low, high = interval or (value, value)
    return Figure(
        name=name,
        path=path,
        value=decimal(float(value)),
        low=decimal(float(low)),
        high=decimal(float(high)),
        relation=relation,
        bound=decimal(float(bound)),
    )


def judged(figures: Sequence[Figure], good: str) -> Outcome:
    """Passed with the sentence `good` if every figure passed, else failed, naming those that did not."""
    wrong = [figure for figure in figures if not figure.passed]
    if not wrong:
        return Outcome(ending=Ending.PASSED, reason=good, figures=tuple(figures))
    return Outcome(
        ending=Ending.FAILED, reason="; ".join(map(_complaint, wrong)) + ".", figures=tuple(figures)
    )


def not_applicable(reason: str) -> Outcome:
    """What the check asks about does not exist here, and why."""
    return Outcome(ending=Ending.NOT_APPLICABLE, reason=reason)


def not_run(reason: str) -> Outcome:
    """The check would apply, but what it needs was not made, and how to make it."""
    return Outcome(ending=Ending.NOT_RUN, reason=reason)


def _complaint(figure: Figure) -> str:
    where = f" on path {figure.path}" if figure.path else ""
    end = figure.low if figure.relation is Relation.AT_LEAST else figure.high
    sure = "" if figure.low == figure.high else f" (95 % interval ends at {float(end):.4g})"
    return (
        f"{figure.name}{where} is {float(figure.value):.4g}{sure}, "
        f"expected {figure.relation} {float(figure.bound):g}"
    )
