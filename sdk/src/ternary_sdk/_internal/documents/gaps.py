"""
Ascending whole numbers as bytes: how far each is from the one before, in as few bytes as that takes.

A gap is written as an unsigned LEB128 number, seven bits a byte, the lowest first (DWARF 5, section 7.6), of
as few bytes as it needs. The first number is written as it is, every later one as what lies between: the
difference less one. So no two byte sequences stand for the same numbers. docs/formats.md, section 1.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import FormatError

Numbers = npt.NDArray[np.int64]

_MOST_BYTES: Final = 9
"""Of one gap: nine times seven bits hold every number below 2^63."""
_PAYLOAD: Final = 7


def encode(numbers: Numbers) -> bytes:
    """Write ascending, different numbers of 0 or more.

    Args:
        numbers: Shape (n,), each larger than the one before.
    """
    if not len(numbers):
        return b""
    gaps = np.diff(numbers, prepend=-1).astype(np.uint64) - np.uint64(1)
    lengths = np.ones(len(gaps), np.int64)
    for byte in range(1, _MOST_BYTES):
        lengths += gaps >= np.uint64(1 << _PAYLOAD * byte)
    starts = np.cumsum(lengths) - lengths
    written = np.empty(int(lengths.sum()), np.uint8)
    for byte in range(int(lengths.max())):
        here = lengths > byte
        more = lengths[here] > byte + 1
        digits = (gaps[here] >> np.uint64(_PAYLOAD * byte)) & np.uint64(0x7F)
        written[starts[here] + byte] = digits.astype(np.uint8) | (more.astype(np.uint8) << _PAYLOAD)
    return written.tobytes()


def decode(data: bytes, *, below: int, most: int, what: str) -> Numbers:
    """Read what ``encode`` wrote.

    Args:
        data: The bytes.
        below: Every number is below this, at most 2^63.
        most: How many there may be.
        what: Its name in error messages.
    Returns:
        Ascending, different numbers, int64, shape (n,).
    Raises:
        FormatError: If it is cut off, writes a gap in more bytes than it needs, holds more than ``most``
            numbers, or one that is too large.
    """
    written = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(written < 0x80)
    if len(written) and (not len(ends) or ends[-1] != len(written) - 1):
        raise FormatError(f"{what}: ends within a number")
    if len(ends) > most:
        raise FormatError(f"{what}: {len(ends):,} numbers, expected at most {most:,}")
    if not len(ends):
        return np.empty(0, np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    lengths = ends - starts + 1
    if int(lengths.max()) > _MOST_BYTES or ((lengths > 1) & (written[ends] == 0)).any():
        raise FormatError(f"{what}: a number takes more bytes than it needs")
    gaps = np.zeros(len(ends), np.int64)
    for byte in range(int(lengths.max())):
        here = lengths > byte
        gaps[here] |= (written[starts[here] + byte] & 0x7F).astype(np.int64) << (_PAYLOAD * byte)
    # A sum beyond 2^63 turns negative, and one of floats is near enough to see it before that.
    if float(gaps.astype(np.float64).sum()) + len(gaps) > 1.5 * 2.0**63:
        raise FormatError(f"{what}: holds a number of {below:,} or more")
    numbers = np.cumsum(gaps + 1) - 1
    if (numbers < 0).any() or int(numbers[-1]) >= below:
        raise FormatError(f"{what}: holds a number of {below:,} or more")
    return numbers
