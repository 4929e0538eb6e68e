import os
from pathlib import Path
from threading import Event, Thread

import pytest

from ternary_sdk._internal.licensing import locks

fcntl = pytest.importorskip("fcntl")


def test_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    entered, order = Event(), []

    def second() -> None:
        entered.set()
        with locks.locked(tmp_path / "file"):
            order.append("second")

    with locks.locked(tmp_path / "file"):
        other = Thread(target=second)
        other.start()
        entered.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_file_is_open_for_writing_while_it_is_locked_as_nfs_demands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    flock, modes = fcntl.flock, []

    def noted(descriptor: int, operation: int) -> None:
        modes.append(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", noted)
    with locks.locked(tmp_path / "file"):
        pass
    assert modes == [os.O_RDWR, os.O_RDWR]


def test_missing_file_is_not_made_to_be_locked(tmp_path: Path) -> None:
    with locks.locked(tmp_path / "file"):
        pass
    assert list(tmp_path.iterdir()) == []
