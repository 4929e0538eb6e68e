"""
The SQLite file and what SQLite keeps beside it are their owner's alone: they hold content keys.

SQLite gives ``-wal``, ``-shm`` and ``-journal`` the mode of the database file. So the file is made here,
with mode 0600 whatever the umask is, before SQLite sees it, and one with wider rights is closed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ternary_license_server.database.engine import DatabaseError

_MODE: Final = 0o600
_BESIDE: Final = ("-wal", "-shm", "-journal")


def close_to_others(database: Path) -> None:
    """Make a database file that is not there, mode 0600, and take others' rights away from one that is.

    Raises:
        DatabaseError: If it is not a file, cannot be made, or its rights cannot be taken away.
    """
    try:
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseError(f"database {database}: cannot be made ({error.strerror})") from None
    try:
        _close(database)
    except OSError as error:
        raise DatabaseError(f"database {database}: cannot be opened ({error.strerror})") from None
    for ending in _BESIDE:
        with suppress(FileNotFoundError):  # another process that closes the database removes them
            _close(Path(f"{database}{ending}"))


def _close(path: Path) -> None:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise DatabaseError(f"database {path}: not a file")
    if os.name != "posix" or not _open_to_others(found):
        return
    try:
        path.chmod(_MODE)
    except PermissionError as error:
        raise DatabaseError(
            f"database {path}: mode is {stat.S_IMODE(found.st_mode):04o}, and it cannot be set to 0600 "
            f"({error.strerror})"
        ) from None
    found = path.stat()
    if _open_to_others(found):
        raise DatabaseError(
            f"database {path}: mode stays {stat.S_IMODE(found.st_mode):04o}, expected 0600; it holds content "
            "keys, so keep it on a file system that has modes"
        )


def _open_to_others(found: os.stat_result) -> bool:
    return bool(stat.S_IMODE(found.st_mode) & 0o077)
