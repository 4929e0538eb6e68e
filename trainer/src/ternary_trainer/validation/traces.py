"""
A training's history as plain series, from a run of ours or from what a v5.5 checkpoint file carries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.signature import STANDARD, Signature
from ternary_trainer.history import EpochRecord
from ternary_trainer.separate import LEARN
from ternary_trainer.settings import Recipe

Series = npt.NDArray[np.float64]
EVENNESS: Final = "evenness"
"""What a vast space has in place of coverage."""


@dataclass(frozen=True, kw_only=True)
class Traces:
    """One value an epoch, for each path."""

    coverage: Mapping[str, Series]
    """Share of the space, as the training counted it, in [0, 1]; in a vast space evenness, 1 if even."""
    entropy: Mapping[str, Series]
    """Nats: of the latents where that was recorded (v5.5 files), else of the drawn operations; empty in a
    vast space, where it is not known."""
    beta: Mapping[str, Series]
    """Weight of the KL; empty where it was not recorded."""
    declared: frozenset[int]
    """Positions at which a jump is by design: a surge or disruption begins, goes on, or has just ended."""
    unevened: frozenset[int]
    """Positions at which nothing evened the draws yet: a fall says nothing of the training there."""
    coupled: bool
    """Whether the paths were trained in one loss, each seeing the other's latents."""
    quantity: str = "coverage"
    """What ``coverage`` is."""

    def __len__(self) -> int:
        return len(next(iter(self.coverage.values())))

    @property
    def weaker(self) -> Series:
        """Coverage of the weakest path in each epoch."""
        weakest: Series = np.min(list(self.coverage.values()), axis=0)
        return weakest


def of_run(history: Sequence[EpochRecord], recipe: Recipe) -> Traces | None:
    """The history of a run; None if it has no epoch yet."""
    if not history:
        return None

    def series(name: str) -> dict[str, Series]:
        return {
            path: np.array([getattr(record.paths[path], name) for record in history])
            for path in history[0].paths
        }

    disturbed = {position for position, record in enumerate(history) if record.surge_origin}
    if recipe.coupled:
        disturbed.add(recipe.coupled.disruption)
    return Traces(
        coverage=series("headline"),
        entropy=series("entropy") if recipe.space.listed else {},
        beta=series("beta"),
        declared=frozenset(disturbed | {position + 1 for position in disturbed}),
        unevened=frozenset(position for position, record in enumerate(history) if record.phase == LEARN),
        coupled=recipe.coupled is not None,
        quantity="coverage" if recipe.space.listed else EVENNESS,
    )


def of_file(details: Mapping[str, Any], signature: Signature = STANDARD) -> Traces | None:
    """What a v5.5 file says of its own training; None where its lists are missing, damaged or too short, or
    the file is of another signature than v5.5's.

    It counts coverage the old way (rounded expectations) and records no beta. The disruption's epoch is not
    in the file either, so no jump is excused.
    """
    if signature != STANDARD:
        return None
    lists = {key: _numbers(details.get(key)) for key in _LISTS}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) != 1 or lengths.pop() < 2:
        return None
    return Traces(
        coverage={path: lists[f"coverage_{path}_history"] / signature.space.size for path in ("A", "B")},
        entropy={path: lists[f"H_{path}_history"] for path in ("A", "B")},
        beta={},
        declared=frozenset(),
        unevened=frozenset(),
        coupled=True,
    )


_LISTS = ("coverage_A_history", "coverage_B_history", "H_A_history", "H_B_history")


def _numbers(values: object) -> Series:
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        return np.empty(0)
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:  # an integer above every float
        return np.empty(0)
    return array if np.isfinite(array).all() else np.empty(0)
