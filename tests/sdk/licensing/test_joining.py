"""What stops the thread that joins segments is not shown, and another may begin."""

import threading
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing import joining
from ternary_sdk.errors import LedgerError


@pytest.mark.parametrize("error", [MemoryError(), LedgerError("meter: is locked"), ValueError("damaged")])
def test_whatever_stops_joining_prints_nothing(
    error: Exception, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = list[object]()
    monkeypatch.setattr(threading, "excepthook", shown.append)
    begun = list[str]()

    def join(history: str) -> None:
        begun.append(history)
        raise error

    for _ in range(2):
        joining.beside(join, tmp_path / "meter", "set")
        for thread in threading.enumerate():
            if thread.name == "ternary-meter":
                thread.join()
    assert begun == ["set", "set"]
    assert shown == []
    assert capfd.readouterr() == ("", "")
