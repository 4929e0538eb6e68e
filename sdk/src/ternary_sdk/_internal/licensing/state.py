"""
Where this user's state lives: the meter, the clock mark, the installation key.

One directory, chosen by the caller or by the platform, mode 0700, with files of mode 0600. Deleting or
moving it loses the meter of every license with a quota; that cannot be prevented, only noticed by a server.
"""

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.source import opened
from ternary_sdk.errors import LedgerError

LEDGER: Final = "ledger.sqlite3"
_VARIABLES: Final[Mapping[str, str | None]] = {"darwin": None, "win32": "LOCALAPPDATA"}
_BELOW_HOME: Final[Mapping[str, str]] = {"darwin": "Library/Application Support", "win32": "AppData/Local"}
_SHUT: Final = {errno.EISDIR, errno.ELOOP, errno.ENXIO} | (
    {errno.EACCES, errno.EPERM} if os.name == "posix" else set()  # on Windows also while it is replaced
)


class UnreadableError(LedgerError):
    """What lies there is not a file, or not one that this user can read."""


def directory(chosen: Path | None = None) -> Path:
    """The state directory, which need not exist yet.

    Args:
        chosen: The one that the caller wants; by default ``default``.
    Raises:
        LedgerError: If none is chosen and this user has no home directory, or no directory can have the name.
    """
    if chosen is not None and "\0" in str(chosen):
        raise LedgerError(f"state directory: {str(chosen)!r}, which has a NUL character")
    found = default() if chosen is None else chosen.absolute()
    if found is None:
        raise LedgerError(
            "state directory: this user has no home directory; name a directory for the meter, the clock "
            "mark and the installation key with state= or '--state DIR'"
        )
    return found


def default() -> Path | None:
    """This user's own state directory; None if this user has no home directory.

    ``~/Library/Application Support/ternary`` on macOS, ``%LOCALAPPDATA%\\ternary`` on Windows, elsewhere
    ``$XDG_DATA_HOME/ternary`` with the default ``~/.local/share``. A relative path in a variable is ignored,
    as the XDG Base Directory specification demands; with an absolute one no home directory is needed.
    """
    variable = _VARIABLES.get(sys.platform, "XDG_DATA_HOME")
    data = os.environ.get(variable, "") if variable else ""
    if Path(data).is_absolute():
        return Path(data) / "ternary"
    home = _home()
    return None if home is None else home / _BELOW_HOME.get(sys.platform, ".local/share") / "ternary"


def for_vendor(root: str, chosen: Path | None = None) -> Path:
    """The part of the directory that belongs to one vendor, so that no vendor's numbers meet another's.

    Args:
        root: The root key's thumbprint, ``trust.root.kid``.
        chosen: The state directory that the caller wants; by default ``default``.
    Raises:
        LedgerError: As ``directory``.
    """
    return directory(chosen) / f"vendor-{hashlib.sha256(root.encode()).hexdigest()[:32]}"


def prepare(path: Path) -> None:
    """Make the directory a state file goes in, and those above it, mode 0700 where they are new.

    Raises:
        LedgerError: If it cannot be made.
    """
    try:
        _make(path.parent)
    except OSError as error:
        raise LedgerError(
            f"{path.parent}: cannot be made ({error.strerror}); "
            "name another state directory with state= or '--state DIR'"
        ) from None


def _make(folder: Path) -> None:
    """Make a directory; unlike ``parents=True``, this gives those above it the same mode."""
    new = [folder]
    while not new[-1].exists() and new[-1] != new[-1].parent:
        new.append(new[-1].parent)
    for each in reversed(new):
        each.mkdir(mode=0o700, exist_ok=True)


def read(path: Path, most: int) -> bytes | None:
    """A state file's bytes, or None where there is none. Whatever lies there, this does not wait for it.

    Args:
        path: The file.
        most: Bytes of the largest valid file; one more is read, so that a larger one is not valid.
    Raises:
        UnreadableError: If it is not a regular file, or this user may not read it.
        LedgerError: If it cannot be read for another reason.
    """
    try:
        with opened(path) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError(f"{path}: is not a regular file")
            return file.read(most + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableError(f"{path}: is a link to nothing") from None
        return None
    except OSError as error:
        kind = UnreadableError if error.errno in _SHUT else LedgerError
        raise kind(f"{path}: cannot be read ({error.strerror})") from None


def write(path: Path, data: bytes) -> None:
    """Replace a state file at once, mode 0600: after a crash it holds the old bytes or the new ones.

    Raises:
        LedgerError: If it cannot be written.
    """
    prepare(path)
    whole_file.write(path, data, mode=whole_file.PRIVATE, refusal=LedgerError)


def _home() -> Path | None:
    """This user's home directory, which need not exist yet; None if another user's, which is closed."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    try:
        (home / "ternary").stat()  # no matter what is there: is the way there open?
    except FileNotFoundError:
        pass
    except OSError:
        return None
    return home if home.is_absolute() else None
