"""
The Merkle tree over blocks of draws, whose root a certificate states (RFC 6962, section 2.1).

Leaves and nodes are hashed with different first bytes, so none can stand for the other. Changing a byte of
what is hashed breaks every certificate of a vast space.
"""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Indices

BLOCK_ROWS: Final = 65_536
"""Draws in a block; the last one may be shorter."""

HASH_BYTES: Final = 32

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_LEFT_OUT: Final = np.uint64(2**64 - 1)


def leaf(index: Indices, near_ties: npt.NDArray[np.int64]) -> bytes:
    """The hash of one block.

    Args:
        index: What its rows decode to, shape (n,).
        near_ties: The places in the block, 0 to n - 1, of near ties; what they decode to counts for nothing.
    Returns:
        SHA-256 of a zero byte and, for each row, its index in eight bytes, little-endian; ``ff`` eight
        times where the row is a near tie.
    """
    rows = index.astype("<u8")
    rows[near_ties] = _LEFT_OUT
    return hashlib.sha256(_LEAF + rows.tobytes()).digest()


def root(leaves: bytes) -> str:
    """The root of the tree over leaves, hex.

    Args:
        leaves: Their hashes, 32 bytes each, one after the other, at least one.
    """
    level = [leaves[start : start + HASH_BYTES] for start in range(0, len(leaves), HASH_BYTES)]
    while len(level) > 1:
        # Pairs from the left, an odd one taken as it is: the same as splitting at powers of 2.
        paired = [
            hashlib.sha256(_NODE + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0].hex()
