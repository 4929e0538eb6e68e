"""
Which operations of a space are trained on, chosen by, and held out.

The last tenth of an order is the true holdout: nothing in this package trains or selects on it, and published
figures for held-out operations mean these. For (3, 2) the order is the published one, and the holdout 1,969
operations. Changing an order makes such figures incomparable.

A recipe may hold out a family as a whole as well: its members then leave training and validation, whose
other operations keep their order. It may also train on the first few operations alone. The true holdout stays
as it is.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.families import Family, members

_SEED: Final = 42
_LABEL: Final = "ternary-split-v1"
LEAST: Final = 2
"""Operations that validation and the true holdout have at least: a variance needs two."""
_CHOSEN_BY: Final = 8
"""Training operations for each operation that is chosen by, as in the whole split."""


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Some truth tables, as a network takes and gives them."""

    space: Space
    """That they are of."""
    tables: Tensor
    """Float values, such as -1, 0 and +1 for radix 3, shape (n, cells)."""
    classes: Tensor
    """The same as int64 digits from 0 to radix - 1, shape (n, cells)."""

    @classmethod
    def of(cls, digits: Tensor, space: Space) -> "Operations":
        """Operations with these digits, int64, shape (n, cells)."""
        return cls(space=space, tables=(digits + space.lowest).float(), classes=digits)

    def __len__(self) -> int:
        return len(self.tables)

    def take(self, rows: Tensor | slice) -> "Operations":
        """The operations at the given row numbers, shape (k,), or in a slice of rows."""
        return Operations(space=self.space, tables=self.tables[rows], classes=self.classes[rows])


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which operations are used for what."""

    training: OperationSet
    """Weights are fitted to these."""
    validation: OperationSet
    """Snapshots are chosen by these."""
    holdout: OperationSet
    """The true holdout."""
    family: OperationSet | None = None
    """What a recipe holds out besides; some of it is in the true holdout."""

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each set, as a run records them."""
        sets = {"training": self.training, "validation": self.validation, "holdout": self.holdout}
        named = sets | ({"family": self.family} if self.family else {})
        return {name: operations.digest for name, operations in named.items()}


def sets(space: Space = TERNARY_2, family: Family | None = None, count: int | None = None) -> Split:
    """A space's split, less a family that is held out as a whole, and with so many training operations.

    Raises:
        InputError: If the space is vast, or knows no such family.
    """
    parts = rows(space, family, count)
    training, validation, holdout = (OperationSet.of(chosen.numpy(), space) for chosen in parts)
    return Split(
        training=training,
        validation=validation,
        holdout=holdout,
        family=members(family, space) if family else None,
    )


def sizes(space: Space) -> tuple[int, int, int]:
    """How many operations are trained on, chosen by, and held out: four fifths, a tenth and the rest.

    In the smallest spaces validation and holdout have two operations each.
    """
    validation = max(LEAST, space.size // 10)
    training = min(space.size * 8 // 10, space.size - validation - LEAST)
    return training, validation, space.size - training - validation


@cache
def order(space: Space) -> Tensor:
    """All operations in the order that is split into runs, canonical indices, int64, shape (size,).

    For (3, 2) the published permutation, torch's of seed 42. For any other space ascending by the SHA-256 of
    the text `ternary-split-v1/RADIX,INPUTS/INDEX`, which needs no library to be computed again.

    Raises:
        InputError: If the space is vast.
    """
    space.expect_listed()
    if space == TERNARY_2:
        return torch.randperm(space.size, generator=torch.Generator().manual_seed(_SEED))
    keys = [hashlib.sha256(f"{_LABEL}/{space}/{index}".encode()).digest() for index in range(space.size)]
    return torch.tensor(sorted(range(space.size), key=keys.__getitem__))


def rows(
    space: Space = TERNARY_2, family: Family | None = None, count: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Canonical indices of the training, validation and holdout operations, in the space's order.

    Args:
        space: That is split.
        family: Left out of the first two.
        count: Training operations that are kept, the first ones; an eighth as many are chosen by. All where
            it is None.
    """
    training, validation, holdout = torch.split(order(space), list(sizes(space)))
    if family is not None:
        kept = torch.from_numpy(~members(family, space).mask)
        training, validation = training[kept[training]], validation[kept[validation]]
    if count is not None:
        training, validation = training[:count], validation[: max(LEAST, count // _CHOSEN_BY)]
    return training, validation, holdout


def all_operations(space: Space = TERNARY_2, device: torch.device | None = None) -> Operations:
    """All of a space in canonical order."""
    tables = torch.from_numpy(space.tables.copy()).to(device or "cpu")
    return Operations(space=space, tables=tables.float(), classes=tables.long() - space.lowest)


def training(
    space: Space = TERNARY_2,
    device: torch.device | None = None,
    family: Family | None = None,
    count: int | None = None,
) -> Operations:
    """The operations that weights are fitted to, as ``rows`` has them."""
    return all_operations(space, device).take(rows(space, family, count)[0].to(device or "cpu"))


def validation(
    space: Space = TERNARY_2,
    device: torch.device | None = None,
    family: Family | None = None,
    count: int | None = None,
) -> Operations:
    """The operations that snapshots are chosen by, as ``rows`` has them."""
    return all_operations(space, device).take(rows(space, family, count)[1].to(device or "cpu"))


def holdout(space: Space = TERNARY_2, device: torch.device | None = None) -> Operations:
    """The operations that only reports may look at."""
    return all_operations(space, device).take(rows(space)[2].to(device or "cpu"))
