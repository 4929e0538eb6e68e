"""
Advisory locks on open files, of both kinds of system: ``flock``, and a locked byte on Windows.

A lock ends with its process, however that ends. Nothing here waits.
"""

import errno
import os
import sys
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BYTE: Final = 1 << 30
_HELD: Final = (errno.EACCES, errno.EAGAIN)


def take(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file, at once or not at all.

    Args:
        descriptor: Of the open file.
        shared: Any number of processes may hold the lock at a time, if all of them share it. Windows knows no
            shared locks: there it is an exclusive one.
    Returns:
        Whether it is locked now; False if another process, or another opening of the file, holds it.
    Raises:
        OSError: If the file system knows no locks.
    """
    try:
        _take(descriptor, shared=shared)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


if sys.platform == "win32":

    def _take(descriptor: int, *, shared: bool) -> None:  # noqa: ARG001
        os.lseek(descriptor, _BYTE, os.SEEK_SET)  # behind the end: what is locked there nobody can read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def give_up(descriptor: int) -> None:
        """Unlock a file that ``take`` has locked."""
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _take(descriptor: int, *, shared: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def give_up(descriptor: int) -> None:
        """Unlock a file that ``take`` has locked."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
