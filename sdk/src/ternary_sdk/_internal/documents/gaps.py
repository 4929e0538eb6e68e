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
Bytes = npt.NDArray[np.uint8]

_MOST_BYTES: Final = 9
"""Of one gap: nine times seven bits hold every number below 2^63."""
_PAYLOAD: Final = 7
_MORE: Final = 0x80
"""Bytes from this on are followed by another of the same number."""
_TOO_LONG: Final = "a number takes more bytes than it needs"

_AT_ONCE: Final = 1 << 16
"""Bytes that are read at once: what is computed of them stays in a core's cache."""


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
    if len(written) and written[-1] >= _MORE:
        raise FormatError(f"{what}: ends within a number")
    count = int(np.count_nonzero(written < _MORE))
    if count > most:
        raise FormatError(f"{what}: {count:,} numbers, expected at most {most:,}")
    numbers = np.empty(count, np.int64)
    start, filled, last = 0, 0, -1
    while start < len(written):
        part, ends = _whole_numbers(written[start : start + _AT_ONCE], what)
        sums = np.cumsum(_shares(part, what))
        # No share is 2^63 or more, so the first sum that is turns negative.
        beyond = int(sums.min()) < 0 or last + int(sums[-1]) + len(ends) >= below
        if beyond:
            raise FormatError(f"{what}: holds a number of {below:,} or more")
        here = numbers[filled : filled + len(ends)]
        np.add(sums[ends], np.arange(last + 1, last + 1 + len(ends)), out=here)
        last = int(here[-1])
        start, filled = start + len(part), filled + len(ends)
    return numbers


def _whole_numbers(written: Bytes, what: str) -> tuple[Bytes, npt.NDArray[np.intp]]:
    """The bytes up to the end of the last number that ends there, and where each ends."""
    ends = np.flatnonzero(written < _MORE)
    if not len(ends):
        raise FormatError(f"{what}: {_TOO_LONG}")
    return written[: ends[-1] + 1], ends


def _shares(written: Bytes, what: str) -> npt.NDArray[np.int64]:
    """What each byte of whole numbers adds to the number it is of."""
    more = np.zeros(len(written), np.bool_)
    more[1:] = written[:-1] >= _MORE
    if ((written == 0) & more).any():
        raise FormatError(f"{what}: {_TOO_LONG}")
    shifts, run, length = np.zeros(len(written), np.uint8), more, 1
    while run.any():
        length += 1
        if length > _MOST_BYTES:
            raise FormatError(f"{what}: {_TOO_LONG}")
        shifts += run
        run = run & np.concatenate([run[:1], run[:-1]])
    return (written & 0x7F).astype(np.int64) << (shifts * np.uint8(_PAYLOAD))
