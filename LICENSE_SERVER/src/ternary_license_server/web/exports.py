"""
Answers that may be of any length: written to disk as their rows are read, then signed and sent from there.

A signature is over the whole answer and is sent before it. So an export must be complete before its first
byte leaves, but it need not be in memory. Short ones never reach the disk.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from ternary_sdk.errors import TernaryError

IN_MEMORY: Final = 1 << 20
"""Bytes of an export that are kept in memory; a longer one is a file without a name."""
_PART: Final = 1 << 16
"""Bytes that are read from the disk and sent at a time."""


class NoRoomError(TernaryError):
    """An export cannot be written to the server's disk."""


class Export:
    """An answer's body while it is written, and then while it is sent.

    Attributes:
        size: Bytes that were written.
    """

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  closed by ``close``

    def write(self, text: str) -> None:
        """Add text, as UTF-8; ``csv`` writes its rows by this.

        Raises:
            NoRoomError: If the disk does not take it.
        """
        data = text.encode()
        try:
            self._file.write(data)
        except OSError as error:
            raise NoRoomError(
                f"export: cannot be written to {tempfile.gettempdir()} ({error.strerror})"
            ) from None
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """Of what was written, in hex."""
        return self._hash.hexdigest()

    def parts(self) -> Iterator[bytes]:
        """What was written, from its beginning, a part at a time."""
        self._file.seek(0)
        while part := self._file.read(_PART):
            yield part

    def close(self) -> None:
        """Forget it."""
        self._file.close()

    def __enter__(self) -> "Export":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget what was not written to its end."""
        if kind is not None:
            self.close()
