"""Searches side by side, so that one process of ABC prices what all of them ask."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from maintenance.worth.searchers import Search
from maintenance.worth.specifications import Digits
from ternary_sdk.space import Space

PROPOSALS_PER_EVALUATION: Final = 100
"""A search that proposes only what it knows ends after this many times its budget."""


@dataclass
class Run:
    """One search and what it found. A table that was priced before costs no evaluation."""

    name: str
    search: Search
    budget: int
    until: int | None = None
    """A cost at which it may stop, the optimum."""
    best: list[int] = field(default_factory=list)
    """The lowest cost after each evaluation."""
    _known: dict[int, int] = field(default_factory=dict)
    _asked: Digits | None = None
    _proposals: int = 0

    def open(self, space: Space) -> list[int]:
        """What must be priced next, in the order proposed; nothing once it has ended."""
        while not self.ended:
            if self._asked is None:
                self._asked = next(self.search)
            indices = (self._asked @ space.places).tolist()
            unknown = [index for index in dict.fromkeys(indices) if index not in self._known]
            if unknown:
                return unknown
            self._proposals += len(indices)
            self._asked = self.search.send(np.array([self._known[index] for index in indices]))
        return []

    def take(self, priced: Iterable[tuple[int, int]]) -> None:
        """The costs of what was open; those beyond the budget are not looked at."""
        for index, cost in priced:
            self._known[index] = cost
            if not self.ended:
                self.best.append(min(cost, self.best[-1]) if self.best else cost)

    @property
    def ended(self) -> bool:
        """Whether the budget is spent or the optimum found."""
        return (
            len(self.best) >= self.budget
            or self.found
            or self._proposals > PROPOSALS_PER_EVALUATION * self.budget
        )

    @property
    def evaluations(self) -> int:
        """Evaluations until it stopped; the whole budget if the optimum was not found."""
        return len(self.best) if self.until is None or self.found else self.budget

    @property
    def found(self) -> bool:
        """Whether the optimum was found, where it is known."""
        return self.until is not None and bool(self.best) and self.best[-1] <= self.until


def drive(runs: Sequence[Run], space: Space, price: Callable[[Sequence[int]], npt.NDArray[np.int64]]) -> None:
    """Drive all runs to their ends, pricing together what they ask at the same time."""
    going = list(runs)
    while going:
        asked = [(run, run.open(space)) for run in going]
        going = [run for run, wanted in asked if wanted]
        every = list(dict.fromkeys(index for _, wanted in asked for index in wanted))
        if not every:
            return
        known = dict(zip(every, price(every).tolist(), strict=True))
        for run, wanted in asked:
            run.take((index, known[index]) for index in wanted)
