"""
The Merkle tree over blocks of draws, whose root a certificate states (RFC 6962, section 2.1).

Leaves and nodes are hashed with different first bytes, so none can stand for the other. Changing a byte of
what is hashed breaks every certificate of a vast space.
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

BLOCK_ROWS: Final = 65_536
"""Draws in a block; the last one may be shorter."""

HASH_BYTES: Final = 32

NEAR_TIE: Final = -1
"""In the place of an index, where a row's margin is below 0.001."""

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf(numbers: npt.NDArray[np.int64]) -> bytes:
    """The hash of one block.

    Args:
        numbers: What its rows decode to, shape (n,); ``NEAR_TIE`` where a row is one.
    Returns:
        SHA-256 of a zero byte and, for each row, its index in eight bytes, little-endian; eight bytes ``ff``
        where the row is a near tie.
    """
    return hashlib.sha256(_LEAF + numbers.astype("<i8", copy=False).tobytes()).digest()


def root(leaves: bytes) -> str:
    """The root of the tree over leaves, hex.

    Args:
        leaves: Their hashes, 32 bytes each, one after the other, at least one.
    """
    level, pair = leaves, 2 * HASH_BYTES
    while len(level) > HASH_BYTES:
        # Pairs from the left, an odd one taken as it is: the same as splitting at powers of 2.
        odd = len(level) - len(level) % pair
        nodes = [
            hashlib.sha256(_NODE + level[start : start + pair]).digest() for start in range(0, odd, pair)
        ]
        level = b"".join([*nodes, level[odd:]])
    return level.hex()
