"""
The file of a task's result: what it drew, in the order of the space, cut into partitions.

All numbers are little-endian: the SHA-256 and the length of what follows before the items; the length of the
near ties and they, as gaps; the leaves; how many items each partition has; each partition's CRC-32. Then the
items, ascending within each partition. It is a file of one count on machines that trust each other: digests
find what a disk has damaged, not what somebody wrote on purpose.
"""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.counting.plan import LEAF_BYTES
from ternary_sdk._internal.documents import gaps
from ternary_sdk.errors import InputError

Items = npt.NDArray[np.unsignedinteger[Any]]
Numbers = npt.NDArray[np.int64]

_HEAD: Final = struct.Struct("<32sq")
_LENGTH: Final = struct.Struct("<q")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a task's file says before its items."""

    near_ties: int
    """How many there are."""

    tied: bytes
    """Their positions within the task, as gaps: a hostile decoder's rows may all be near ties, so they become
    numbers only where somebody wants them (``positions``)."""

    leaves: bytes
    """One for each block."""

    sizes: Numbers
    """Items of each partition."""

    sums: npt.NDArray[np.uint32]
    """CRC-32 of each partition's items."""

    start: int
    """Where the items begin in the file."""

    def positions(self) -> Numbers:
        """Where the near ties are within the task, ascending."""
        return gaps.decode(self.tied, below=1 << 62, most=self.near_ties, what="near ties")


def write(
    folder: Path, job: Job, task: int, near_ties: Numbers, leaves: bytes, items: Sequence[Items]
) -> None:
    """Install a task's file whole, by one rename, once its bytes are on disk.

    Raises:
        InputError: If it cannot be written.
    """
    tied = gaps.encode(near_ties)
    sizes = np.array([len(part) for part in items], "<i8")
    sums = np.array([zlib.crc32(part.data) for part in items], "<u4")
    summary = _LENGTH.pack(len(tied)) + tied + leaves + sizes.tobytes() + sums.tobytes()
    head = _HEAD.pack(hashlib.sha256(summary).digest(), len(summary))
    path = folder / job.file_of(task)
    try:
        whole_file.replace(path, [head, summary, *(part.tobytes() for part in items)])
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def read(folder: Path, job: Job, task: int) -> Summary:
    """Read what a task's file says before its items.

    Raises:
        InputError: If it cannot be read, or is not what was written.
    """
    path = folder / job.file_of(task)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            digest, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
            summary = file.read(length) if 0 <= length <= path.stat().st_size else b""
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if hashlib.sha256(summary).digest() != digest:
        raise _damaged(path)
    found = _parsed(job, task, summary)
    if size != found.start + int(found.sizes.sum()) * job.plan.item_type.itemsize:
        raise _damaged(path)
    return found


def _parsed(job: Job, task: int, summary: bytes) -> Summary:
    """The parts of what was written; the digest was checked, so their lengths are right."""
    rows, (tied,) = job.plan.rows_of(task), _LENGTH.unpack_from(summary)
    leaves = _LENGTH.size + tied
    sizes = leaves + -(-rows // BLOCK_ROWS) * LEAF_BYTES
    ends = np.frombuffer(summary, np.uint8, tied, _LENGTH.size) < 0x80
    return Summary(
        near_ties=int(np.count_nonzero(ends)),
        tied=summary[_LENGTH.size : leaves],
        leaves=summary[leaves:sizes],
        sizes=np.frombuffer(summary, "<i8", job.plan.partitions, sizes),
        sums=np.frombuffer(summary, "<u4", job.plan.partitions, sizes + 8 * job.plan.partitions),
        start=_HEAD.size + len(summary),
    )


def items(folder: Path, job: Job, task: int, first: int, end: int) -> list[Items]:
    """Read the items of the partitions ``first`` to ``end - 1``, with one access to the disk.

    Raises:
        InputError: If they cannot be read, or are not what was written.
    """
    summary, path = read(folder, job, task), folder / job.file_of(task)
    bounds = np.concatenate([[0], np.cumsum(summary.sizes)])
    begin, count = int(bounds[first]), int(bounds[end] - bounds[first])
    try:
        held: Items = np.fromfile(
            path, job.plan.item_type, count, offset=summary.start + begin * job.plan.item_type.itemsize
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    parts = [held[bounds[part] - begin : bounds[part + 1] - begin] for part in range(first, end)]
    if len(held) != count or any(
        zlib.crc32(part.data) != total for part, total in zip(parts, summary.sums[first:end], strict=True)
    ):
        raise _damaged(path)
    return parts


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: is damaged; delete it and go on, and its draws are made again")
