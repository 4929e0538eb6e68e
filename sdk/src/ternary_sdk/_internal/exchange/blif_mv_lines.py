"""
The lines of a BLIF-MV file as words: without comments, continued lines joined, sets of values kept whole.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ternary_sdk._internal.documents import outer
from ternary_sdk.errors import FormatError

_WORD: Final = re.compile(r"[({][^(){}]*[)}]|->|[^\s(){}]+|\S")
"""A set in braces or parentheses, an arrow, a word, or a bracket without its partner."""


class Words(NamedTuple):
    """The words of one line."""

    line: int
    """Its number from 1; of continued lines the first."""
    words: list[str]


def read(data: bytes, what: str) -> Iterator[Words]:
    """Take a file apart into the lines that hold words.

    Raises:
        FormatError: If it is not UTF-8 text, or ends within a continued line.
    """
    text = outer.text(data, what)
    begun, pending = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].rstrip()
        begun = begun or number
        if content.endswith("\\"):
            pending += content[:-1] + " "
            continue
        words = _WORD.findall(pending + content)
        if words:
            yield Words(begun, words)
        begun, pending = 0, ""
    if pending.strip():
        raise FormatError(f"{what}: line {begun}: continues with \\ after the last line")
