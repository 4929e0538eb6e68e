"""
Whether the state directory is this user's own: readable and writable by him, and by nobody else.

Only POSIX says so in a file's mode; elsewhere nothing is looked at.
"""

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ternary_sdk.errors import TernaryError

_NOTHING: Final = "nothing is kept yet"


class FaultError(TernaryError):
    """A problem of the user's system. ``remedy`` says how to fix it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.remedy = remedy


def examine(directory: Path, *, needed: bool) -> str:
    """What a state directory's owner and modes are; nothing is written.

    Args:
        directory: One vendor's part of the state directory, which need not exist yet.
        needed: Whether the license is refused where nothing can be kept.
    Raises:
        FaultError: If calls cannot rely on it, or others can read it.
    """
    if os.name != "posix":
        return _NOTHING
    try:
        kept = (directory, *sorted(directory.iterdir()))
    except FileNotFoundError:
        return _missing(directory, needed=needed)
    except OSError as error:
        found = f"{directory}: cannot be read ({error.strerror})"
        if not needed:
            return f"{found}, and the license does not need it"
        raise FaultError(found, give_back(directory)) from None
    closed = _first_closed(kept)
    if closed is not None and needed:
        raise FaultError(f"{closed}: cannot be written, and the license needs it", give_back(directory))
    for path in kept:
        with suppress(FileNotFoundError):  # a draft of another process
            _check_own(path, directory)
    if closed is not None:
        return f"{closed}: cannot be written, and the license does not need it"
    return f"{directory}: its owner's alone"


def give_back(directory: Path) -> str:
    """What to do about state that this user cannot use."""
    return (
        f"have {directory} on a disk that can be written and given to the user who runs this "
        "('chown -R', 'chmod -R u+rwX')"
    )


def is_closed(directory: Path) -> bool:
    """Whether something in an existing directory cannot be read and written by this user."""
    try:
        return _first_closed((directory, *directory.iterdir())) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _missing(directory: Path, *, needed: bool) -> str:
    parent = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
    if needed and not parent.is_dir():
        raise FaultError(f"{parent}: is not a folder, and the license needs one", give_back(directory))
    if needed and not _is_open(parent):
        raise FaultError(
            f"{directory}: cannot be made, {parent} cannot be written, and the license needs it",
            give_back(directory),
        )
    return _NOTHING


def _first_closed(paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if not _is_open(path)), None)


def _is_open(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)) or not path.exists()


def _check_own(path: Path, directory: Path) -> None:
    found = path.stat()
    if sys.platform != "win32" and found.st_uid != os.geteuid():
        raise FaultError(
            f"{path}: belongs to user {found.st_uid}, this runs as user {os.geteuid()}", give_back(directory)
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise FaultError(f"{path}: others can read it", f"chmod {mode} {path}")
