"""
The words, numbers and signs of a condition's text, read one after another, and refusals that name a position.
"""

import re
from typing import Final

from ternary_sdk.errors import InputError

__all__ = ["Tokens"]

_TOKEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[+-]?[0-9]{1,9}|\S")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_LONGEST_SHOWN: Final = 60


class Tokens:
    """What is still to be read of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = [(token[0], token.start()) for token in _TOKEN.finditer(text)]
        self._found.append(("", len(text)))
        self._read = 0

    @property
    def next(self) -> str:
        """The next token, which stays unread; empty at the end."""
        return self._found[self._read][0]

    @property
    def word(self) -> str:
        """The next token as words are compared: in small letters, with hyphens."""
        return self.next.lower().replace("_", "-")

    @property
    def found(self) -> str:
        """The next token and its position, counted from 1, for messages."""
        token, start = self._found[self._read]
        quoted = repr(token) if len(token) <= _LONGEST_SHOWN else f"{token[:_LONGEST_SHOWN]!r}…"
        return f"{quoted if token else 'the end'} at position {start + 1}"

    def take(self) -> str:
        """Read the next token."""
        token = self.next
        self._read += bool(token)
        return token

    def takes(self, *expected: str) -> bool:
        """Read the next token if it is one of some."""
        if self.word not in expected:
            return False
        self.take()
        return True

    def expect(self, sign: str) -> None:
        """Read the next token, which must be a sign.

        Raises:
            InputError: If it is another.
        """
        if not self.takes(sign):
            raise self.refusal(f"'{sign}'")

    def number(self, what: str) -> int:
        """Read the next token, which must be a whole number.

        Raises:
            InputError: If it is none. The message says ``what`` was expected.
        """
        if not _NUMBER.fullmatch(self.next):
            raise self.refusal(what)
        return int(self.take())

    def until(self, sign: str) -> str:
        """Read everything up to a sign, and the sign.

        Raises:
            InputError: If it does not follow.
        """
        start = self._found[self._read][1]
        while self.next not in ("", sign):
            self.take()
        end = self._found[self._read][1]
        self.expect(sign)
        return self._text[start:end]

    def refusal(self, expected: str) -> InputError:
        """Of the next token, where something else was expected."""
        return InputError(f"condition: found {self.found}, expected {expected}")
