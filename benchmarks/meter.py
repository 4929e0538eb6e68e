"""What a meter of a vast space costs: its file, and counting beside ten million operations."""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.measurement import Measurement, seconds
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

SPACE: Final = Space(3, 3)
HELD: Final = 10_000_000
NEW: Final = 10_000
CALLS: Final = 50


def measurements() -> Iterator[Measurement]:
    """Fill a meter, then count new operations beside what it holds."""
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "state" / "ledger.sqlite3")
        for _ in range(10):
            _record(ledger, random, HELD // 10)
        _wait_for_joining()
        yield Measurement(
            name="meter of 10^7 operations of 3^27",
            value=ledger.path.stat().st_size / 1e6,
            unit="MB",
            most=40,
            detail="on disk",
        )
        measured = [_record(ledger, random, NEW) for _ in range(CALLS)]
        _wait_for_joining()
        wall, processor = ([one[which] for one in measured] for which in (0, 1))
        yield Measurement(
            name="count 10^4 new operations beside 10^7",
            value=1e3 * statistics.median(wall),
            unit="ms",
            most=20,
            detail=f"on disk; processor time of the call {1e3 * statistics.median(processor):.1f} ms, "
            f"longest call {1e3 * max(wall):.0f} ms",
        )
        yield _cold(folder)


def _cold(folder: str) -> Measurement:
    """The first call of a process, which reads what is held."""
    code = (
        "import sys; from pathlib import Path; from ternary_sdk._internal.licensing.ledger import Ledger; "
        "from ternary_sdk.operations import OperationSet; from ternary_sdk.space import Space; "
        "Ledger(Path(sys.argv[1])).lacking('L', OperationSet.of([1], Space(3, 3)))"
    )
    file = str(Path(folder) / "state" / "ledger.sqlite3")
    return Measurement(
        name="first look-up of a process in 10^7",
        value=statistics.median(seconds([sys.executable, "-c", code, file]) for _ in range(3)),
        unit="s",
        detail="the whole process",
    )


def _record(ledger: Ledger, random: np.random.Generator, operations: int) -> tuple[float, float]:
    """Seconds by the clock, and of this thread's processor time, that counting some operations takes."""
    drawn = OperationSet.of(random.integers(0, SPACE.size, operations), SPACE)
    start, thread = time.perf_counter(), time.thread_time()
    ledger.record("L", 1 << 50, drawn, lease="S", owner="Initech")
    return time.perf_counter() - start, time.thread_time() - thread


def _wait_for_joining() -> None:
    for thread in threading.enumerate():
        if thread.name == "ternary-meter":
            thread.join()
