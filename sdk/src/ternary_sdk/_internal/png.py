"""
Writing a small RGB picture as PNG, with nothing but zlib.
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import InputError


def encode(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Write a picture (PNG, third edition: 8-bit RGB, no filter); the same pixels give the same bytes.

    Args:
        pixels: Shape (rows, columns, 3).
    Raises:
        InputError: If the shape or type is another.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise InputError(f"picture: is {pixels.dtype} {pixels.shape}, expected uint8 (rows, columns, 3)")
    rows, columns, _ = pixels.shape
    filtered = np.zeros((rows, 1 + 3 * columns), np.uint8)
    filtered[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
