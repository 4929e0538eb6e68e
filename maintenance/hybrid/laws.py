"""
Laws of the parameters: which values in [0, 1] belong to an operation.

`Uniform` parameters know nothing of their operation. `Growing` is a delay that grows with the number of
neighbouring cells that differ; as of a file, each operation has one value that a training may see.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import torch
from torch import Tensor

from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import seeds
from ternary_trainer.decoding import places
from ternary_trainer.split import Operations

STEP: Final = 1 / 16
"""By how much the delay's range moves for each pair of neighbours that differ: 0 to 12 pairs."""
WIDTH: Final = 4 * STEP
"""Of the delay's range."""

_OF_SCALE: Final = 1 << 16
"""Values of which the quantiles of a law are taken."""


class Law(Protocol):
    """Values of c parameters for operations, given by their digits, shape (n, cells)."""

    count: int
    """How many parameters, c."""
    independent: bool
    """Whether draws are trusted to be independent of the operation; if not, a training compares pairs."""

    def at(self, digits: Tensor, shares: Tensor) -> Tensor:
        """Values that stand at given shares of the law given the operation, in [0, 1]; shape (n, c) both."""
        ...

    def shares(self, digits: Tensor, values: Tensor) -> Tensor:
        """Where values stand in the law given the operation; by the law, they are uniform and tell nothing
        of the operation. Below 0 or above 1 of values that the law never gives. Shape (n, c) both."""
        ...

    def seen(self, digits: Tensor, random: torch.Generator) -> Tensor:
        """Values that a training sees of each operation, shape (n, c)."""
        ...


def fresh(law: Law, digits: Tensor, random: torch.Generator) -> Tensor:
    """New values by a law, shape (n, c)."""
    return law.at(digits, torch.rand(len(digits), law.count, generator=random))


@dataclass(frozen=True)
class Uniform:
    """Parameters that are uniform on [0, 1], independent of the operation and of each other."""

    count: int
    independent: bool = True

    def at(self, digits: Tensor, shares: Tensor) -> Tensor:  # noqa: ARG002
        """The shares themselves."""
        return shares

    def shares(self, digits: Tensor, values: Tensor) -> Tensor:  # noqa: ARG002
        """The values themselves."""
        return values

    def seen(self, digits: Tensor, random: torch.Generator) -> Tensor:
        """New values: the law is known, so no file is needed."""
        return fresh(self, digits, random)


@dataclass(frozen=True)
class Growing:
    """One delay: uniform on [s/16, (s + 4)/16], where s of 12 pairs of neighbouring cells differ.

    A training sees a file, in which each operation has one value.
    """

    seed: int
    """Of the file."""
    count: int = 1
    independent: bool = False

    def at(self, digits: Tensor, shares: Tensor) -> Tensor:
        """The delays, shape (n, 1)."""
        return STEP * differing(digits)[:, None] + WIDTH * shares

    def shares(self, digits: Tensor, values: Tensor) -> Tensor:
        """Where in their ranges delays stand, shape (n, 1)."""
        return (values - STEP * differing(digits)[:, None]) / WIDTH

    @cached_property
    def file(self) -> Tensor:
        """The file's delay of every operation, by index, shape (size, 1)."""
        digits = torch.from_numpy(TERNARY_2.tables.copy()).long() - TERNARY_2.lowest
        return fresh(self, digits, seeds.generator(self.seed, "hybrid: file of delays"))

    def seen(self, digits: Tensor, random: torch.Generator) -> Tensor:  # noqa: ARG002
        """The file's value of each operation, the same at every call."""
        return self.file[index(digits)]


def differing(digits: Tensor) -> Tensor:
    """Pairs of neighbouring cells of each 3 × 3 table that differ, 0 to 12, int64, shape (n,)."""
    square = digits.view(-1, 3, 3)
    rows = (square[:, 1:] != square[:, :-1]).sum((1, 2))
    columns = (square[:, :, 1:] != square[:, :, :-1]).sum((1, 2))
    return rows + columns


def index(digits: Tensor, space: Space = TERNARY_2) -> Tensor:
    """Canonical index of digits, shape (n, cells); int64, shape (n,)."""
    return (digits.t() * places(space, digits.device)).sum(0)


class Scale:
    """Values as normal scores, by the quantiles of a law, so that a Gaussian latent fits them.

    Args:
        values: Of the law, shape (m, c), m large.
    """

    def __init__(self, values: Tensor) -> None:
        shares = (torch.arange(len(values)) + 0.5) / len(values)
        self._scores = torch.special.ndtri(shares.double()).float()
        self._knots = values.sort(0).values

    @classmethod
    def of(cls, law: Law, operations: Operations, random: torch.Generator) -> "Scale":
        """Of what a training sees."""
        rows = torch.randint(len(operations), (_OF_SCALE,), generator=random)
        return cls(law.seen(operations.classes[rows], random))

    def scores(self, values: Tensor) -> Tensor:
        """Normal scores of values, shape (n, c) both."""
        return _each(values, self._knots, self._scores[:, None].expand_as(self._knots))

    def values(self, scores: Tensor) -> Tensor:
        """Values of normal scores, shape (n, c) both, kept within what the law's sample has."""
        return _each(scores, self._scores[:, None].expand_as(self._knots), self._knots)


def _each(points: Tensor, from_knots: Tensor, to_knots: Tensor) -> Tensor:
    if not points.shape[1]:
        return points
    return torch.stack(
        [_interpolated(*columns) for columns in zip(points.t(), from_knots.t(), to_knots.t(), strict=True)], 1
    )


def _interpolated(points: Tensor, knots: Tensor, results: Tensor) -> Tensor:
    knots, results = knots.contiguous(), results.contiguous()
    right = torch.searchsorted(knots, points.contiguous()).clamp(1, len(knots) - 1)
    low, high = knots[right - 1], knots[right]
    share = ((points - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    return results[right - 1] + share * (results[right] - results[right - 1])
