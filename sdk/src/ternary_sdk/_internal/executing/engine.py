"""
Pure tasks over an executor, a few ahead of what is done; a pool whose process was killed is made anew.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager
from typing import Final, TypeVar

from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk.errors import InputError

AHEAD: Final = 3
"""Tasks given to each worker: the one that it does, and those that it need not wait for."""

_MOST_BREAKS: Final = 5
"""A pool that breaks so often without having done a task does not do it for want of luck."""

Given = TypeVar("Given")
Done = TypeVar("Done")


class Engine(AbstractContextManager["Engine"]):
    """Runs tasks that may be run twice.

    Args:
        executor: Somebody else's, neither made anew nor shut down here; by default a pool of its own.
        workers: How many tasks run at once; by default as many as this process may use cores.
        processes: Whether its own pool is of processes; one of threads is there at once, but they wait for
            one another.
    """

    def __init__(
        self, executor: Executor | None = None, workers: int | None = None, *, processes: bool = True
    ) -> None:
        self.workers = workers or usable_cores()
        self._processes = processes
        self._given = executor
        self._pool: Executor | None = None

    def results(
        self, function: Callable[[Given], Done], tasks: Iterable[Given]
    ) -> Iterator[tuple[Given, Done]]:
        """Each task and its result, as they are done. What a task raises ends all.

        Args:
            function: Of a module, so that another process finds it.
            tasks: What it is called with; taken as workers become free.
        Raises:
            InputError: If a pool of processes breaks again and again, or somebody else's breaks.
        """
        fresh, again, running, breaks = iter(tasks), deque[Given](), dict[Future[Done], Given](), 0
        try:
            while True:
                broken = not self._fill(function, fresh, again, running)
                if not running and not broken:
                    return
                done = list(running) if broken else wait(running, return_when=FIRST_COMPLETED).done
                for future in done:
                    task = running.pop(future)
                    try:
                        result = future.result()
                    except BrokenExecutor:
                        again.append(task)
                        broken = True
                    else:
                        breaks = 0
                        yield task, result
                if broken:
                    again.extend(running.values())
                    running.clear()
                    breaks += 1
                    self._renew(breaks)
        finally:  # after a failure, or because nobody takes the rest
            for future in running:
                future.cancel()

    def _fill(
        self,
        function: Callable[[Given], Done],
        fresh: Iterator[Given],
        again: deque[Given],
        running: dict[Future[Done], Given],
    ) -> bool:
        """Give the workers tasks, those first that were lost; false if the pool is broken."""
        while len(running) < AHEAD * self.workers:
            if (task := again.popleft() if again else next(fresh, None)) is None:
                return True
            try:
                running[self._executor().submit(function, task)] = task
            except BrokenExecutor:
                again.append(task)
                return False
        return True

    def _executor(self) -> Executor:
        if self._given is not None:
            return self._given
        if self._pool is None:
            # Spawned: a fork would copy the locks of threads as they happen to be.
            context = multiprocessing.get_context("spawn")
            self._pool = (
                ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
                if self._processes
                else ThreadPoolExecutor(self.workers, thread_name_prefix="ternary")
            )
        return self._pool

    def _renew(self, breaks: int) -> None:
        if self._given is not None:
            raise InputError(
                "executor: it is broken, because one of its workers ended; make a new one and go on"
            )
        if breaks == _MOST_BREAKS:
            raise InputError(
                f"worker processes ended {breaks} times before one task was done; give less memory or fewer "
                "workers, if the system ended them for want of memory"
            )
        self.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End this engine's own processes, once they have done what they are at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In each process of a pool: end silently with Ctrl-C, and with the process that asked for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: "multiprocessing.process.BaseProcess") -> None:
    parent.join()
    os._exit(1)
