"""
A task of a count: draw rows of the stream, and write down what they decode to.

It depends on its arguments alone and makes one file, so running it twice changes nothing. Draws are computed
in the runtime's blocks, as everywhere: what a row decodes to does not depend on the task it is in.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.certificates import merkle
from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS, NEAR_TIE
from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk._internal.counting import task_file
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.counting.plan import Plan
from ternary_sdk._internal.graphs.interface import has_index
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Floats, Workers
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.errors import ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

Numbers = npt.NDArray[np.int64]

_EXACT: Final = 1 << 53
"""Whole numbers up to here are exact as float64, whose products are many times as fast as those of int64."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task and all that it needs; it travels to a worker."""

    job: Job
    decoder: bytes
    """ONNX bytes, already inspected by ``firewall``."""

    number: int
    """Which task it is, from 0."""

    folder: str
    """Where its file goes."""


def draw(task: Task) -> int:
    """Do a task, and return how many rows it drew.

    Raises:
        ProofError: If the decoder is not the job's.
        InputError: If the file cannot be written.
    """
    job, rows = task.job, task.job.plan.rows_of(task.number)
    found = hashlib.sha256(task.decoder).hexdigest()
    if found != job.decoder:
        raise ProofError(f"decoder: sha256 is {found}, the count is of {job.decoder}")
    start = job.plan.start_of(task.number)
    numbers = drawn(_decoder(task.decoder, job.signature), job.seed, start, rows)
    leaves = b"".join(
        merkle.leaf(numbers[first : first + BLOCK_ROWS]) for first in range(0, rows, BLOCK_ROWS)
    )
    near_ties = np.flatnonzero(numbers == NEAR_TIE)
    numbers.sort()
    clear = numbers[len(near_ties) :]
    task_file.write(Path(task.folder), job, task.number, near_ties, leaves, _items(job.plan, clear))
    return rows


@lru_cache(maxsize=1)
def _decoder(model: bytes, signature: Signature) -> Decoder:
    """This process's session; the tasks of a count share it."""
    return Decoder(model, "decoder", Workers(1), signature)


def drawn(decoder: Decoder, seed: int, start: int, rows: int) -> Numbers:
    """What rows of the prior decode to: an index, or ``NEAR_TIE`` for a margin below 0.001 or none.

    Args:
        decoder: The path's decoder.
        seed: Of the stream.
        start: The first row, a multiple of ``BLOCK``.
        rows: How many.
    Returns:
        Shape (rows,).
    """
    space, session = decoder.space, decoder.session()
    outputs, number, margin = (
        ["index" if has_index(space) else "digits", "logits"],
        numbering(space),
        margins(),
    )
    fill = CURRENT.of(decoder.signature.latent_size).prior_reader(seed, start)
    latents: Floats = np.empty((BLOCK, decoder.signature.latent_size), np.float32)
    numbers = np.empty(-(-rows // BLOCK) * BLOCK, np.int64)
    for place in range(0, len(numbers), BLOCK):
        fill(latents)
        found, logits = session.run(outputs, {"latents": latents})
        numbers[place : place + BLOCK] = np.where(margin(logits) >= MARGIN, number(found), NEAR_TIE)
    return numbers[:rows]


def margins() -> Callable[[Floats], Floats]:
    """``margin_of`` for many blocks of one shape: what it returns holds until the next call.

    Arrays of this size are asked of the system anew each time, which takes longer than computing them.
    """
    held: list[Floats] = []

    def margin(logits: Floats) -> Floats:
        if not held:
            held.extend(np.empty_like(logits[0]) for _ in range(3))
        best, second, lower = held
        np.maximum(logits[0], logits[1], out=best)
        np.minimum(logits[0], logits[1], out=second)
        for other in logits[2:]:
            np.maximum(second, np.minimum(best, other, out=lower), out=second)
            np.maximum(best, other, out=best)
        with np.errstate(invalid="ignore", over="ignore"):
            least: Floats = np.subtract(best, second, out=lower).min(axis=0)
        return least

    return margin


def numbering(space: Space) -> Callable[[npt.NDArray[np.int32]], npt.NDArray[Any]]:
    """A function that makes indices of what a decoder's first output gives."""
    if has_index(space):
        return lambda found: found
    if space.size <= _EXACT:
        places = space.places.astype(np.float64)
        return lambda found: (places @ found.astype(np.float64)).astype(np.int64)
    return lambda found: space.places @ found.astype(np.int64)


def _items(plan: Plan, ascending: Numbers) -> list[task_file.Items]:
    """What the file holds for each partition."""
    if plan.dense:
        return [np.bincount(ascending, minlength=plan.space.size).astype(plan.item_type)]
    starts = [plan.width * part for part in range(plan.partitions)]
    bounds = [*np.searchsorted(ascending, np.array(starts, np.int64)).tolist(), len(ascending)]
    return [
        (ascending[bounds[part] : bounds[part + 1]] - start).astype(plan.item_type)
        for part, start in enumerate(starts)
    ]
