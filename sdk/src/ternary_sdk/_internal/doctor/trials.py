"""
Whether a file system can keep the state: each call that the state will need is tried.

All of it happens in a scratch folder, which is removed again.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_sdk._internal.doctor.permissions import FaultError
from ternary_sdk._internal.licensing import locks, state
from ternary_sdk._internal.licensing.appearing import appear
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk.errors import LedgerError
from ternary_sdk.operations import OperationSet

_PREFIX: Final = ".ternary-trial."


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One call."""

    call: str
    """What it is called in messages, such as ``file locks``."""
    attempt: Callable[[Path], None]
    """Makes the call in a scratch folder that holds a file named ``file``; raises OSError or LedgerError."""
    without: str
    """What follows where the call fails."""
    harmless: bool = False
    """Whether the state is as good without it."""


def examine(directory: Path, *, needed: bool) -> str:
    """Try each call that the state will need where it is kept, or will be.

    Args:
        directory: One vendor's part of the state directory, which need not exist yet.
        needed: Whether the license is refused where nothing can be kept.
    Raises:
        FaultError: If a call fails that is needed.
    """
    place = next(filter(_is_folder, (directory, *directory.parents)))
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{place}: cannot be written, so nothing was tried"
    failed, harm = _attempts(place)
    if harm and needed:
        raise FaultError(
            f"{place}: {'; '.join(failed)}", "name a state directory on another disk with '--state DIR'"
        )
    return f"{place}: {'; '.join(failed) or 'every call that the state needs works'}"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # behind a folder that is closed to this user
        return False


def _attempts(place: Path) -> tuple[list[str], bool]:
    """What failed, in words, and whether any of it does harm."""
    failed, harm = [], False
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True) as made:
            scratch = Path(made)
            for trial in _TRIALS:
                try:
                    trial.attempt(scratch)
                except (OSError, LedgerError) as error:
                    failed.append(f"no {trial.call} here ({_reason(error)}): {trial.without}")
                    harm = harm or not trial.harmless
    except OSError as error:
        return [f"no folder can be made here ({_reason(error)}): nothing can be kept"], True
    return failed, harm


def _reason(error: OSError | LedgerError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _create(scratch: Path) -> None:
    os.close(os.open(scratch / "file", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _sync(scratch: Path) -> None:
    with (scratch / "file").open("wb") as file:
        file.write(b"trial")
        file.flush()
        os.fsync(file.fileno())


def _link(scratch: Path) -> None:
    os.link(scratch / "file", scratch / "linked")


def _appear(scratch: Path) -> None:
    state.write(scratch / "draft", b"trial")
    appear(scratch / "draft", scratch / "appeared")
    if state.read(scratch / "appeared", 10) != b"trial":
        raise LedgerError("the file did not appear")


def _count(scratch: Path) -> None:
    ledger, one = Ledger(scratch / state.LEDGER), OperationSet.of([0])
    ledger.record("trial", 1, one)
    if ledger.drawn("trial") != one:
        raise LedgerError("it lost what was counted")


def _log(scratch: Path) -> None:
    import sqlite3

    try:
        with closing(sqlite3.connect(scratch / state.LEDGER)) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        raise LedgerError(str(error)) from None
    if mode != "wal":
        raise LedgerError(f"its mode is {mode}")


_TRIALS: Final = (
    Trial(call="exclusive creation of files", attempt=_create, without="nothing can be kept"),
    Trial(call="writing through to the disk", attempt=_sync, without="a crash may lose what was counted"),
    Trial(
        call="replacing of files",
        attempt=lambda scratch: state.write(scratch / "file", b"again"),
        without="the clock mark cannot be kept",
    ),
    Trial(
        call="hard links",
        attempt=_link,
        without="a new key or meter is put in its place by renaming a folder",
        harmless=True,
    ),
    Trial(call="exclusive naming of files", attempt=_appear, without="no key and no meter can be made"),
    Trial(
        call="file locks",
        attempt=lambda scratch: locks.attempt(scratch / "file"),
        without="two processes that change the clock mark at once may lose one change, such as a denial",
    ),
    Trial(call="meter", attempt=_count, without="nothing is returned under a license with a quota"),
    Trial(
        call="write-ahead log of SQLite",
        attempt=_log,
        without="processes that count at the same time wait longer for each other",
        harmless=True,
    ),
)
