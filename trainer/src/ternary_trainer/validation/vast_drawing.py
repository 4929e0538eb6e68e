"""
Check `hash-coverage` of a vast space: how even are prior draws, and has every operation a witness?
"""

from typing import Final

from ternary_sdk._internal.certificates.statistics import ALPHA
from ternary_sdk._internal.packages.validation import Figure
from ternary_trainer.validation import intervals
from ternary_trainer.validation.outcome import Outcome, at_least, at_most, judged, share, shown
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_draws import Drawn, expected_pairs
from ternary_trainer.validation.vast_subject import VastSubject

LEAST_PAIRS: Final = 100
"""Pairs of equal draws that perfect draws must give on average for their number to decide anything."""


def hash_coverage(subject: VastSubject, thresholds: Thresholds) -> Outcome:
    """Evenness of draws by their digits and by their repeats, and the share of operations with a witness."""
    figures: list[Figure] = []
    for path in subject.paths:
        figures += _of_draws(subject.drawn[path], path, thresholds)
        if path in subject.witnessed:
            total = len(subject.sampled)
            name, right = f"operations with a witness, of {total:,} uniform ones", subject.witnessed[path]
            figures.append(share(name, path, right, total, thresholds.witnesses, of=intervals.exact))
    return judged(
        figures,
        f"Draws are even, as far as {subject.effort.draws:,} of them show, and uniform operations decode "
        "from their own posterior mean.",
    )


def _of_draws(drawn: Drawn, path: str, thresholds: Thresholds) -> list[Figure]:
    counts, expected = drawn.counts, expected_pairs(drawn.counts.clear, drawn.space)
    even, around = drawn.evenness
    name = f"equal pairs, times those of perfect draws ({counts.pairs:,}; perfect {expected:,.4g})"
    times, between = drawn.equal_pairs
    size = drawn.space.size
    return [
        at_least("evenness of cells, pairs and triples", path, even, thresholds.evenness, interval=around),
        at_most(name, path, times, thresholds.equal_pairs, interval=between)
        if expected >= LEAST_PAIRS
        else shown(name, path, times),
        shown(
            f"effective number by {counts.draws:,} draws, least share of the space, error {ALPHA}",
            path,
            counts.effective_number / size,
        ),
        shown("the same by as many perfect draws", path, counts.perfect_effective_number / size),
        shown("near ties, share of draws", path, counts.near_ties / counts.draws),
        at_most("clear draws that decode otherwise in another order", path, drawn.changed, 0),
    ]
