"""
Sets of operations in the database, of every space: a bitmap in the row of what it is of, or segments.

A listed space's set is a bitmap of the whole space. A vast space's set is kept as ``segments``, and the
bitmap in its row is empty.
"""

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import segments
from ternary_license_server.service.segments import Place
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


def nothing(space: Space) -> OperationSet:
    """The empty set of a space."""
    return OperationSet.of([], space)


def read(transaction: Transaction, place: Place, bitmap: bytes | None) -> OperationSet:
    """A set, whose row has this bitmap; None if the row has none, or there is no row."""
    if not place.space.listed:
        return segments.load(transaction, segments.find(transaction, place))
    return OperationSet.from_bytes(bytes(bitmap), place.space) if bitmap else nothing(place.space)


def write(transaction: Transaction, place: Place, operations: OperationSet) -> bytes:
    """Keep a whole set; the bitmap for its row."""
    if place.space.listed:
        return operations.to_bytes()
    kept = segments.find(transaction, place)
    if segments.load(transaction, kept) != operations:
        segments.rewrite(transaction, kept, operations)
    return b""
