"""
The report's sentences that do not depend on the kind of space.
"""

from collections.abc import Sequence
from decimal import Decimal

from ternary_sdk import coverage
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation
from ternary_sdk.space import Space
from ternary_trainer.reporting.reported import Reported
from ternary_trainer.validation.checks import CHECKS

CONTROLS = (
    "Each check is shown to fail where it should, by a control: a model, history or split that was spoilt on "
    "purpose."
)
NOT_ENDED = "The run has not ended, so nothing is compared yet."
BEYOND = (
    "beyond the checks",
    "Whether the operations are useful for a purpose; other hardware than this machine's; an attacker who "
    "changes the program. Interval figures hold for the draws and resamplings made here, one model at a "
    "time.",
)
INTERVALS = (
    "A check passes if the whole 95 % interval of each of its figures is on the right side of its threshold. "
    "A figure without an interval is a count, a record, or what single trainings came to, whose coverage is "
    "from draws of their own; it is held to its threshold as it is."
)


def headline(content: Reported) -> str:
    """Sound or not, in a few words."""
    return "Sound" if content.validation.sound else "Not sound"


def question(check: CheckResult) -> str:
    """What a check asks."""
    return CHECKS[check.name].question


def blind(name: str) -> str:
    """What a check cannot see."""
    return CHECKS[name].blind


def control(name: str) -> str:
    """What makes a check fail, as its tests show."""
    return CHECKS[name].control


def figure_cells(figure: Figure) -> tuple[str, str, str, str]:
    """A figure's row: what, value, interval, bound."""
    name = f"{figure.name}, path {figure.path}" if figure.path else figure.name
    interval = "none" if figure.low == figure.high else f"{short(figure.low)} to {short(figure.high)}"
    bound = "shown only" if figure.relation is Relation.SHOWN else f"{figure.relation} {short(figure.bound)}"
    return name, short(figure.value), interval, bound


def changed(content: Reported) -> str:
    """Which thresholds differ from the standard; empty if none does."""
    told = ", ".join(f"{name} {value}" for name, value in content.validation.changed.items())
    return f"Thresholds that differ from the standard: {told}." if told else ""


def provenance(content: Reported) -> list[tuple[str, str]]:
    """Where the model came from and when this was found."""
    return [*content.provenance.items(), ("made", f"{content.validation.made:%Y-%m-%d %H:%M:%S} UTC")]


def untested(content: Reported) -> list[tuple[str, str]]:
    """What this report cannot say, and why."""
    return [*content.untested, BEYOND]


def chosen(content: Reported) -> str:
    """What the table of choices shows, and which of them is reported on."""
    return f"What each rule of choice would have shipped. This report is of the one by {content.rule}."


def compute(content: Reported) -> list[str]:
    """Time spent, and what stopping early saved."""
    if content.run is None:
        return []
    summary = content.run.summary()
    quantity = "coverage" if content.signature.space.listed else "evenness"
    told = [
        f"{summary.epochs} of {summary.planned} epochs were trained in {summary.seconds:,.0f} seconds "
        f"({summary.status})."
    ]
    told.append(
        f"A plateau ended it: {summary.epochs_saved} epochs, about {summary.seconds_saved:,.0f} seconds, "
        "were saved."
        if summary.epochs_saved
        else "No plateau ended it early, so nothing was saved."
    )
    told += [
        f"A surge of strength {surge.strength:g} in epoch {surge.epoch}, by {surge.origin}: {quantity} "
        f"{percent(surge.before)} before, {percent(surge.during)} during, {percent(surge.after)} after."
        for surge in summary.surges
    ]
    return told


def percent(share: float) -> str:
    """A share in percent with its sign."""
    return f"{coverage.percent(share)}\N{NO-BREAK SPACE}%"


def short(number: str) -> str:
    """A decimal string with at most five significant figures."""
    return f"{Decimal(number):.5g}" if Decimal(number) else "0"


def rows(figures: Sequence[Figure]) -> list[tuple[str, str, str, str]]:
    """A check's table."""
    return [figure_cells(figure) for figure in figures]


def percent_rounded_down(number: int, of: int) -> str:
    """A part of a whole in percent with its sign, two decimals."""
    hundredths = 10_000 * number // of
    return f"{hundredths // 100}.{hundredths % 100:02d}\N{NO-BREAK SPACE}%"


def values(space: Space) -> str:
    """The values of a cell, as a list in words."""
    *most, last = (f"+{value}" if value > 0 > space.lowest else f"{value}" for value in space.values)
    return f"{', '.join(most)} or {last}".replace("-", "\N{MINUS SIGN}")


def failures(content: Reported) -> list[str]:
    """The first page's sentences on checks that failed, and on those that say nothing."""
    told = [
        f"It fails the check {check.name}, which asks: {question(check)} Found: {check.reason}"
        for check in content.validation.checks
        if check.ending is Ending.FAILED
    ]
    absent = content.validation.named(Ending.NOT_APPLICABLE) + content.validation.named(Ending.NOT_RUN)
    if absent:
        told.append(f"Nothing is said by: {', '.join(absent)}; the reasons are under “What was not tested”.")
    return told
