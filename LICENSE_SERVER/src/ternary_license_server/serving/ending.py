"""
The end of the threads beside a server: each gets so many seconds, and then the process ends without it.

Whoever stops a server waits for half a minute and kills it then. What a thread does not finish is left as a
crash would leave it: its transaction has no trace, and what it was to send is sent again.
"""

import threading
from typing import Final

from ternary_license_server.web.observation import LOG

LAST: Final = 1.0
"""Seconds for a thread that has only its own transaction to finish."""


def end(thread: threading.Thread, seconds: float) -> None:
    """Wait for a thread that was told to stop; the log names one that goes on.

    Args:
        thread: A daemon: the process does not wait for it.
        seconds: At most.
    """
    thread.join(seconds)
    if thread.is_alive():
        facts = {"thread": thread.name, "seconds": seconds}
        LOG.warning("left behind: it did not end in time", extra={"facts": facts})
