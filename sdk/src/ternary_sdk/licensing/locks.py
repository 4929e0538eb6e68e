"""
A lock on a state file, against other threads and other processes of this machine.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ternary_sdk.errors import LedgerError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_PATIENCE: Final = 10.0
_PAUSE: Final = 0.005
_BYTE: Final = 1 << 30
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
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def attempt(path: Path) -> None:
    """Lock an existing file and unlock it again.

    Raises:
        OSError: If its file system knows no locks.
    """
    descriptor = _open(path)
    try:
        _try_lock(descriptor)
        _unlock(descriptor)
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
            _try_lock(descriptor)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                return False
        else:
            return True
        if time.monotonic() > deadline:
            raise LedgerError(f"{path}: another process has locked it for {_PATIENCE:.0f} seconds") from None
        time.sleep(_PAUSE)


if sys.platform == "win32":

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)  # behind the end: what is locked there nobody can read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
