"""
Codes and names of two-input operations, and what a text that stands for one means.

People write an operation as an index, a code, nine trits or a name. Some texts mean two operations: `MAX` is
a name and a code. Such a text is refused with both, and the form decides where the reader knows it.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import numpy as np

from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2

_ALPHABET: Final = "0123456789ABCDEFGHKMNPRTVXZ"
"""The digits of base 27, as the heptavintimal code of Mixed Radix Circuit Synthesis orders them."""

_DEFINITIONS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "ANY": lambda a, b: max(-1, min(1, a + b)),
    "CONS": lambda a, b: a if a == b else 0,
    "MAX": max,
    "MIN": min,
    "MLE": lambda a, b: (a > b) - (a < b),
    "MUL": lambda a, b: a * b,
    "NANY": lambda a, b: -max(-1, min(1, a + b)),
    "SUM": lambda a, b: (a + b + 1) % 3 - 1,
    "XOR": lambda a, b: max(min(a, -b), min(-a, b)),
}


class Form(StrEnum):
    """How a text stands for an operation."""

    ANY = "operation"
    """Any of the others, nine signs or nine digits."""
    INDEX = "index"
    """The canonical index, 0 to 19682, in at most five digits."""
    CODE = "code"
    """Three digits of base 27, most significant first."""
    NAME = "name"
    """A name of `NAMES`."""


def _index_of(f: Callable[[int, int], int]) -> int:
    table = [f(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return int(TERNARY_2.to_index(np.array([table], dtype=np.int8))[0])


NAMES: Final[Mapping[str, int]] = {name: _index_of(f) for name, f in _DEFINITIONS.items()}
"""The canonical index of each named operation; b varies fastest in its table: t[3·(a + 1) + (b + 1)]."""


def to_code(index: int) -> str:
    """The heptavintimal code of an operation: its index in base 27, three digits.

    Raises:
        InputError: If the index is not in [0, 19683).
    """
    TERNARY_2.as_indices([index])
    return _ALPHABET[index // 729] + _ALPHABET[index // 27 % 27] + _ALPHABET[index % 27]


def parse(text: str, form: Form = Form.ANY) -> int:
    """The canonical index of the operation that a text stands for.

    Upper and lower case mean the same. Nine signs (`-`, `0`, `+`) or digits (`0`, `1`, `2`) are the trits
    t0 to t8 in this order.

    Args:
        text: Such as `15633`, `PC0`, `MIN`, `----00-0+` or `000011012`.
        form: What it is, if that is known.
    Raises:
        InputError: If it stands for no operation, or for more than one.
    """
    readings = _readings(text.upper() if text.isascii() else "")
    if form is not Form.ANY:
        readings = {kind: index for kind, index in readings.items() if kind == form}
    if not readings:
        raise InputError(f"{_shown(text)} is not an operation, expected {_EXPECTED[form]}")
    if len(set(readings.values())) > 1:
        found = " or ".join(f"the {kind} of operation {index}" for kind, index in readings.items())
        raise InputError(f"{text!r} is ambiguous: {found}; write the index")
    return next(iter(readings.values()))


def _readings(text: str) -> dict[str, int]:
    """What a text in capital letters can mean: the kind of each reading and its index."""
    found: dict[str, int] = {}
    if re.fullmatch(r"[0-9]{1,5}", text) and int(text) < TERNARY_2.size:
        found["index"] = int(text)
    if len(text) == 3 and all(digit in _ALPHABET for digit in text):
        found["code"] = sum(27**k * _ALPHABET.index(digit) for k, digit in enumerate(reversed(text)))
    if text in NAMES:
        found["name"] = NAMES[text]
    for kind, alphabet in (("signs", "-0+"), ("digits", "012")):
        if len(text) == 9 and all(character in alphabet for character in text):
            found[kind] = sum(3**k * alphabet.index(character) for k, character in enumerate(text))
    return found


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


_EXPECTED: Final = {
    Form.ANY: "an index, a code of 3 characters, 9 signs, 9 digits from 0 to 2, or a name",
    Form.INDEX: f"an index, 0 to {TERNARY_2.size - 1}",
    Form.CODE: f"a code: 3 characters of {_ALPHABET}",
    Form.NAME: "a name: " + ", ".join(NAMES),
}
