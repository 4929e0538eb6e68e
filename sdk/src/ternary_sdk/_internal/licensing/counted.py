"""
What was counted under one lease: the set, and how far it has come.
"""

from dataclasses import dataclass
from typing import Final

from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

MAX_SEQUENCE: Final = 2**53 - 1
HISTORY_BYTES: Final = 16
EARLIER: Final = "A" * 22
"""The history of each set that an older SDK counted: it drew none."""


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """A set that the server has confirmed."""

    operations: int
    """How many operations it has."""
    sha256: str
    """Its digest."""

    @classmethod
    def of(cls, operations: OperationSet) -> "Acknowledged":
        """A set, by its number and digest."""
        return cls(operations=len(operations), sha256=operations.digest)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Whose set it is and how far it has come, whatever is in it."""

    lease: str | None
    """The lease it was counted under; None for a license without one, and where an older SDK counted."""
    owner: str | None
    """The customer that the signed license named then; None where an older SDK counted."""
    history: str | None
    """16 random bytes, base64url, drawn when this set began: another one shows a set that began anew. None
    while nothing is counted."""
    sequence: int
    """How often the set has grown: the order of its reports, whatever the clocks say. 0 while it is empty."""
    acknowledged: Acknowledged | None = None
    """What the server has confirmed last."""


@dataclass(frozen=True, kw_only=True)
class Counted(Growth):
    """One set of a meter."""

    operations: OperationSet
    """Every operation of one space ever returned under that lease, each once."""
    pending: OperationSet | None = None
    """What of a set of a vast space the server has not confirmed, all of it by default. A set of a listed
    space is reported whole each time."""

    @property
    def space(self) -> Space:
        """What its operations are of: a lease has a set for each space."""
        return self.operations.space

    @property
    def unconfirmed(self) -> OperationSet:
        """What the next report states."""
        return self.operations if self.pending is None else self.pending

    @property
    def settled(self) -> bool:
        """Whether the server has confirmed all of it."""
        return self.acknowledged is not None and self.acknowledged == Acknowledged.of(self.operations)


def nothing(lease: str | None, owner: str | None, space: Space) -> Counted:
    """The set of a lease under which nothing of a space was counted yet."""
    empty = OperationSet.of([], space)
    return Counted(lease=lease, owner=owner, history=None, sequence=0, operations=empty)
