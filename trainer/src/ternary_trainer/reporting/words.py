"""
The report's sentences on a model of a listed space: what a reader without machine learning needs.
"""

from ternary_sdk import atlas
from ternary_sdk.coverage import perfect_percent
from ternary_trainer.reporting.content import Content
from ternary_trainer.reporting.shared_words import failures, percent, values

WORD = (
    "This page is the vendor's own finding. What a buyer can recompute without trusting anybody is the "
    "coverage certificate inside the package: run ternary verify."
)
SPACE = (
    "Every operation is a cell. The darker, the more clearly the model produces it; an operation that it "
    "cannot produce is dark red."
)
SPACE_COLOURS = (
    "Light to dark blue: reachable, by rank of the margin, from the path's least to its greatest. "
    "Dark red: not reachable. "
)


def perfect(content: Content) -> str:
    """What perfect draws cover on average, and the standard deviation of one count."""
    return f"{perfect_percent(content.headline, content.signature.space)}\N{NO-BREAK SPACE}%"


def introduction(content: Content) -> str:
    """What an operation, a draw and coverage are."""
    space = content.signature.space
    return (
        f"An operation is a table of {space.cells} answers, each {values(space)}, so there are "
        f"{space.size:,} of them. This model has learned to produce them: every draw yields one. Coverage is "
        "the share of all operations that a number of draws brings. Even perfect draws repeat themselves, so "
        "coverage always stands beside what perfect draws bring on average. A single count can exceed that "
        "average; the number after ± is the standard deviation of one count."
    )


def picture_size(content: Content) -> tuple[int, int]:
    """Rows and columns of the operation space's picture."""
    return atlas.shape(content.signature.space)


def space_key(content: Content) -> str:
    """Which operations stand in which columns and rows of the picture."""
    cells = content.signature.space.cells
    half = cells - cells // 2
    return f"Columns: cells 0 to {half - 1} of the table, rows: cells {half} to {cells - 1}."


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
    return told + failures(content)


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
