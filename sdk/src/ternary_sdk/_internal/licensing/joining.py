"""
A thread that joins the segments of a meter's sets beside the calls that count.

It does nothing that must be done: whatever stops it, the set is whole, and a later call starts it again. An
ending process waits for it, so that commands that live shortly join segments too.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_RUNNING: Final[set[tuple[int, Path, str]]] = set()
"""What is being joined: process, file and set. A forked child finds its parent's here, and does not wait."""


def beside(join: Callable[[str], None], file: Path, history: str) -> None:
    """Join the segments of a set in a thread, unless one is at it already.

    Args:
        join: Does it.
        file: The meter.
        history: Names the set.
    """
    this = os.getpid(), file, history

    def run() -> None:
        try:
            # Whatever it is, MemoryError too: Python would print it in the customer's program.
            with suppress(Exception):
                join(history)
        finally:
            _RUNNING.discard(this)

    if this in _RUNNING:
        return
    _RUNNING.add(this)
    try:
        threading.Thread(target=run, name="ternary-meter").start()
    except RuntimeError:  # the process ends, or has as many threads as it may
        _RUNNING.discard(this)
