"""
The file of a meter: how it is opened, where it may only be read, and how it is made.
"""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePath
from typing import Final

from ternary_sdk._internal.licensing import ledger_rows, state
from ternary_sdk._internal.licensing.appearing import appear
from ternary_sdk.errors import LedgerError

_PATIENCE: Final = 10.0
"""Seconds that a call waits for another process's."""


@contextmanager
def opened(uri: str) -> Iterator[sqlite3.Connection]:
    """An open file, whose transactions begin and end by command."""
    with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)) as connection:
        for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")
        yield connection


def uri(path: Path) -> str:
    """What ``opened`` takes for a file that is there, to read and write it."""
    return f"{location(path.absolute())}?mode=rw"


def location(path: PurePath) -> str:
    """The file's URI in SQLite's spelling: it knows no hosts, so a UNC path begins with four slashes."""
    spelled = path.as_uri()
    return spelled if spelled.startswith("file:///") else spelled.replace("file://", "file:////", 1)


def uri_to_read(path: Path) -> str:
    """As ``uri``, to read a file that may be read-only.

    SQLite reads a write-ahead log only with files that it may make beside it.

    Where it may not, a meter without a log is complete and nobody here can change it, so it is read as it is.
    """
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK):
        return uri(path)
    log = path.with_name(f"{path.name}-wal")
    return f"{location(path.absolute())}?mode=ro{'' if log.exists() else '&immutable=1'}"


def exists(path: Path) -> bool:
    """Whether there is a meter.

    Raises:
        LedgerError: If something else is in its place, or nobody can say.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(found.st_mode):
        raise LedgerError(f"{path}: is not a regular file")
    return True


def create(path: Path) -> None:
    """Make a complete, empty meter, mode 0600, appear at once under its name.

    Two processes that both switched a new file to write-ahead logging would find it locked, and opening
    and closing a file that SQLite holds open in another thread would drop its locks (POSIX fcntl).

    Raises:
        LedgerError: If it cannot be made.
    """
    state.prepare(path)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as workshop:
            draft = Path(workshop) / path.name
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with opened(uri(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                ledger_rows.create(connection)
            appear(draft, path)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made ({error.strerror})") from None
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: cannot be made ({error})") from None
