"""
The published split of the 19,683 operations.

The last 1,969 are the true holdout: nothing in this package trains or selects on them, and published
figures for held-out operations mean these. Changing the order makes such figures incomparable.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ternary_sdk.operations import OPERATIONS, TABLES

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


def all_operations(device: torch.device | None = None) -> Operations:
    """All 19,683 in canonical order."""
    trits = torch.from_numpy(TABLES.copy()).to(device or "cpu")
    return Operations(tables=trits.float(), classes=trits.long() + 1)


def rows() -> tuple[Tensor, Tensor, Tensor]:
    """Canonical indices of the training, validation and holdout operations, in the published order."""
    order = torch.randperm(OPERATIONS, generator=torch.Generator().manual_seed(_SEED))
    training, validation, holdout = torch.split(order, [TRAINING, VALIDATION, HOLDOUT])
    return training, validation, holdout


def training(device: torch.device | None = None) -> Operations:
    """The 15,746 operations that weights are fitted to."""
    return all_operations(device).take(rows()[0].to(device or "cpu"))


def validation(device: torch.device | None = None) -> Operations:
    """The 1,968 operations that snapshots are chosen by."""
    return all_operations(device).take(rows()[1].to(device or "cpu"))


def holdout(device: torch.device | None = None) -> Operations:
    """The 1,969 operations that only reports may look at."""
    return all_operations(device).take(rows()[2].to(device or "cpu"))
