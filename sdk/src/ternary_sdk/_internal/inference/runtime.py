"""
ONNX Runtime behind two functions: an encoder's means and a decoder's indices.

Computation always runs in blocks of ``BLOCK`` rows, the last one padded, so that a row's result does not
depend on how many rows were asked for or on how many threads computed them. One session serves all
threads, each of which computes whole blocks; a session does not survive a fork, so a forked child makes
its own.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.graphs.interface import has_index
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import FormatError, InputError, ProofError
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Indices, Tables

# From its import on, ONNX Runtime 1.32 looks up its maker's host and keeps a device id in the user's cache.
# Only this variable, set before the import, prevents both. A host that imported it earlier has chosen itself.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

BLOCK: Final = 2048
"""Rows computed at a time: large enough to amortize a call, small enough for a core's cache."""

AHEAD: Final = 4
"""Tasks given to each thread ahead of what is taken: enough to keep it busy, few enough to hold in memory."""

CLOSED: Final = "model: it was closed, open it again"
"""What a call is told that comes after the model was closed, or while it is."""

T = TypeVar("T")
Real = TypeVar("Real", np.float32, np.float64)
Floats = npt.NDArray[np.float32]


class Workers(ProcessBound, AbstractContextManager["Workers"]):
    """The threads that compute blocks: made when first needed, asleep while nothing is computed.

    Args:
        threads: How many; by default as many as the process may use.
    """

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and (not isinstance(threads, int | np.integer) or threads < 1):
            raise InputError(f"threads: {threads!r}, expected a whole number from 1")
        self.threads = threads or usable_cores()
        self._closed = False
        # With its process in one tuple, so that no other thread ever takes a parent's dead pool for its own.
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    def map(self, compute: Callable[[int], T], tasks: Sequence[int]) -> Iterator[T]:
        """``compute`` of each task, in order; tasks are computed side by side, a few ahead of what is taken.

        So the tasks may be without end, memory does not grow with their number, and what nobody takes is
        hardly computed. A task must not map on the same workers, and a forked child must map anew: it has no
        part in what its parent began.

        Raises:
            InputError: If another thread has closed the model that computes.
        """
        if self._closed:
            raise InputError(CLOSED)
        if self.threads == 1 or len(tasks) == 1:
            return map(compute, tasks)
        return self._ahead(self._executor(), compute, tasks)

    def _ahead(
        self, pool: ThreadPoolExecutor, compute: Callable[[int], T], tasks: Sequence[int]
    ) -> Iterator[T]:
        given: deque[Future[T]] = deque()
        try:
            for task in tasks:
                given.append(self._submit(pool, compute, task))
                if len(given) == AHEAD * self.threads:
                    yield given.popleft().result()
            while given:
                yield given.popleft().result()
        finally:  # after a failure, or because nobody takes the rest
            for future in given:
                future.cancel()

    def _submit(self, pool: ThreadPoolExecutor, compute: Callable[[int], T], task: int) -> Future[T]:
        try:
            return pool.submit(compute, task)
        except RuntimeError:  # the pool was shut down since it was asked for
            if self._closed:
                raise InputError(CLOSED) from None
            raise

    def _executor(self) -> ThreadPoolExecutor:
        """This process's pool. Of two made at the same moment, one ends with what it was given to compute."""
        held = self._pool
        if held is None or held[0] != os.getpid():
            held = os.getpid(), ThreadPoolExecutor(self.threads, thread_name_prefix="ternary")
            self._pool = held
            if self._closed:  # meanwhile, so nobody else will shut this one down
                self.close()
        return held[1]

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads, once they have computed what they were given; a later ``map`` is refused."""
        self._closed = True
        held, self._pool = self._pool, None
        if held is not None and held[0] == os.getpid():
            held[1].shutdown()


def load(model: bytes, what: str) -> ort.InferenceSession:
    """A session of one thread, on the processor.

    Args:
        model: An ONNX model whose operators are known to be harmless.
        what: Its name in error messages.
    Raises:
        FormatError: If ONNX Runtime refuses it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 (ONNX Runtime has no base class for its errors)
        reason = str(error).splitlines()[0][:200]
        raise FormatError(f"{what}: ONNX Runtime refuses it ({reason})") from None


