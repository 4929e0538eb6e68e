import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ternary_sdk._internal.doctor import trials
from ternary_sdk._internal.doctor.permissions import FaultError
from ternary_sdk._internal.licensing import locks

fcntl = pytest.importorskip("fcntl")

REMEDY = "name a state directory on another disk with '--state DIR'"


def refusing(number: int) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return refuse


def test_good_disk_is_said_to_be_good_and_left_as_it_was(tmp_path: Path) -> None:
    assert trials.examine(tmp_path / "state" / "vendor", needed=True) == (
        f"{tmp_path}: every call that the state needs works"
    )
    assert list(tmp_path.iterdir()) == []


LINKS = (
    "no hard links here (Operation not permitted): "
    "a new key or meter is put in its place by renaming a folder"
)


def test_disk_without_links_is_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    assert trials.examine(tmp_path, needed=True) == f"{tmp_path}: {LINKS}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_disk_without_locks_is_named_and_works_unlocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    found = (
        f"{tmp_path}: no file locks here ({os.strerror(number)}): two processes that change the clock mark "
        "at once may lose one change, such as a denial"
    )
    with pytest.raises(FaultError) as fault:
        trials.examine(tmp_path, needed=True)
    assert (str(fault.value), fault.value.remedy) == (found, REMEDY)
    assert trials.examine(tmp_path, needed=False) == found
    (tmp_path / "file").touch()
    with locks.locked(tmp_path / "file"):
        pass


@pytest.mark.parametrize(
    ("call", "follows"),
    [
        (
            "fsync",
            "no writing through to the disk here (Input/output error): a crash may lose what was counted",
        ),
        ("rename", "no exclusive naming of files here (Input/output error): no key and no meter can be made"),
        ("replace", "no replacing of files here"),
    ],
)
def test_call_that_fails_is_named_with_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, follows: str
) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    monkeypatch.setattr(os, call, refusing(errno.EIO))
    with pytest.raises(FaultError) as fault:
        trials.examine(tmp_path, needed=True)
    assert follows in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_disk_that_holds_no_more_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "mkdir", refusing(errno.ENOSPC))
    with pytest.raises(FaultError) as fault:
        trials.examine(tmp_path, needed=True)
    assert str(fault.value) == (
        f"{tmp_path}: no folder can be made here (No space left on device): nothing can be kept"
    )


class Unlogged(sqlite3.Connection):
    """SQLite where no memory can be shared: its mode stays the rollback journal."""

    def execute(self, sql: str, *words: Any) -> sqlite3.Cursor:
        return super().execute("SELECT 1" if sql == "PRAGMA journal_mode = WAL" else sql, *words)


def test_meter_without_a_log_counts_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *words, **named: connect(*words, factory=Unlogged, **named)
    )
    assert trials.examine(tmp_path, needed=True) == (
        f"{tmp_path}: no write-ahead log of SQLite here (its mode is delete): processes that count at the "
        "same time wait longer for each other"
    )
