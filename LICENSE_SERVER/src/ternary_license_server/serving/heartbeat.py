"""
What a running server writes down once a minute: the newest moment that its database has seen.

The next start compares its clock with that moment. Without it a server that nobody asks anything for weeks
would look as if it had been down for as long.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ternary_license_server.database.clock import ClockError
from ternary_license_server.database.engine import Database
from ternary_license_server.serving.ending import LAST, end
from ternary_license_server.web.observation import LOG
from ternary_sdk.errors import TernaryError

PERIOD: Final = 60.0
"""Seconds from one beat to the next."""


@contextmanager
def beating(
    database: Database, tell: Callable[[str], None], period: float = PERIOD, last: float = LAST
) -> Iterator[None]:
    """Beat at once and then in every period, in a thread of its own, until the end of the block.

    Args:
        database: Where; used by that thread alone.
        tell: Says the first beat's failure to whoever starts the server; later ones go to the log.
        period: Seconds.
        last: Seconds for a beat that runs at the end.
    """
    stop = threading.Event()

    def beat_on() -> None:
        while not stop.wait(period):
            _beat(database, lambda fault: LOG.error("clock", extra={"facts": {"fault": fault}}))

    _beat(database, lambda fault: tell(f"warning: {fault}"))
    thread = threading.Thread(target=beat_on, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        end(thread, last)


def _beat(database: Database, alarm: Callable[[str], None]) -> None:
    try:
        with database.write() as transaction:
            transaction.mark_clock()
    except ClockError as refusal:
        alarm(str(refusal))
    except TernaryError as refusal:
        alarm(f"the newest moment cannot be written down: {refusal}")
