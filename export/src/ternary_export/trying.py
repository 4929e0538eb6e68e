"""
Trying uniform operations in parts, each kept once it is done: what is cut short goes on from there.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.counting.progress import Pace, Progress
from ternary_sdk._internal.documents import gaps
from ternary_sdk._internal.documents.gaps import Numbers
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder
from ternary_sdk._internal.source import read
from ternary_sdk._internal.streams.stream import Stream
from ternary_sdk.errors import InputError

PART: Final = 1 << 24
"""Operations of a part: less than a minute on two cores."""

_MOST: Final = 64 << 20


def failures(
    encoder: Encoder,
    decoder: Decoder,
    stream: Stream,
    seed: int,
    operations: int,
    *,
    folder: Path | None,
    graphs: tuple[bytes, bytes],
    watch: Callable[[Progress], None],
) -> Numbers:
    """``vast_proof.failures``, part by part.

    Args:
        encoder: Gives the posterior means, and so the next four are those of ``vast_proof.failures``.
        decoder: Of the same path.
        stream: Where the operations come from.
        seed: The path's.
        operations: How many to try.
        folder: Where parts are kept; nowhere if None.
        graphs: ONNX bytes of encoder and decoder, of which the parts are.
        watch: Called with how far it has come.
    Raises:
        InputError: If the folder cannot be used.
        FormatError: If a part that was kept is damaged; the message names it.
        ProofError: If a posterior mean is not finite.
    """
    pace, found = Pace("encoding", operations), [np.empty(0, np.int64)]
    for start, rows, name in _parts(graphs, operations):
        file = None if folder is None else folder / name
        if file is not None and file.exists():
            part = gaps.decode(read(file, _MOST), below=rows, most=rows, what=str(file))
            pace = Pace("encoding", operations, pace.done + rows)
        else:
            part = vast_proof.failures(
                encoder, decoder, stream, seed, rows, first=start, done=_telling(pace, start, watch)
            )
            part -= start
            if file is not None:
                _keep(file, gaps.encode(part))
        found.append(part + start)
    return np.concatenate(found)


def forget(folder: Path, graphs: tuple[bytes, bytes], operations: int) -> None:
    """Remove the parts that ``failures`` kept."""
    for _, _, name in _parts(graphs, operations):
        with suppress(OSError):
            (folder / name).unlink()


def _parts(graphs: tuple[bytes, bytes], operations: int) -> Iterator[tuple[int, int, str]]:
    """The first operation of each part, how many it has, and its file's name."""
    mark = hashlib.sha256(b"".join(hashlib.sha256(graph).digest() for graph in graphs)).hexdigest()[:32]
    for start in range(0, operations, PART):
        rows = min(PART, operations - start)
        yield start, rows, f"failures-{mark}-{start}-{rows}.bin"


def _telling(pace: Pace, start: int, watch: Callable[[Progress], None]) -> Callable[[int], None]:
    return lambda tried: watch(pace.add(start + tried - pace.done))


def _keep(file: Path, data: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{file.parent}: cannot be used ({error.strerror})") from None
    whole_file.write(file, data)
