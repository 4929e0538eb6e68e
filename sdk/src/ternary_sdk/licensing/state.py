"""
Where this user's state lives: the meter, the clock mark, the installation key.

One directory of the platform's own choosing, mode 0700, with files of mode 0600. Deleting or moving it
loses the meter of every license with a quota; that cannot be prevented, only noticed by a server.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ternary_sdk.errors import LedgerError
from ternary_sdk.licensing import file_lock

LEDGER: Final = "ledger.sqlite3"
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.005


def directory() -> Path:
    """The directory, which need not exist yet.

    ``~/Library/Application Support/ternary`` on macOS, ``%LOCALAPPDATA%\\ternary`` on Windows, elsewhere
    ``$XDG_DATA_HOME/ternary`` with the default ``~/.local/share``; a relative ``$XDG_DATA_HOME`` is
    ignored, as the XDG Base Directory specification demands.

    Raises:
        LedgerError: If this user has no home directory.
    """
    try:
        home = Path.home()
    except RuntimeError:
        raise LedgerError(
            "state directory: this user has no home directory; set XDG_DATA_HOME to a directory of its own"
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "ternary"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "ternary"
    chosen = os.environ.get("XDG_DATA_HOME", "")
    return (Path(chosen) if chosen.startswith("/") else home / ".local" / "share") / "ternary"


def for_vendor(root: str) -> Path:
    """The part of the directory that belongs to one vendor, so that no vendor's numbers meet another's.

    Args:
        root: The root key's thumbprint, ``trust.root.kid``.
    Raises:
        LedgerError: As ``directory``.
    """
    return directory() / f"vendor-{hashlib.sha256(root.encode()).hexdigest()[:32]}"


def prepare(path: Path) -> None:
    """Make the directory a state file goes in, mode 0700 where it is new.

    Raises:
        LedgerError: If it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{path.parent}: cannot be made ({error.strerror})") from None


def write(path: Path, data: bytes) -> None:
    """Replace a state file at once, mode 0600: after a crash it holds the old bytes or the new ones.

    Raises:
        LedgerError: If it cannot be written.
    """
    prepare(path)
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be written ({error.strerror})") from None


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
        descriptor = os.open(path, os.O_RDONLY)
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
