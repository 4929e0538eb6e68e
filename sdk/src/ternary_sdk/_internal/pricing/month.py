"""
Calendar months, UTC: the periods that are invoiced.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ternary_sdk.errors import InputError

PATTERN: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """One month, from 1970-01 to 9998-12."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``YYYY-MM``.

        Raises:
            InputError: If the text has another form, or the year is before 1970 or after 9998.
        """
        if not PATTERN.fullmatch(text) or not 1970 <= int(text[:4]) <= 9998:
            raise InputError(f"month: {text[:40]!r}, expected one such as 2026-03")
        return cls(int(text[:4]), int(text[5:]))

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month of a timezone-aware moment."""
        at = moment.astimezone(UTC)
        return cls(at.year, at.month)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.next.start

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def before(self) -> "Month":
        """The month before it."""
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
