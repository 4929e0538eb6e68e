"""
The operations on which graphs are compared with what they were made from.
"""

from typing import Final

from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.space import Space, Tables

SAMPLED: Final = 65_536
"""How many uniform operations stand for all of a vast space."""

_SEED: Final = 0


def compared(space: Space) -> Tables:
    """All operations of a listed space; of a vast one the first 65,536 entries of domain 3 of seed 0.

    Returns:
        Truth tables, shape (n, cells).
    """
    return space.tables if space.listed else space.from_index(CURRENT.uniform(_SEED, 0, SAMPLED, space))
