"""
The sentences of a report on a model of a vast space: bounds in plain words, and whose word each figure is.

Every bound stands with its number of draws or operations, and beside what perfect draws show.
"""

from typing import Final

from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.statistics import ALPHA
from ternary_sdk.space import Space
from ternary_trainer.reporting.shared_words import percent, percent_rounded_down, values
from ternary_trainer.reporting.vast_content import VastContent, VastPathContent

HERE: Final = "computed for this report"
CLAIMED: Final = "stated by the signed certificate"
REACHABLE: Final = "Reachable share"
EFFECTIVE: Final = "Effective number"
WORD: Final = (
    "This page is the vendor's own finding. What a buyer can recompute without trusting anybody: run ternary "
    "verify FILE --recount 1e8, which draws with a seed of the buyer's own."
)
CELLS: Final = (
    "A picture of all operations, a cell for each, cannot be drawn of so many. In its place stand the cells "
    "of the table: how often draws have each value in each cell, and how much each pair of cells has in "
    "common. Perfect draws have every value equally often, and no pair of cells has anything in common."
)
REACHABLE_MEANS: Final = (
    "Operations are chosen uniformly, encoded, and decoded again. One that comes back clearly has a witness: "
    "an input with which the model produces it. Because the operations are chosen by lot, the share of those "
    "that fail bounds the share of all operations without a witness."
)
EFFECTIVE_MEANS: Final = (
    "Draws that favour some operations repeat themselves sooner than even draws do. The effective number "
    "turns repeats into one figure: the draws are at least as varied as throws of a fair die with so many "
    "faces. It supposes nothing about how the model draws. It is of the clear draws only: near "
    "ties are left out. More draws show more, also of a perfect model, so what as many perfect draws show "
    "stands beside it."
)


def introduction(content: VastContent) -> str:
    """What an operation and a bound are."""
    space = content.signature.space
    return (
        f"An operation is a table of {space.cells} answers, each {values(space)}, so there are "
        f"{space.size:,} of them, too many to list or to count. So this page states bounds in place of "
        "counts: figures that the truth is at least as good as. Each of the bounds below is wrong with a "
        f"probability of at most {ALPHA}, one in a million, whatever the model is."
    )


def tiles(content: VastContent) -> list[tuple[str, str]]:
    """The first page's figures, each with what it is."""
    told = []
    for path, measured in content.paths.items():
        share = content.share(path)
        if share is not None:
            what = f"or more of all operations have a witness on path {path}; {HERE}"
            told.append((_percent(share[:8]), what))
        told += _varied(path, measured.counts, HERE)
        if measured.claim is not None:
            told += _varied(path, measured.claim.evenness, CLAIMED)
    return told


def _varied(path: str, counts: Evenness, whose: str) -> list[tuple[str, str]]:
    what = (
        f"or more of the space is the effective number of path {path}, of its clear draws, by "
        f"{counts.draws:,} draws; at most {_percent(counts.near_tie_share_at_most)} are left out; {whose}"
    )
    return [
        (_of_space(counts.effective_number, counts.space), what),
        (_of_space(counts.perfect_effective_number, counts.space), "is what as many perfect draws show"),
    ]


def reachable(content: VastContent) -> list[str]:
    """What was found of each path's reachable share."""
    return [sentence for path in content.paths for sentence in _reachable(path, content)]


def _reachable(path: str, content: VastContent) -> list[str]:
    measured, share = content.paths[path], content.share(path)
    if share is None or measured.witnessed is None:
        drawn = measured.counts.effective_number
        return [
            f"Path {path} has no encoder: at least {drawn:,} operations can be drawn, and nothing gives an "
            "input for a wanted one."
        ]
    failed = content.tried - measured.witnessed
    told = [
        f"Path {path}, {HERE}: {content.tried:,} operations were tried and {failed:,} failed. So "
        f"{_percent(share)} or more of all operations have a witness."
    ]
    if measured.claim is not None and measured.claim.reachable is not None:
        stated = measured.claim.reachable
        told.append(
            f"Path {path}, {CLAIMED}: {stated.operations:,} were tried and {stated.failures:,} failed, so "
            f"{_percent(stated.share)} or more."
        )
    return told


def effective(content: VastContent) -> list[str]:
    """What was found of each path's effective number."""
    told = []
    for path, measured in content.paths.items():
        told.append(_drawn(f"Path {path}, {HERE}", measured.counts))
        if measured.claim is not None:
            told.append(_drawn(f"Path {path}, {CLAIMED}", measured.claim.evenness))
    if any(measured.claim for measured in content.paths.values()):
        told.append(
            "A signature and the digests of blocks prove that draws are the model's. They do not prove "
            "counts: those are the vendor's word until all draws are replayed or counted again."
        )
    return told


def _drawn(whose: str, counts: Evenness) -> str:
    space = counts.space
    return (
        f"{whose}: {counts.clear:,} draws gave {counts.distinct:,} different operations and "
        f"{counts.clear - counts.distinct:,} repeats ({counts.near_ties:,} near ties are left out). So the "
        f"effective number is {counts.effective_number:,} or more, "
        f"{_of_space(counts.effective_number, space)} of the space, of its clear draws; at most "
        f"{_percent(counts.near_tie_share_at_most)} are left out. As many perfect draws give "
        f"{counts.perfect_distinct:,} different operations on average and show "
        f"{counts.perfect_effective_number:,} or more, {_of_space(counts.perfect_effective_number, space)}."
    )


def even(measured: VastPathContent) -> str:
    """How even a path's cells, pairs and triples are, in one sentence."""
    value, (low, high) = measured.drawn.evenness
    return (
        f"Evenness of cells, pairs and triples: {value:.4f} (95 % interval {low:.4f} to {high:.4f}); perfect "
        "draws have 1."
    )


def choices(content: VastContent) -> list[tuple[str, ...]]:
    """What each rule of choice would have shipped."""
    if content.run is None:
        return []
    return [
        (
            rule,
            str(choice.epoch),
            *(f"{path.evenness:.4f}" for path in choice.sampled.values()),
            percent(min(path.holdout_exact for path in choice.sampled.values())),
        )
        for rule, choice in content.run.summary().choices.items()
    ]


def choices_header(content: VastContent) -> tuple[str, ...]:
    """The columns of ``choices``."""
    return ("rule", "epoch", *(f"evenness of {path}" for path in content.paths), "true holdout exact")


def _percent(share: str) -> str:
    """A share of some decimals in percent, with all of them."""
    whole, decimals = share.split(".")
    return f"{int(whole + decimals[:2])}.{decimals[2:]}\N{NO-BREAK SPACE}%"


def _of_space(number: int, space: Space) -> str:
    return percent_rounded_down(number, space.size)
