"""
The three standard streams, which a caller may have closed, filled up or given another code page.

Whether standard output takes anything is asked before a command begins: afterwards a license may have
counted operations, or a server may have shown a secret once.
"""

import contextlib
import io
import os
import sys
from typing import Final, TextIO

from ternary_cli.refusals import STDOUT, FileError, because

_NAMES: Final = ("stdin", "stdout", "stderr")


def prepare() -> None:
    """Make the streams safe to use, and refuse a standard output that takes nothing.

    A letter that a stream's code page lacks is printed as an escape. ``sys.stdin`` stays None where it is
    closed; whoever reads it refuses that.

    Raises:
        FileError: If standard output is closed, or the system refuses to write there.
    """
    closed = [name for name in _NAMES if getattr(sys, name) is None]
    if closed:
        _occupy()
    for name in ("stdout", "stderr"):
        if name in closed:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if "stdout" in closed:
        raise FileError(f"{STDOUT}: closed; send it to a file, or to {os.devnull}")
    try:
        os.write(1, b"")
    except OSError as error:
        raise FileError(f"{STDOUT}: {because(error)}") from None


def settle() -> None:
    """Leave nothing that Python would fail to write when it ends, with a message and a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _abandon(stream)


def _occupy() -> None:
    """Take the numbers of closed streams: a file opened under one of them would be printed into."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _abandon(stream: TextIO) -> None:
    """Let what is still in a stream's buffer go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
