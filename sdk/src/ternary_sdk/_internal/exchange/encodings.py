"""
How a value is written in bits: the encodings of three values that are in use, and plain binary for others.

Two designs that do not share an encoding silently compute something else, so every file names its own.
"""

from collections.abc import Mapping
from typing import Final

from ternary_sdk._internal.exchange.choices import Encoding
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

_OF_TRITS: Final[Mapping[Encoding, tuple[str, ...]]] = {
    Encoding.MRCS: ("01", "11", "10"),
    Encoding.ASCENDING: ("00", "01", "10"),
    Encoding.SIGNED: ("11", "00", "01"),
}


def chosen(encoding: Encoding | None, space: Space) -> Encoding:
    """The encoding asked for; else that of MRCS for three values, and plain binary for others.

    Raises:
        InputError: If it is of three values and the space has others.
    """
    if encoding is None:
        return Encoding.MRCS if space.radix == 3 else Encoding.ASCENDING
    if encoding is not Encoding.ASCENDING and space.radix != 3:
        raise InputError(
            f"encoding: {encoding} is of three values, expected ascending for the {space.radix} of {space}"
        )
    return encoding


def words(encoding: Encoding, space: Space) -> tuple[str, ...]:
    """The bits of each value, in the order of the values; all have the same length.

    Raises:
        InputError: As ``chosen``.
    """
    if space.radix == 3:
        return _OF_TRITS[encoding]
    chosen(encoding, space)
    width = (space.radix - 1).bit_length()
    return tuple(f"{digit:0{width}b}" for digit in range(space.radix))


def described(encoding: Encoding, space: Space) -> str:
    """An encoding in words, for a comment: ``mrcs: - = 01, 0 = 11, + = 10``."""
    signs = {-1: "-", 0: "0", 1: "+"} if space.radix == 3 else {}
    pairs = zip(space.values, words(encoding, space), strict=True)
    return f"{encoding}: " + ", ".join(f"{signs.get(value, value)} = {word}" for value, word in pairs)
