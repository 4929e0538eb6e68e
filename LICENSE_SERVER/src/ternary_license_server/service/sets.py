"""
Sets of operations in the database, of every space: a bitmap in the row of what it is of, or segments.

A listed space's set is a bitmap of the whole space. A vast space's set is kept as ``segments``, and the
bitmap in its row is empty.
"""

from collections.abc import Callable
from functools import cached_property, partial

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import segments
from ternary_license_server.service.segments import Place
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


class Lazy:
    """A set whose number is known. Its operations are read when they are needed, within the transaction.

    Args:
        number: How many operations it has.
        read: Gives them.
    """

    def __init__(self, number: int, read: Callable[[], OperationSet]) -> None:
        self._number, self._read = number, read

    @classmethod
    def of(cls, operations: OperationSet) -> "Lazy":
        """A set that is there."""
        return cls(len(operations), lambda: operations)

    def __len__(self) -> int:
        return self._number

    @cached_property
    def operations(self) -> OperationSet:
        """All of them."""
        return self._read()


def nothing(space: Space) -> OperationSet:
    """The empty set of a space."""
    return OperationSet.of([], space)


def read(transaction: Transaction, place: Place, bitmap: bytes | None) -> Lazy:
    """A set, from the bitmap that its row has; None without such a row, and where the row has no bitmap."""
    if not place.space.listed:
        kept = segments.find(transaction, place)
        return Lazy(len(kept), partial(segments.load, transaction, kept))
    return Lazy.of(OperationSet.from_bytes(bytes(bitmap), place.space) if bitmap else nothing(place.space))


def write(transaction: Transaction, place: Place, operations: OperationSet) -> bytes:
    """Keep a whole set; the bitmap for its row."""
    if place.space.listed:
        return operations.to_bytes()
    kept = segments.find(transaction, place)
    if segments.load(transaction, kept) != operations:
        segments.rewrite(transaction, kept, operations)
    return b""
