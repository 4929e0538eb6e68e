"""
A process that answers ends when the process that supervises it is gone, however that one ended.

Without it a supervisor that was killed would leave processes behind that hold the address and the database,
and that nobody stops or starts again.
"""

import multiprocessing
import os
import signal
import threading
from typing import Protocol


class _Parent(Protocol):
    def join(self) -> None: ...


def end_with_supervisor() -> None:
    """Let this process finish its running requests and end, as after SIGTERM, as soon as its parent is gone.

    The end of a pipe tells it, so it works on every system. A process that was not started by another one of
    the same program has no parent in this sense.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), name="supervised", daemon=True).start()


def _end_after(parent: _Parent) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
