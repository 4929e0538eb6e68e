"""
Trying uniform operations in parts, each kept once it is done: what is cut short goes on from there.

A part's file is named by all that its result depends on. It begins with the SHA-256 of what follows: how many
failures there are, and they, as gaps. One that is damaged is computed again.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.counting.progress import Pace, Progress
from ternary_sdk._internal.documents import canonical, gaps
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.gaps import Numbers
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder
from ternary_sdk._internal.release import computed_with
from ternary_sdk._internal.source import read
from ternary_sdk._internal.streams.stream import Stream
from ternary_sdk.errors import FormatError, InputError

PART: Final = 1 << 24
"""Operations of a part: less than a minute on two cores."""

_MOST: Final = 64 << 20
_LAYOUT: Final = 2
"""Of the files. They never outlive what is certified, so a release reads only its own."""
_COUNT: Final = struct.Struct("<q")
_DIGEST_BYTES: Final = 32


def failures(
    encoder: Encoder,
    decoder: Decoder,
    stream: Stream,
    seed: int,
    operations: int,
    *,
    folder: Path | None,
    graphs: tuple[bytes, bytes],
    most: int,
    watch: Callable[[Progress], None],
) -> Numbers:
    """``vast_proof.failures``, part by part.

    Args:
        encoder: Gives the posterior means, and so the next four are those of ``vast_proof.failures``.
        decoder: Of the same path.
        stream: Where the operations come from.
        seed: Of the path's uniform operations.
        operations: How many to try.
        folder: Where parts are kept; nowhere if None.
        graphs: ONNX bytes of encoder and decoder, of which the parts are.
        most: Bytes that the failures may take as gaps.
        watch: Called with how far it has come.
    Raises:
        InputError: If the folder cannot be used; after the first part, if the failures would take more bytes.
        ProofError: If a posterior mean is not finite.
    """
    pace, found = Pace("encoding", operations), [np.empty(0, np.int64)]
    for start, rows, name in _parts(graphs, stream, seed, operations):
        file = None if folder is None else folder / name
        part = None if file is None or not file.exists() else _kept(read(file, _MOST), rows)
        if part is not None:
            pace = Pace("encoding", operations, pace.done + rows)
        else:
            part = vast_proof.failures(
                encoder, decoder, stream, seed, rows, first=start, done=_telling(pace, start, watch)
            )
            part -= start
            if file is not None:
                _keep(file, part)
        if start == 0:
            _expect_room(part, rows, operations, most)
        found.append(part + start)
    return np.concatenate(found)


def _expect_room(failed: Numbers, rows: int, operations: int, most: int) -> None:
    """Refuse what will not fit as far as the first part shows it, hours before all parts are done."""
    expected = len(gaps.encode(failed)) * operations // rows
    if expected > most:
        raise InputError(
            f"failures: those of {operations:,} operations would take about {expected:,} bytes, "
            f"expected at most {most:,}; try fewer operations"
        )


def forget(folder: Path, graphs: tuple[bytes, bytes], stream: Stream, seed: int, operations: int) -> None:
    """Remove the parts that ``failures`` kept."""
    for _, _, name in _parts(graphs, stream, seed, operations):
        with suppress(OSError):
            (folder / name).unlink()


def _parts(
    graphs: tuple[bytes, bytes], stream: Stream, seed: int, operations: int
) -> Iterator[tuple[int, int, str]]:
    """The first operation of each part, how many it has, and its file's name."""
    encoder, decoder = (hashlib.sha256(graph).hexdigest() for graph in graphs)
    described: dict[str, Json] = {
        "computed_with": dict(computed_with()),
        "decoder": decoder,
        "encoder": encoder,
        "layout": _LAYOUT,
        "seed": f"{seed:016x}",
        "stream": stream.version,
    }
    digest = hashlib.sha256(canonical.encode(described)).hexdigest()[:32]
    for start in range(0, operations, PART):
        rows = min(PART, operations - start)
        yield start, rows, f"failures-{start:010d}-{rows}-{digest}"


def _telling(pace: Pace, start: int, watch: Callable[[Progress], None]) -> Callable[[int], None]:
    return lambda tried: watch(pace.add(start + tried - pace.done))


def _keep(file: Path, failed: Numbers) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{file.parent}: cannot be used ({error.strerror})") from None
    rest = _COUNT.pack(len(failed)) + gaps.encode(failed)
    whole_file.write(file, hashlib.sha256(rest).digest() + rest)


def _kept(data: bytes, rows: int) -> Numbers | None:
    """What a part's file holds; None if it is damaged."""
    digest, rest = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if len(rest) < _COUNT.size or hashlib.sha256(rest).digest() != digest:
        return None
    (count,) = _COUNT.unpack_from(rest)
    try:
        failed = gaps.decode(rest[_COUNT.size :], below=rows, most=rows, what="failures")
    except FormatError:
        return None
    return failed if len(failed) == count else None
