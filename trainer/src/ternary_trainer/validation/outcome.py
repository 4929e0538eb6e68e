"""
What a check says: figures with their intervals and bounds, and one of four endings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ternary_sdk._internal.packages.validation import Ending, Figure, Relation, decimal
from ternary_trainer.validation import intervals
from ternary_trainer.validation.intervals import Interval

Method = Callable[[int, int], Interval]
"""From how many of how many trials are right to the 95 % interval of the share."""

_MOST_COMPLAINTS: Final = 20
"""Figures that a reason names; a document's text may have 4,096 characters."""


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


def share(
    name: str,
    path: str,
    right: int,
    total: int,
    bound: float,
    *,
    value: float | None = None,
    of: Method = intervals.share,
) -> Figure:
    """The share of operations that are right, with its interval, and a bound that it must reach.

    Where there are too few operations to reach the bound, it is shown only, unless it is surely below.

    Args:
        name: What is measured.
        path: Of which path.
        right: How many of the operations are right.
        total: How many there are.
        bound: The least share.
        value: The share itself, where it is known more exactly than by `right`.
        of: What gives the interval.
    """
    if total == 0:
        return shown(f"{name} (none)", path, 0)
    value, interval = right / total if value is None else value, of(right, total)
    if _most_certain(total, of) < bound <= interval[1]:
        return shown(name, path, value, interval=interval)
    return at_least(name, path, value, bound, interval=interval)


def too_few(total: int, what: str, bound: float, *, of: Method = intervals.share) -> str:
    """Why a share of so many operations cannot reach a bound, as a sentence; empty if it can."""
    if total == 0:
        return f"There are no {what}."
    low = _most_certain(total, of)
    if low >= bound:
        return ""
    return (
        f"{total:,} {what} are too few to decide at {bound:g}: "
        f"if all of them were right, the 95 % interval would begin at {low:.5g}."
    )


def _most_certain(total: int, of: Method) -> float:
    """The lower end of the interval if all are right, in the decimals that a verdict writes."""
    return float(decimal(of(total, total)[0]))


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
    told = [_complaint(figure) for figure in wrong[:_MOST_COMPLAINTS]]
    if len(wrong) > len(told):
        told.append(f"and {len(wrong) - len(told)} more")
    return Outcome(ending=Ending.FAILED, reason="; ".join(told) + ".", figures=tuple(figures))


def decided(figures: Sequence[Figure], good: str, *, few: str, shares: Sequence[Figure]) -> Outcome:
    """``judged`` where there are enough operations; else nothing can be said for a model, only against it.

    Args:
        figures: All of them.
        good: The sentence of a check that passed.
        few: Why the operations are too few, as a sentence; empty if they are not.
        shares: The figures that would decide, of which the least is named.
    """
    outcome = judged(figures, good)
    if outcome.ending is Ending.FAILED or not few:
        return outcome
    if not shares:
        return not_applicable(few)
    least = min(shares, key=lambda figure: Decimal(figure.value))
    return not_applicable(
        f"{few} The least share found is {float(least.value):.4g}: {least.name}, path {least.path}."
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
