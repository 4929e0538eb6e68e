"""
What is validated in a vast space: the same, with samples in place of lists.

Every sample follows from the space or from what is validated, so whoever validates again finds the same
figures, and nobody chooses his luck.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import numpy as np
import torch

from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk.errors import InputError
from ternary_sdk.space import Indices
from ternary_trainer import seeds
from ternary_trainer.families import Family
from ternary_trainer.split import Operations
from ternary_trainer.validation.subject import Floats, Validated
from ternary_trainer.validation.vast_draws import Drawn, VastDecoder, draw
from ternary_trainer.vast_split import VastSplit, members

DRAWS: Final = 1 << 22
OPERATIONS: Final = 1 << 17
_LEAST_DRAWS: Final = 1 << 10
_MOST_DRAWS: Final = 1 << 27
"""Their indices take a gibibyte of memory for each path."""
_LEAST_OPERATIONS: Final = 100
_MOST_OPERATIONS: Final = 1 << 24
_AT_ONCE: Final = 4096

Draw = Callable[[int, torch.Generator], Operations]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is drawn and encoded; more of it gives tighter figures.

    Raises:
        InputError: If a number is out of range.
    """

    draws: int = DRAWS
    """Prior draws of each path."""
    operations: int = OPERATIONS
    """Operations of each kind: uniform ones, held-out ones, members of each family."""

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("draws", self.draws, _LEAST_DRAWS, _MOST_DRAWS),
            ("operations", self.operations, _LEAST_OPERATIONS, _MOST_OPERATIONS),
        ):
            if not least <= value <= most:
                raise InputError(f"{name}: {value:,}, expected {least:,} to {most:,}")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some operations of a vast space."""

    tables: Floats
    """Values, shape (n, cells)."""
    indices: Indices
    """Canonical indices, shape (n,)."""

    def __len__(self) -> int:
        return len(self.indices)

    def first(self, count: int) -> "Sample":
        """The first so many of them."""
        return Sample(tables=self.tables[:count], indices=self.indices[:count])


@dataclass(frozen=True, kw_only=True)
class VastSubject(Validated):
    """A model of a vast space."""

    paths: Mapping[str, VastDecoder]
    split: VastSplit
    """The published rule, with the family that the run's recipe holds out besides."""
    certified: Mapping[str, VastPath] = field(default_factory=dict)
    """What a package's certificate states of each path, by the vendor's signature; empty without one."""
    effort: Effort = field(default_factory=Effort)

    @cached_property
    def drawn(self) -> Mapping[str, Drawn]:
        """Prior draws of each path."""
        return {
            path: draw(decoder, self.prior, self.effort.draws, self.space)
            for path, decoder in self.paths.items()
        }

    @cached_property
    def witnessed(self) -> Mapping[str, int]:
        """How many of ``sampled`` decode from their own posterior mean with a margin of 0.001 or more, on
        each path that has an encoder."""
        witnessed = {}
        for path, network in self.networks.items():
            indices, margins = self.paths[path].decode(network.encode(self.sampled.tables))
            witnessed[path] = int(((indices == self.sampled.indices) & (margins >= MARGIN)).sum())
        return witnessed

    @cached_property
    def sampled(self) -> Sample:
        """Uniform operations, which follow from the digest of what is validated."""
        indices = self.uniform(0, self.effort.operations)
        return Sample(tables=self.space.from_index(indices).astype(np.float32), indices=indices)

    @cached_property
    def trained_on(self) -> Sample:
        """Operations as training draws them."""
        return self._drawn("training", self.split.training)

    @cached_property
    def chosen_by(self) -> Sample:
        """Operations as snapshots are chosen by."""
        return self._drawn("validation", self.split.validation)

    @cached_property
    def held_out(self) -> Sample:
        """Operations of the true holdout."""
        return self._drawn("holdout", self.split.holdout)

    def members(self, family: Family) -> Sample:
        """Uniform members of a family that is held out in every space."""
        return self._drawn(family, partial(members, family, self.space))

    def _drawn(self, purpose: str, draw: Draw) -> Sample:
        found = list(self._blocks(purpose, draw))
        tables = np.concatenate([operations.tables.numpy() for operations in found])
        classes = np.concatenate([operations.classes.numpy() for operations in found])
        return Sample(tables=tables, indices=classes @ self.space.places)

    def _blocks(self, purpose: str, draw: Draw) -> Iterator[Operations]:
        # A stream of its own: no training and no report of one draws these.
        random = seeds.generator(0, f"validated {purpose} operations of {self.space}")
        for start in range(0, self.effort.operations, _AT_ONCE):
            yield draw(min(_AT_ONCE, self.effort.operations - start), random)
