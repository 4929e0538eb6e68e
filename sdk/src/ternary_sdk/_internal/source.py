"""
Where a document comes from: a file's path, or the bytes themselves.

A file is read exactly once, so what was verified is what is used, whatever happens to the file later.
"""

import os
import sys
from io import BufferedReader
from typing import Final

from ternary_sdk.errors import InputError

Source = str | os.PathLike[str] | bytes
"""A file's path, or its bytes."""
_AT_ONCE: Final[int] = getattr(os, "O_NONBLOCK", 0)


def read(source: Source, most: int) -> bytes:
    """The bytes of a source.

    Args:
        source: Bytes are given back as they are: their reader has caps of its own.
        most: Largest file that is read, in bytes; one byte more is read to tell that it is larger.
    Raises:
        InputError: If the source is neither, or the file cannot be read or is larger.
    """
    if isinstance(source, bytes):
        return source
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"{source!r}: expected a file's path or its bytes")
    name = os.fspath(source)
    try:
        with opened(source) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(f"{name!r}: no file has such a name") from None
    if len(data) > most:
        raise InputError(f"{name}: more than {most:,} bytes, expected at most that many")
    return data


def opened(path: str | os.PathLike[str]) -> BufferedReader:
    """A file, opened to be read; a named pipe into which nobody writes is empty and is not waited for.

    Raises:
        OSError: If it cannot be opened.
    """
    return open(path, "rb", opener=_open_at_once)


def _open_at_once(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _AT_ONCE)
    if sys.platform != "win32":  # it has no named pipes among its files
        os.set_blocking(descriptor, True)  # a pipe into which somebody writes is read to its end
    return descriptor
