"""
The published split of the 19,683 operations.

The last 1,969 are the true holdout: nothing in this package trains or selects on them, and published
figures for held-out operations mean these. Changing the order makes such figures incomparable.

A recipe may hold out a family as a whole as well: its members then leave training and validation, whose
other operations keep their order. The true holdout stays as it is.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.operations import OPERATIONS, TABLES, OperationSet
from ternary_trainer.families import Family, members

TRAINING: Final = 15_746
VALIDATION: Final = 1_968
HOLDOUT: Final = 1_969
_SEED: Final = 42


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Some truth tables, as a network takes and gives them."""

    tables: Tensor
    """Float trits in {-1, 0, +1}, shape (n, 9)."""
    classes: Tensor
    """The same as int64 classes in {0, 1, 2}, shape (n, 9)."""

    def __len__(self) -> int:
        return len(self.tables)

    def take(self, rows: Tensor | slice) -> "Operations":
        """The operations at the given row numbers, shape (k,), or in a slice of rows."""
        return Operations(tables=self.tables[rows], classes=self.classes[rows])


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


def sets(family: Family | None = None) -> Split:
    """The published split, less a family that is held out as a whole."""
    training, validation, holdout = (OperationSet.of(chosen.numpy()) for chosen in rows(family))
    return Split(
        training=training,
        validation=validation,
        holdout=holdout,
        family=members(family) if family else None,
    )


def all_operations(device: torch.device | None = None) -> Operations:
    """All 19,683 in canonical order."""
    trits = torch.from_numpy(TABLES.copy()).to(device or "cpu")
    return Operations(tables=trits.float(), classes=trits.long() + 1)


def rows(family: Family | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Canonical indices of the training, validation and holdout operations, in the published order.

    Args:
        family: Left out of the first two.
    """
    order = torch.randperm(OPERATIONS, generator=torch.Generator().manual_seed(_SEED))
    training, validation, holdout = torch.split(order, [TRAINING, VALIDATION, HOLDOUT])
    if family is None:
        return training, validation, holdout
    kept = torch.from_numpy(~members(family).mask)
    return training[kept[training]], validation[kept[validation]], holdout


def training(device: torch.device | None = None, family: Family | None = None) -> Operations:
    """The 15,746 operations that weights are fitted to, less a family that is held out."""
    return all_operations(device).take(rows(family)[0].to(device or "cpu"))


def validation(device: torch.device | None = None, family: Family | None = None) -> Operations:
    """The 1,968 operations that snapshots are chosen by, less a family that is held out."""
    return all_operations(device).take(rows(family)[1].to(device or "cpu"))


def holdout(device: torch.device | None = None) -> Operations:
    """The 1,969 operations that only reports may look at."""
    return all_operations(device).take(rows()[2].to(device or "cpu"))
