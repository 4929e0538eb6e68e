"""
The result of a count, and the file that keeps it.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.documents import gaps
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import Space

_HEAD: Final = struct.Struct("<32s6qqq")
"""Digest of what follows, six numbers, and the lengths of the near ties' positions and of the pairs."""
_NOT_KEPT: Final = -1
"""In place of the length of positions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawCount:
    """How many different operations prior draws hold, and what the draws were."""

    draws: int
    """Rows drawn."""

    near_ties: int
    """How many of them count for nothing: their margin is below 0.001, or none."""

    clear: int
    """All other rows; the figures below are of them."""

    distinct: int
    """Different operations."""

    once: int
    """Operations drawn once."""

    twice: int
    """Operations drawn twice."""

    pairs: int
    """Pairs of rows with the same operation: Σ c(c - 1)/2, c being how often an operation is drawn."""

    leaves: bytes
    """SHA-256 of each block of 65,536 rows, 32 bytes each; docs/formats.md, section 6."""

    kept: npt.NDArray[np.int64] | None
    """Where the near ties are, ascending; None where only their number was asked for."""

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Where the near ties are, ascending.

        Raises:
            InputError: If only their number was asked for.
        """
        if self.kept is None:
            raise InputError("count: only the number of near ties was asked for, not where they are")
        return self.kept

    @property
    def repeats(self) -> int:
        """Clear rows whose operation an earlier clear row had."""
        return self.clear - self.distinct

    def evenness(self, space: Space) -> Evenness:
        """What it says of how even the draws are.

        Args:
            space: What they were decoded to.
        """
        return Evenness(
            space=space,
            draws=self.draws,
            near_ties=self.near_ties,
            distinct=self.distinct,
            once=self.once,
            twice=self.twice,
            pairs=self.pairs,
        )

    def write(self, path: Path) -> None:
        """Write it to a file.

        Raises:
            InputError: If it cannot be written.
        """
        tied = b"" if self.kept is None else gaps.encode(self.kept)
        pairs = self.pairs.to_bytes(-(-self.pairs.bit_length() // 8), "little")
        numbers = (self.draws, self.clear, self.distinct, self.once, self.twice, self.near_ties)
        rest = tied + pairs + self.leaves
        ends = struct.pack("<6qqq", *numbers, _NOT_KEPT if self.kept is None else len(tied), len(pairs))
        whole_file.write(path, hashlib.sha256(ends + rest).digest() + ends + rest)

    @classmethod
    def read(cls, path: Path) -> "DrawCount":
        """Read what ``write`` wrote.

        Raises:
            InputError: If it cannot be read, or is something else.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        damaged = InputError(f"{path}: is damaged; delete it and count again")
        if len(data) < _HEAD.size or hashlib.sha256(data[32:]).digest() != data[:32]:
            raise damaged
        _, draws, clear, distinct, once, twice, ties, tied, pairs = _HEAD.unpack_from(data)
        rest, kept = data[_HEAD.size :], None
        if tied != _NOT_KEPT:
            try:
                kept = gaps.decode(rest[:tied], below=draws, most=ties, what=str(path))
            except FormatError:
                raise damaged from None
        tied = max(tied, 0)
        return cls(
            draws=draws,
            near_ties=ties,
            kept=kept,
            clear=clear,
            distinct=distinct,
            once=once,
            twice=twice,
            pairs=int.from_bytes(rest[tied : tied + pairs], "little"),
            leaves=rest[tied + pairs :],
        )
