"""
Counting the figures of the business in the background, so that nobody who asks for metrics makes the
database work.

They are counted once a minute, and more rarely where that would take more than a hundredth of the time. What
was counted last is in a file; a time in it says how old it is.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from ternary_license_server.database.engine import Database
from ternary_license_server.database.waiting import Limits
from ternary_license_server.service import figures
from ternary_license_server.serving.ending import LAST, end
from ternary_license_server.web.observation import LOG
from ternary_sdk._internal import whole_file
from ternary_sdk.errors import TernaryError

PERIOD: Final = 60.0
"""Least seconds from one count to the next."""
LIMITS: Final = Limits.of(10)
"""How long a group of figures may take; a longer query would hold back what the database cleans up."""
SHARE: Final = 100
"""A count that took a second is followed by at least so many seconds without one."""


@contextmanager
def keeping(
    database: Database, file: Path, key_set_end: Callable[[], datetime | None], last: float = LAST
) -> Iterator[None]:
    """Count at once and then again and again, in a thread of its own, until the end of the block.

    Args:
        database: Where; used by that thread alone.
        file: Where the figures are kept, as a JSON object of objects.
        key_set_end: When the vendor's key set ends, if it does.
        last: Seconds for a count that runs at the end.
    """
    stop = threading.Event()

    def count_on() -> None:
        wait = 0.0
        while not stop.wait(wait):
            wait = pause(count(database, file, key_set_end()))

    thread = threading.Thread(target=count_on, name="figures", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        end(thread, last)


def pause(took: float) -> float:
    """Seconds from a count that took so many seconds to the next one."""
    return max(PERIOD, SHARE * took)


def count(database: Database, file: Path, key_set_end: datetime | None) -> float:
    """Count once and keep it; a failure leaves the last count, and a line in the log.

    Returns:
        How many seconds it took.
    """
    began = time.monotonic()
    try:
        found, now = figures.count(database.read), database.clock.estimate()
        took = time.monotonic() - began
        whole_file.write(file, json.dumps(found | _beside(now, took, key_set_end)).encode())
    except TernaryError as refusal:
        LOG.error("figures", extra={"facts": {"fault": str(refusal)}})
    return time.monotonic() - began


def _beside(now: datetime, took: float, key_set_end: datetime | None) -> dict[str, dict[str, float]]:
    return {
        "ternary_figures_timestamp_seconds": {"": int(now.timestamp())},
        "ternary_figures_seconds": {"": round(took, 3)},
        "ternary_key_set_end_timestamp_seconds": {"": key_set_end.timestamp() if key_set_end else 0},
    }
