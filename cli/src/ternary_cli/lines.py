"""
The lines of a text file in any common encoding, with their numbers and a cap on the length of one row.
"""

import codecs
import io
from typing import Final

from ternary_sdk.errors import InputError

MOST_CHARACTERS: Final = 16 * 2**20
"""Of one row of CSV, one line of JSON, or a whole JSON array: what is taken apart in memory at once."""

_ENCODINGS: Final = {  # UTF-32 first: its mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class LineError(InputError):
    """A line cannot be read. The message names the line, and lacks the file."""


class Lines:
    """An iterator over lines, each with the end that it has in the file.

    Attributes:
        number: Of the line that came last, from 1.
    """

    def __init__(self, data: bytes) -> None:
        """Begin at the first line of UTF-8, or of UTF-16 or UTF-32 with a byte order mark."""
        self.number = 0
        self._data = data
        self._encoding = next(
            (name for mark, name in _ENCODINGS.items() if data.startswith(mark)), "utf-8-sig"
        )
        self._text = io.TextIOWrapper(io.BytesIO(data), encoding=self._encoding, newline="")
        self._taken = 0

    @property
    def may_be_text(self) -> bool:
        """Whether the data can be text: no byte is zero, unless the encoding has such bytes."""
        return self._encoding != "utf-8-sig" or b"\0" not in self._data

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line.

        Raises:
            LineError: If the encoding is another, or a row is too long.
        """
        try:
            line = self._text.readline(MOST_CHARACTERS + 1)
        except UnicodeDecodeError:
            raise self._not_text() from None
        if not line:
            raise StopIteration
        self.number += 1
        self._taken += len(line)
        if self._taken > MOST_CHARACTERS:
            raise LineError(
                f"line {self.number}: a row or a JSON array of more than {MOST_CHARACTERS:,} characters,"
                " expected at most that many; write each row on a line of its own"
            )
        return line

    def row_ended(self) -> None:
        """Begin to count the characters of the next row."""
        self._taken = 0

    def _not_text(self) -> LineError:
        name = self._encoding.removesuffix("-sig").upper()
        try:
            self._data.decode(self._encoding)
        except UnicodeDecodeError as error:
            before = self._data[: error.start].decode(self._encoding, errors="replace")
            line = before.count("\n") + 1
            return LineError(f"line {line} is not {name} text; save the file as UTF-8")
        return LineError(f"not {name} text; save the file as UTF-8")
