"""
Counting one range of the space from the files of all tasks, each read once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import tally
from ternary_sdk._internal.counting import task_file
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.tally import Items, Tally


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Neighboring partitions that are counted together."""

    job: Job
    folder: str
    """Where the files of all tasks are."""

    first: int
    """The first partition."""

    end: int
    """The first partition after them."""

    size: int
    """How many draws fall into them."""

    most: int
    """How many numbers may be held in memory."""


def shards(job: Job, folder: Path, sizes: npt.NDArray[np.int64], most: int) -> Iterator[Shard]:
    """Cut the partitions into shards: neighbors that fit in memory together, twice, or one that does not.

    Args:
        job: What is counted.
        folder: Where the files of all tasks are.
        sizes: Draws of each partition, shape (partitions,).
        most: How many numbers a worker may hold.
    """
    for first, end in tally.groups(sizes, most // 2):
        size = int(sizes[first:end].sum())
        yield Shard(job=job, folder=str(folder), first=first, end=end, size=size, most=most)


def count(shard: Shard) -> Tally:
    """Count a shard.

    Raises:
        InputError: If a task's file cannot be read, or is damaged.
    """
    if shard.job.plan.dense:
        return _dense(shard)
    if 2 * shard.size <= shard.most:
        return _whole(shard)
    total, width = Tally(), shard.job.plan.width
    for partition in range(shard.first, shard.end):
        total += tally.of_parts(partial(_parts, shard, partition), 0, width, shard.most)
    return total


def _dense(shard: Shard) -> Tally:
    """Of files that hold how often each operation was drawn."""
    counts = np.zeros(shard.job.plan.space.size, np.int64)
    for part in _parts(shard, 0):
        counts += part
    return tally.of_counts(counts)


def _whole(shard: Shard) -> Tally:
    """All at once in memory, and once more as it is sorted: each file is read in one piece."""
    folder, job = Path(shard.folder), shard.job
    files = [task_file.items(folder, job, task, shard.first, shard.end) for task in range(job.plan.tasks)]
    total = Tally()
    for parts in zip(*files, strict=True):
        held = np.concatenate(parts)
        held.sort()
        total += tally.of_sorted(held)
    return total


def _parts(shard: Shard, partition: int) -> Iterator[Items]:
    for task in range(shard.job.plan.tasks):
        yield task_file.items(Path(shard.folder), shard.job, task, partition, partition + 1)[0]
