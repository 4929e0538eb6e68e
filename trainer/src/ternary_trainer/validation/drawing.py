"""
Check `hash-coverage`: how much of the space do prior draws reach, beside what perfect draws would?
"""

from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure
from ternary_sdk.coverage import expected_coverage, iid_limit
from ternary_sdk.operations import OPERATIONS, to_index
from ternary_trainer.validation.intervals import Interval, jackknife
from ternary_trainer.validation.outcome import Outcome, at_least, judged, shown
from ternary_trainer.validation.subject import Network, Subject, decode
from ternary_trainer.validation.thresholds import Thresholds

QUOTED: Final = 50_000
SAMPLING: Final = 195_000
BATCHES: Final = 16
BATCH: Final = 16_384
COUNTED: Final = BATCHES * BATCH
"""Draws from which expected coverage is estimated."""


Counts = npt.NDArray[np.int64]
"""How often each operation was drawn, in each of 16 batches of 16,384, shape (16, 19683)."""


def hash_coverage(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Expected share of the space at 50,000 and 195,000 draws, and the share that its certificate states as
    reachable."""
    figures: list[Figure] = []
    for path, network in subject.paths.items():
        counts = draw(subject, network)
        for draws, bound in ((QUOTED, thresholds.hash_coverage), (SAMPLING, thresholds.sampling_coverage)):
            interval = expected_interval(counts, draws)
            name = f"hash coverage at {draws:,} draws"
            figures.append(at_least(name, path, expected(counts, draws), bound, interval=interval))
        share = np.count_nonzero(subject.margins[path]) / OPERATIONS
        figures.append(at_least("reachable share", path, share, thresholds.reachable))
    figures.append(shown(f"perfect draws on average, {QUOTED:,} draws", "", iid_limit(QUOTED)))
    return judged(figures, "Both paths draw most of the space and can emit all that is asked for.")


def draw(subject: Subject, network: Network) -> Counts:
    """Decode 262,144 prior latents."""
    counts = np.zeros((BATCHES, OPERATIONS), dtype=np.int64)
    for batch in range(BATCHES):
        index = to_index(decode(network, subject.prior(batch * BATCH, BATCH)))
        counts[batch] = np.bincount(index, minlength=OPERATIONS)
    return counts


def expected(counts: Counts, draws: int) -> float:
    """Expected share of the space at that many draws, by rarefaction."""
    return expected_coverage(counts.sum(axis=0), draws)


def expected_interval(counts: Counts, draws: int) -> Interval:
    """The 95 % interval of ``expected``, by the jackknife over batches."""
    return jackknife(counts, partial(expected_coverage, draws=draws))
