"""
Counting prior draws of one decoder, exactly, in bounded memory, on any executor.

1. Tasks draw; each makes one file of what it drew, cut into ranges of the space.
2. Ranges are counted, each once, from exactly one file per task.
3. The result is written down, and the files of the tasks are removed.

Whatever was done stays done: the files of a count that ended early serve ``resume``, on other workers too.
"""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.counting import drawing, shard, task_file
from ternary_sdk._internal.counting.draw_count import DrawCount
from ternary_sdk._internal.counting.drawing import Task
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.counting.plan import Plan
from ternary_sdk._internal.counting.progress import Pace, Progress, silent
from ternary_sdk._internal.executing.engine import Engine
from ternary_sdk._internal.tally import Tally
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

LEAST_MEMORY: Final = 1 << 27
"""For each worker, bytes: a task's indices and their sorted partitions, or two large files of tasks."""

MOST_DRAWS: Final = 10**12


_MANY: Final = 1 << 20
"""Fewer draws take less time than starting processes does."""


def disk_needed(draws: int, space: Space) -> int:
    """The most bytes that counting takes in its folder, while it runs."""
    return Plan(space, draws).bytes


def count(
    decoder: bytes,
    signature: Signature,
    *,
    seed: int,
    draws: int,
    folder: Path,
    memory: int,
    executor: Executor | None = None,
    workers: int | None = None,
    resume: bool = False,
    most_tied: int | None = None,
    tell: Callable[[Progress], None] = silent,
) -> DrawCount:
    """Draw rows of the prior and count what they decode to.

    Args:
        decoder: ONNX bytes, already inspected by ``firewall``.
        signature: What the decoder is of.
        seed: Of the stream, in [0, 2^64).
        draws: Rows 0 to draws - 1 of domain 0, 1 to 10^12.
        folder: For files of indices, made if it is not there; all workers see it under this name. At the end
            only the result is left in it.
        memory: Bytes that all workers together may hold of indices, at least 128 MiB each.
        executor: What the tasks run on; by default, from 2^20 draws on, a process for each core, made anew if
            one is killed; threads for fewer.
        workers: How many tasks the executor runs at once; by default as many as this process has cores.
        resume: Go on with what an earlier call left in the folder.
        most_tied: The result says where the near ties are, which takes at most so many bytes as gaps. None
            for their number alone, which takes no memory however many there are.
        tell: Called with how far it has come, in the caller's thread.
    Raises:
        InputError: If an argument is out of range, the folder cannot be used or has too little space or holds
            files of this count and ``resume`` is false, or worker processes end again and again; after the
            first task, if the positions of near ties would take more bytes than they may.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws: {draws:,}, expected 1 to {MOST_DRAWS:,}")
    job = Job(
        decoder=hashlib.sha256(decoder).hexdigest(),
        signature=signature,
        seed=seed,
        draws=draws,
        positions=most_tied is not None,
    )
    with Engine(executor, workers, processes=draws >= _MANY) as engine:
        if memory < LEAST_MEMORY * engine.workers:
            raise InputError(
                f"memory: {memory >> 20:,} MiB for {engine.workers} workers, "
                f"expected at least {LEAST_MEMORY * engine.workers >> 20:,} MiB"
            )
        done = _begin(folder, job, resume=resume)
        if (folder / job.result).exists():
            return DrawCount.read(folder / job.result)
        _draw(engine, job, decoder, folder, done, most_tied, tell)
        counted = _count(engine, job, folder, memory // engine.workers // job.plan.item_type.itemsize, tell)
    counted.write(folder / job.result)
    discard(folder, job)
    return counted


def _begin(folder: Path, job: Job, *, resume: bool) -> set[int]:
    """Make the folder, and find which tasks are done.

    Raises:
        InputError: As ``count``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {entry.name for entry in folder.iterdir()}
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise InputError(f"{folder}: cannot be used ({error.strerror})") from None
    plan = job.plan
    done = {task for task in map(job.task_of, names) if task is not None}
    if not resume and (done or job.result in names):
        raise InputError(
            f"{folder}: holds {len(done):,} of {plan.tasks:,} parts of this count already; "
            "resume it, or name another folder"
            if done
            else f"{folder}: holds the result of this count already; resume it, or name another folder"
        )
    needed = plan.bytes * (plan.tasks - len(done)) // plan.tasks
    if job.result not in names and free < needed:
        raise InputError(
            f"{folder}: {job.draws:,} draws need {_gigabytes(needed)} there, {_gigabytes(free)} are free"
        )
    return done


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.3f} GB"


