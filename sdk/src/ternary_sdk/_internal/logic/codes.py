"""
Codes of operations: the index in a base that shows the cells, most significant first.

Of radix 3 it is the heptavintimal code of Mixed Radix Circuit Synthesis: base 27, one character for
three cells. Of any other radix a character is one cell. Programs exchange codes, so they must not change.
"""

import re
from typing import Final

from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["alphabet", "code_length", "expected_code", "from_code", "to_code"]

_BASE_27: Final = "0123456789ABCDEFGHKMNPRTVXZ"
"""The digits of base 27 as that notation orders them, without letters that look like another one."""
_DIGITS: Final = "0123456789ABCDE"
"""The digits of all other radices; the largest that a space may have is 15."""


def alphabet(space: Space) -> str:
    """The characters of a space's codes, each at the place of its value."""
    return _BASE_27 if space.radix == 3 else _DIGITS[: space.radix]


def code_length(space: Space) -> int:
    """Characters of a space's codes: 1, 3 and 9 for one, two and three ternary inputs, else one per cell."""
    return space.cells // 3 if space.radix == 3 else space.cells


def to_code(index: int, space: Space = TERNARY_2) -> str:
    """The code of an operation: such as ``PC0`` of 15633 in (3, 2) and ``1000`` of 8 in (2, 2).

    Raises:
        InputError: If the index is not one of the space.
    """
    rest, letters = int(space.as_indices([index])[0]), alphabet(space)
    code = ""
    for _ in range(code_length(space)):
        rest, digit = divmod(rest, len(letters))
        code = letters[digit] + code
    return code


def from_code(text: str, space: Space = TERNARY_2) -> int:
    """The canonical index of the operation that a code stands for; upper and lower case mean the same.

    Raises:
        InputError: If it is not a code of the space.
    """
    letters = alphabet(space)
    # Before capitals are made: the capital of the dotless i is I.
    if not re.fullmatch(f"(?i:[{letters}]){{{code_length(space)}}}", text, re.ASCII):
        shown = repr(text) if len(text) <= 60 else f"{text[:57]!r}…"
        raise InputError(f"{shown} is not a code of the space {space}, expected {expected_code(space)}")
    index = 0
    for character in text.upper():
        index = index * len(letters) + letters.index(character)
    return index


def expected_code(space: Space) -> str:
    """What a code of a space is, for error messages."""
    length = code_length(space)
    return f"{length} character{'' if length == 1 else 's'} of {alphabet(space)}"
