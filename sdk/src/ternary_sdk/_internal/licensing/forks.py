"""
Work that a fork must not interrupt, because part of it lives in this process's memory.

SQLite keeps its file locks in such memory. A child that is forked while another thread counts would take that
thread's locks over with nobody to release them, and find the meter locked for ever. So a fork waits until no
thread is at such work, and no thread begins any while it waits. Windows has no fork.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE: Final = 30.0
"""Most seconds that a fork and work wait for each other, so that no error hangs a host; either takes less."""


class ForkGuard:
    """Keeps forks and the work of threads apart; threads do their work side by side.

    A thread that forks in the middle of its own work, as a signal handler may, does not wait for itself. The
    work then goes on in both processes, and ``unforked`` says in which of them it may take effect.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work: dict[object, tuple[int, int]] = {}
        """The thread of each piece of work, and the process that it began in."""
        self._waiting = 0
        """How many forks wait."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._renew)

    @contextmanager
    def unforked(self) -> Iterator[int]:
        """No other thread forks within this block. Gives the number of the process that began it.

        If this thread has work that another process began, gives that one's number: the locks are still its.
        """
        work, me, changed = object(), threading.get_ident(), self._changed
        try:
            with changed:
                changed.wait_for(lambda: not self._waiting or me in self._threads(), PATIENCE)
                process = next((pid for thread, pid in self._at_work.values() if thread == me), os.getpid())
                self._at_work[work] = me, process
            yield process
        finally:
            with changed:
                self._at_work.pop(work, None)
                changed.notify_all()

    def _threads(self) -> set[int]:
        return {thread for thread, _ in self._at_work.values()}

    def _before(self) -> None:
        """Wait for the work of other threads, and hold new work off until the fork is over."""
        me = threading.get_ident()
        self._changed.acquire()
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: {me}.issuperset(self._threads()), PATIENCE)
        finally:
            self._waiting -= 1

    def _after(self) -> None:
        self._changed.notify_all()
        self._changed.release()

    def _renew(self) -> None:
        """In the child no other thread lives on. What waits for the lock that a fork holds may wait in vain
        there, so a new one takes its place; interrupted work of this thread still owns the old one."""
        me = threading.get_ident()
        self._changed = threading.Condition()
        self._at_work = {work: begun for work, begun in self._at_work.items() if begun[0] == me}
        self._waiting = 0
