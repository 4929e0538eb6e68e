"""
Ctrl-C during a training: the first finishes the epoch and keeps it, a second gives it up.

Under `separate` an epoch runs in threads, which Python joins: even a second Ctrl-C waits for them, but keeps
nothing.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether someone asked the training to stop."""

    requested = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: note the first request; the second ends the training."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def finishing() -> Iterator[Interrupt]:
    """Turn SIGINT into a request for as long as the context lasts.

    Outside the main thread Python allows no handlers; there the program around decides what Ctrl-C means.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt.ask)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
