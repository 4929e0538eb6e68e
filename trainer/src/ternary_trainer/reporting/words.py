"""
The report's sentences: what a reader without machine learning needs, and the tables behind them.
"""

from collections.abc import Sequence
from decimal import Decimal

from ternary_sdk import atlas, coverage
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation
from ternary_sdk.coverage import perfect_percent
from ternary_trainer.reporting.content import Content
from ternary_trainer.validation.checks import CHECKS

WORD = (
    "This page is the vendor's own finding. What a buyer can recompute without trusting anybody is the "
    "coverage certificate inside the package: run ternary verify."
)
SPACE = (
    "Every operation is a cell. The darker, the more clearly the model produces it; an operation that it "
    "cannot produce stands out in magenta."
)
SPACE_COLOURS = (
    "Light to dark blue: reachable, margin from 0 to the path's greatest. Magenta: not reachable. "
)
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


def perfect(content: Content) -> str:
    """What perfect draws cover on average, and the standard deviation of one count."""
    return f"{perfect_percent(content.headline, content.signature.space)}\N{NO-BREAK SPACE}%"


def introduction(content: Content) -> str:
    """What an operation, a draw and coverage are."""
    space = content.signature.space
    *most, last = (f"+{value}" if value > 0 > space.lowest else f"{value}" for value in space.values)
    values = f"{', '.join(most)} or {last}".replace("-", "\N{MINUS SIGN}")
    return (
        f"An operation is a table of {space.cells} answers, each {values}, so there are {space.size:,} of "
        "them. This model has learned to produce them: every draw yields one. Coverage is the share of all "
        "operations that a number of draws brings. Even perfect draws repeat themselves, so coverage always "
        "stands beside what perfect draws bring on average. A single count can exceed that average; the "
        "number after ± is the standard deviation of one count."
    )


def picture_size(content: Content) -> tuple[int, int]:
    """Rows and columns of the operation space's picture."""
    return atlas.shape(content.signature.space)


def space_key(content: Content) -> str:
    """Which operations stand in which columns and rows of the picture."""
    cells = content.signature.space.cells
    half = cells - cells // 2
    return f"Columns: cells 0 to {half - 1} of the table, rows: cells {half} to {cells - 1}."


def headline(content: Content) -> str:
    """Sound or not, in a few words."""
    return "Sound" if content.validation.sound else "Not sound"


def first_words(content: Content) -> list[str]:
    """The first page's sentences."""
    told = []
    for path, measured in content.paths.items():
        low, high = map(percent, measured.interval)
        told.append(
            f"Path {path} is expected to cover {percent(measured.quoted)} of the space in "
            f"{content.headline:,} draws (95 % interval {low} to {high}, estimated from "
            f"{content.counted:,} draws). Perfect draws cover {perfect(content)} on average. "
            f"It can produce {measured.reachable:,} of {content.signature.space.size:,} operations."
        )
    told += [
        f"It fails the check {check.name}, which asks: {question(check)} Found: {check.reason}"
        for check in content.validation.checks
        if check.ending is Ending.FAILED
    ]
    absent = content.validation.named(Ending.NOT_APPLICABLE) + content.validation.named(Ending.NOT_RUN)
    if absent:
        told.append(f"Nothing is said by: {', '.join(absent)}; the reasons are under “What was not tested”.")
    return told


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


def changed(content: Content) -> str:
    """Which thresholds differ from the standard; empty if none does."""
    told = ", ".join(f"{name} {value}" for name, value in content.validation.changed.items())
    return f"Thresholds that differ from the standard: {told}." if told else ""


def provenance(content: Content) -> list[tuple[str, str]]:
    """Where the model came from and when this was found."""
    return [*content.provenance.items(), ("made", f"{content.validation.made:%Y-%m-%d %H:%M:%S} UTC")]


def untested(content: Content) -> list[tuple[str, str]]:
    """What this report cannot say, and why."""
    return [*content.untested, BEYOND]


def chosen(content: Content) -> str:
    """What the table of choices shows, and which of them is reported on."""
    return f"What each rule of choice would have shipped. This report is of the one by {content.rule}."


def choices_header(content: Content) -> tuple[str, ...]:
    """The columns of ``choices``."""
    return (
        "rule",
        "epoch",
        *(f"{path} at {content.headline:,}" for path in content.paths),
        "true holdout exact",
    )


def choices(content: Content) -> list[tuple[str, ...]]:
    """What each rule of choice would have shipped."""
    if content.run is None:
        return []
    return [
        (
            rule,
            str(choice.epoch),
            *(percent(path.coverage) for path in choice.counted.values()),
            percent(min(path.holdout_exact for path in choice.paths.values())),
        )
        for rule, choice in content.run.summary().choices.items()
    ]


def compute(content: Content) -> list[str]:
    """Time spent, and what stopping early saved."""
    if content.run is None:
        return []
    summary = content.run.summary()
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
        f"A surge of strength {surge.strength:g} in epoch {surge.epoch}, by {surge.origin}: coverage "
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