class Graph(ProcessBound):
    """One ONNX graph, loaded from verified bytes.

    Args:
        model: The graph, already inspected by ``firewall``.
        what: Its name in error messages.
        workers: The threads to compute with.
        signature: What the model is of, and its inputs and outputs follow from.
    """

    def __init__(self, model: bytes, what: str, workers: Workers, signature: Signature = STANDARD) -> None:
        self.workers = workers
        self.signature = signature
        self.space = signature.space
        self._model = model
        self.what = what
        self._owner = 0
        self._session: ort.InferenceSession | None = None
        self.session()

    def session(self) -> ort.InferenceSession:
        """This process's session.

        Raises:
            FormatError: If ONNX Runtime refuses the graph.
        """
        if self._session is None or self._owner != os.getpid():
            self._session, self._owner = load(self._model, self.what), os.getpid()
        return self._session

    def blocks(self, outputs: list[str], feed: str, values: Floats) -> Iterator[list[npt.NDArray[Any]]]:
        """The named outputs of each block in order; the last block's padding is still on them."""
        session = self.session()

        def compute(block: int) -> list[npt.NDArray[Any]]:
            part = values[block * BLOCK : (block + 1) * BLOCK]
            if len(part) < BLOCK:
                part = np.concatenate([part, np.zeros((BLOCK - len(part), part.shape[1]), np.float32)])
            results: list[npt.NDArray[Any]] = session.run(outputs, {feed: part})
            return results

        return self.workers.map(compute, range(-(-len(values) // BLOCK)))


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What latents decode to, and how clearly."""

    index: Indices
    """Canonical indices, shape (n,)."""

    margin: Floats
    """The smallest difference, over a row's cells, of the two highest logits; shape (n,)."""


class Decoder(Graph):
    """A path's decoder: latents to operations."""

    def index(self, latents: npt.ArrayLike) -> Indices:
        """Decode latents to canonical indices.

        Args:
            latents: Finite floats, shape (n, latent_size).
        Returns:
            Indices in [0, space.size), shape (n,).
        Raises:
            InputError: If the shape is wrong or a value is not finite.
        """
        values = as_latents(latents, self.signature.latent_size)
        parts = [self._numbered(found) for (found,) in self.blocks([self._decoded], "latents", values)]
        return self._joined(parts, len(values))

    def decode(self, latents: Floats) -> Decoded:
        """Decode checked latents, shape (n, latent_size), with their margins."""
        results = list(self.blocks([self._decoded, "logits"], "latents", latents))
        margins = [margin_of(logits) for _, logits in results]
        return Decoded(
            index=self._joined([self._numbered(found) for found, _ in results], len(latents)),
            margin=np.concatenate([np.empty(0, np.float32), *margins])[: len(latents)],
        )

    def logits(self, latents: npt.ArrayLike) -> Floats:
        """The logits of each cell's values, in ascending order, shape (n, cells, radix)."""
        values = as_latents(latents, self.signature.latent_size)
        parts = [logits.transpose(2, 1, 0) for (logits,) in self.blocks(["logits"], "latents", values)]
        empty = np.empty((0, self.space.cells, self.space.radix), np.float32)
        return np.concatenate([empty, *parts])[: len(values)]

    def reader(self) -> Callable[[Floats], Indices]:
        """A function that decodes whole blocks, shape (BLOCK, latent_size), in this process."""
        session, outputs = self.session(), [self._decoded]
        return lambda block: self._numbered(session.run(outputs, {"latents": block})[0])

    @property
    def _decoded(self) -> str:
        return "index" if has_index(self.space) else "digits"

    def _numbered(self, found: npt.NDArray[np.int32]) -> Indices:
        """Indices from what the graph gives: indices, or digits of shape (cells, n)."""
        return found if has_index(self.space) else self.space.places @ found.astype(np.int64)

    def _joined(self, parts: list[Indices], rows: int) -> Indices:
        return np.concatenate([np.empty(0, self.space.index_type), *parts])[:rows]


def margin_of(logits: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """By how much the highest logit of each cell beats the second, at least, over a row's cells.

    Finite weights may still give infinite logits; a row in which they meet has the margin NaN, which proves
    nothing, so a margin is compared as ``margin >= bound`` and never the other way round. The difference
    of two large logits is an infinite margin.

    Args:
        logits: As a graph gives them, class first, shape (radix, cells, n).
    Returns:
        Shape (n,).
    """
    best, second = np.maximum(logits[0], logits[1]), np.minimum(logits[0], logits[1])
    for other in logits[2:]:
        second = np.maximum(second, np.minimum(best, other))
        best = np.maximum(best, other)
    with np.errstate(invalid="ignore", over="ignore"):
        margin: npt.NDArray[Real] = (best - second).min(axis=0)
    return margin


class Encoder(Graph):
    """A path's encoder: operations to posterior means."""

    def mean(self, tables: Tables) -> Floats:
        """Posterior means of truth tables.

        Args:
            tables: Values, shape (n, cells), already checked.
        Returns:
            Latents, finite, shape (n, latent_size).
        Raises:
            ProofError: If one is not finite: finite weights may still give that, and no decoder takes it.
        """
        parts = [mean for (mean,) in self.blocks(["mean"], "operations", tables.astype(np.float32))]
        empty = np.empty((0, self.signature.latent_size), np.float32)
        means = np.concatenate([empty, *parts])[: len(tables)]
        if not (finite := np.isfinite(means).all(axis=1)).all():
            operation = int(self.space.to_index(tables[np.argmin(finite)][np.newaxis])[0])
            raise ProofError(f"{self.what}: the posterior mean of operation {operation} is not finite")
        return means


def as_latents(latents: npt.ArrayLike, size: int) -> Floats:
    """Check that an array holds latents: finite numbers, shape (n, size); returned as float32, C-contiguous.

    Raises:
        InputError: If not; NaN would decode silently to operation 0.
    """
    try:
        array = np.asarray(latents)
    except ValueError:
        raise InputError(f"latents: rows have different lengths, expected {size} numbers in each") from None
    if array.ndim != 2 or array.shape[1] != size:
        raise InputError(f"latents: shape is {array.shape}, expected (n, {size})")
    if array.dtype.kind not in "iuf":
        raise InputError(f"latents: dtype is {array.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"latents: row {row}, column {column} is {array[row, column]}, expected a finite float32"
        )
    return values
