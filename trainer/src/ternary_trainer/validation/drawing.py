"""
Check `hash-coverage`: how much of the space do prior draws reach, beside what perfect draws would?
"""

from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.coverage import expected_coverage, headline_draws, iid_limit, quoted_draws
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.validation.intervals import Interval, jackknife
from ternary_trainer.validation.outcome import Outcome, at_least, judged, shown
from ternary_trainer.validation.subject import Decoder, Subject
from ternary_trainer.validation.thresholds import Thresholds

BATCHES: Final = 16
_BATCH: Final = 16_384
"""Draws in a batch, of (3, 2) and of smaller spaces; also how many are decoded at a time."""
_STEP: Final = 1_024

Counts = npt.NDArray[np.int64]
"""How often each operation was drawn, in each of 16 batches, shape (16, size)."""


def counted(space: Space) -> int:
    """How many draws expected coverage is estimated from: 262,144 for (3, 2) and for smaller spaces.

    For larger ones about as many for each operation, 13.3: the highest quoted number of draws, 9.91, must be
    less than what is left without one batch.
    """
    return BATCHES * _batch(space)


def _batch(space: Space) -> int:
    return max(_BATCH, -(-space.size * _BATCH // (TERNARY_2.size * _STEP)) * _STEP)


def hash_coverage(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Expected share of the space at the higher two quoted numbers of draws (50,000 and 195,000 for (3, 2)),
    and the share that its certificate states as reachable."""
    figures: list[Figure] = []
    space, headline = subject.space, headline_draws(subject.space)
    _, fewer, more = quoted_draws(space)
    bounds = ((fewer, thresholds.hash_coverage), (more, thresholds.sampling_coverage))
    for path, network in subject.paths.items():
        counts = draw(subject, network)
        for draws, bound in bounds:
            interval = expected_interval(counts, draws)
            name = f"hash coverage at {draws:,} draws"
            figures.append(at_least(name, path, expected(counts, draws), bound, interval=interval))
        share = np.count_nonzero(subject.margins[path]) / space.size
        figures.append(at_least("reachable share", path, share, thresholds.reachable))
    figures.append(shown(f"perfect draws on average, {headline:,} draws", "", iid_limit(headline, space)))
    whose = {1: "The path draws", 2: "Both paths draw"}.get(len(subject.paths), "All paths draw")
    return judged(figures, f"{whose} most of the space and can emit all that is asked for.")


def draw(subject: Subject, decoder: Decoder) -> Counts:
    """Decode as many prior latents as ``counted`` says."""
    space, rows = subject.space, _batch(subject.space)
    counts = np.zeros((BATCHES, space.size), dtype=np.int64)
    for batch in range(BATCHES):
        for start in range(0, rows, _BATCH):
            latents = subject.prior(batch * rows + start, min(_BATCH, rows - start))
            counts[batch] += np.bincount(decoder.index(latents), minlength=space.size)
    return counts


def expected(counts: Counts, draws: int) -> float:
    """Expected share of the space at that many draws, by rarefaction."""
    return expected_coverage(counts.sum(axis=0), draws)


def expected_interval(counts: Counts, draws: int) -> Interval:
    """The 95 % interval of ``expected``, by the jackknife over batches."""
    return jackknife(counts, partial(expected_coverage, draws=draws))
