"""
Check `hash-coverage`: how much of the space do prior draws reach, beside what perfect draws would?
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.coverage import expected_coverage, iid_limit
from ternary_sdk.operations import OPERATIONS, TABLES, to_index
from ternary_sdk.packages.path_coverage import MARGIN
from ternary_trainer.validation.intervals import jackknife
from ternary_trainer.validation.outcome import Measure, Outcome, at_least, judged, shown
from ternary_trainer.validation.subject import Floats, Network, Subject
from ternary_trainer.validation.thresholds import Thresholds

QUOTED: Final = 50_000
SAMPLING: Final = 195_000
BATCHES: Final = 16
BATCH: Final = 16_384


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What a path's prior draws and posterior means decode to."""

    counts: npt.NDArray[np.int64]
    """How often each operation was drawn, in each of 16 batches of 16,384, shape (16, 19683)."""
    margin: npt.NDArray[np.float32]
    """The largest margin with which a draw or its own posterior mean decodes to each operation, shape
    (19683,); 0 where none does with at least 0.001, as in a certificate."""

    @property
    def reachable(self) -> int:
        """Operations that some latent decodes to with a margin of at least 0.001."""
        return int(np.count_nonzero(self.margin))

    def expected(self, draws: int) -> float:
        """Expected share of the space at that many draws, by rarefaction."""
        return expected_coverage(self.counts.sum(axis=0), draws)


def hash_coverage(subject: Subject, thresholds: Thresholds) -> Outcome:
    """Expected share of the space at 50,000 and 195,000 draws, and the share that is reachable at all."""
    measures: list[Measure] = []
    for path, network in subject.paths.items():
        drawn = draw(subject, network)
        for draws, bound in ((QUOTED, thresholds.hash_coverage), (SAMPLING, thresholds.sampling_coverage)):
            interval = jackknife(drawn.counts, partial(expected_coverage, draws=draws))
            name = f"hash coverage at {draws:,} draws"
            measures.append(at_least(name, path, drawn.expected(draws), bound, interval=interval))
        share = drawn.reachable / OPERATIONS
        measures.append(at_least("reachable share", path, share, thresholds.reachable))
    measures.append(shown(f"limit at {QUOTED:,} draws", "", iid_limit(QUOTED)))
    return judged(measures, "Both paths draw most of the space and can emit all that is asked for.")


def draw(subject: Subject, network: Network) -> Drawn:
    """Decode 262,144 prior latents and every posterior mean."""
    counts = np.zeros((BATCHES, OPERATIONS), dtype=np.int64)
    margin = np.zeros(OPERATIONS, dtype=np.float32)
    for batch in range(BATCHES):
        index, clear = _decoded(network, subject.prior(batch * BATCH, BATCH))
        counts[batch] = np.bincount(index, minlength=OPERATIONS)
        np.maximum.at(margin, index, clear)
    index, clear = _decoded(network, network.encode(TABLES.astype(np.float32))[0])
    own = index == np.arange(OPERATIONS)
    margin[own] = np.maximum(margin[own], clear[own])
    return Drawn(counts=counts, margin=np.where(margin >= MARGIN, margin, np.float32(0)))


def _decoded(network: Network, latents: Floats) -> tuple[npt.NDArray[np.int32], Floats]:
    low, middle, high = np.moveaxis(network.logits(latents), -1, 0)
    lesser, greater = np.minimum(low, middle), np.maximum(low, middle)
    second = np.maximum(lesser, np.minimum(greater, high))
    margin: Floats = (np.maximum(greater, high) - second).min(axis=1)
    trits = np.where(high > greater, 1, (middle > low).astype(np.int8) - 1)
    return to_index(trits), margin