def _draw(
    engine: Engine,
    job: Job,
    decoder: bytes,
    folder: Path,
    done: set[int],
    most_tied: int | None,
    tell: Callable[[Progress], None],
) -> None:
    """Do every task that is not done."""
    if done:
        _expect_room(folder, job, min(done), most_tied)
    pace = Pace("drawing", job.draws, sum(job.plan.rows_of(task) for task in done))
    tell(pace.add(0))
    tasks = (
        Task(job=job, decoder=decoder, number=task, folder=str(folder))
        for task in range(job.plan.tasks)
        if task not in done
    )
    expected = bool(done)
    for task, rows in engine.results(drawing.draw, tasks):
        if not expected:
            _expect_room(folder, job, task.number, most_tied)
            expected = True
        tell(pace.add(rows))


def _expect_room(folder: Path, job: Job, task: int, most: int | None) -> None:
    """Refuse a count whose near ties will not fit, as one task shows it, hours before all are known."""
    if most is None:
        return
    expected = len(task_file.read(folder, job, task).tied) * job.draws // job.plan.rows_of(task)
    if expected > most:
        raise InputError(
            f"near ties: those of {job.draws:,} draws would take about {expected:,} bytes, "
            f"expected at most {most:,}; count fewer draws"
        )


def _count(engine: Engine, job: Job, folder: Path, most: int, tell: Callable[[Progress], None]) -> DrawCount:
    """Put together what all tasks found."""
    plan, near_ties, leaves = job.plan, 0, list[bytes]()
    positions = list[npt.NDArray[np.int64]]()
    sizes = np.zeros(plan.partitions, np.int64)
    for task in range(plan.tasks):
        found = task_file.read(folder, job, task)
        near_ties += found.near_ties
        if job.positions:
            positions.append(found.positions() + plan.start_of(task))
        leaves.append(found.leaves)
        sizes += found.sizes
    total, pace = Tally(), Pace("counting", job.draws - near_ties)
    for _, part in engine.results(shard.count, shard.shards(job, folder, sizes, most)):
        total += part
        tell(pace.add(part.draws))
    if total.draws != job.draws - near_ties:
        raise InputError(f"{folder}: its files hold {total.draws:,} clear draws, expected {pace.draws:,}")
    return DrawCount(
        draws=job.draws,
        near_ties=near_ties,
        kept=np.concatenate(positions) if job.positions else None,
        clear=total.draws,
        distinct=total.distinct,
        once=total.once,
        twice=total.twice,
        pairs=total.pairs,
        leaves=b"".join(leaves),
    )


def discard(folder: Path, job: Job) -> None:
    """Remove the files of a count's own tasks, and what killed workers began of them.

    Counts of other numbers of draws may have their files in the same folder, under the same digest.
    """
    with suppress(OSError):
        for entry in folder.iterdir():
            begun = entry.name[1:].rpartition(".")[0]
            name = begun if whole_file.is_draft(entry.name, begun) else entry.name
            if job.task_of(name) is not None:
                entry.unlink()


def forget(folder: Path, job: Job) -> None:
    """Remove all that a count left in its folder, the result too."""
    discard(folder, job)
    with suppress(OSError):
        (folder / job.result).unlink()
