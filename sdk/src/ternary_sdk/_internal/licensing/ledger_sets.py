"""
The sets of a meter as a call has them: how far each has come, and its operations, read as they are needed.
"""

from dataclasses import dataclass
from typing import Protocol

from ternary_sdk._internal.licensing.counted import Counted, Growth
from ternary_sdk._internal.licensing.segments import Segmented
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


class Members(Protocol):
    """The operations of a set, as a file holds them."""

    def __len__(self) -> int: ...

    def lacking(self, wanted: OperationSet) -> OperationSet:
        """Those of the wanted operations that it does not have."""

    @property
    def operations(self) -> OperationSet:
        """All of them."""


@dataclass(frozen=True)
class Bitmap:
    """The operations of a listed space."""

    operations: OperationSet
    """All of them."""

    def __len__(self) -> int:
        return len(self.operations)

    def lacking(self, wanted: OperationSet) -> OperationSet:
        """Those of the wanted operations that it does not have."""
        return wanted - self.operations


@dataclass(frozen=True, kw_only=True)
class Row(Growth):
    """One set of a meter, in a transaction."""

    space: Space
    """What its operations are of."""
    members: Members
    """Its operations."""

    def counted(self) -> Counted:
        """It, as it is beyond the transaction."""
        return Counted(
            lease=self.lease,
            owner=self.owner,
            history=self.history,
            sequence=self.sequence,
            acknowledged=self.acknowledged,
            operations=self.members.operations,
            pending=self.members.pending if isinstance(self.members, Segmented) else None,
        )
