"""
A lock on a state file, against other threads and other processes of this machine.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ternary_sdk._internal.licensing import file_lock
from ternary_sdk.errors import LedgerError

_PATIENCE: Final = 10.0
_PAUSE: Final = 0.005
_AT_ONCE: Final[int] = getattr(os, "O_NONBLOCK", 0)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep all other threads and processes of this machine out of a change that begins with a read.

    The lock lies on an existing file, which is neither read nor written. It is given up explicitly, so that a
    child forked meanwhile does not keep it. Where the file is missing, or its file system knows no locks,
    nothing is locked.

    Raises:
        LedgerError: If somebody holds it for 10 seconds.
    """
    try:
        descriptor = _open(path)
    except OSError:
        yield
        return
    try:
        taken = _lock(descriptor, path)
        try:
            yield
        finally:
            if taken:
                file_lock.give_up(descriptor)
    finally:
        os.close(descriptor)


def attempt(path: Path) -> None:
    """Lock an existing file and unlock it again.

    Raises:
        OSError: If its file system knows no locks.
    """
    descriptor = _open(path)
    try:
        if file_lock.take(descriptor):
            file_lock.give_up(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """A descriptor to lock, for writing where that is allowed: NFS locks no file that is open for reading."""
    try:
        descriptor = os.open(path, os.O_RDWR | _AT_ONCE)
    except OSError:
        descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return descriptor


def _lock(descriptor: int, path: Path) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if file_lock.take(descriptor):
                return True
        except OSError:
            return False
        if time.monotonic() > deadline:
            raise LedgerError(f"{path}: another process has locked it for {_PATIENCE:.0f} seconds") from None
        time.sleep(_PAUSE)
