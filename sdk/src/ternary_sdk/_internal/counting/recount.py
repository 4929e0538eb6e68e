"""
The buyer's own count: draws from a seed that he chooses, and what they prove of the model on their own.

Nothing that the vendor counted enters, so a recount rests on nobody. Its seed is not known when a package is
signed, so no vendor can have looked for weights that do well under it.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_sdk._internal.certificates import statistics
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.counting import counting
from ternary_sdk._internal.counting.progress import Pace, Progress, silent
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.signature import Signature

TRIED: Final = 1_000_000
"""Uniform operations that are tried in a vast space, or as many as there are draws, if they are fewer."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How large a share of a vast space has a witness: uniform operations, encoded and decoded again."""

    operations: int
    """How many were tried."""

    failures: int
    """How many of them have no witness."""

    @property
    def share_at_least(self) -> str:
        """Nine decimals: the share of all operations that have a witness, at least."""
        return statistics.share_at_least(self.failures, self.operations)


@dataclass(frozen=True, kw_only=True)
class Recount:
    """What a seed of the buyer's own gave."""

    seed: int
    """The seed."""

    evenness: Evenness
    """Counts of the draws, and the bounds that follow from them."""

    tried: Tried | None
    """Uniform operations; none in a listed space, which is proved whole, and where there is no encoder."""


def recount(
    decoder: bytes,
    encoder: bytes | None,
    signature: Signature,
    *,
    seed: int,
    draws: int,
    folder: Path,
    memory: int,
    executor: Executor | None = None,
    workers: int | None = None,
    resume: bool = False,
    tell: Callable[[Progress], None] = silent,
) -> Recount:
    """Draw with a seed of the buyer's own, and count.

    Args:
        decoder: ONNX bytes, already inspected by ``firewall``.
        encoder: The same; None where the path has none.
        signature: What the model is of.
        seed: Of the stream, in [0, 2^64).
        draws: How many rows to draw; all other arguments are those of ``counting.count``.
        folder: For files of indices.
        memory: Bytes that all workers together may hold.
        executor: What the draws run on.
        workers: How many tasks it runs at once.
        resume: Go on with what is in the folder.
        tell: Called with how far it has come.
    Raises:
        InputError: As ``counting.count``.
        ProofError: If a posterior mean is not finite.
    """
    found = counting.count(
        decoder,
        signature,
        seed=seed,
        draws=draws,
        folder=folder,
        memory=memory,
        executor=executor,
        workers=workers,
        resume=resume,
        tell=tell,
    )
    evenness = found.evenness(signature.space)
    if encoder is None or signature.space.listed:
        return Recount(seed=seed, evenness=evenness, tried=None)
    tried = _try(decoder, encoder, signature, seed, min(draws, TRIED), tell)
    return Recount(seed=seed, evenness=evenness, tried=tried)


def _try(
    decoder: bytes,
    encoder: bytes,
    signature: Signature,
    seed: int,
    operations: int,
    tell: Callable[[Progress], None],
) -> Tried:
    pace, before = Pace("encoding", operations), 0

    def done(tried: int) -> None:
        nonlocal before
        tell(pace.add(tried - before))
        before = tried

    with Workers() as threads:
        failed = vast_proof.failures(
            Encoder(encoder, "encoder", threads, signature),
            Decoder(decoder, "decoder", threads, signature),
            CURRENT.of(signature.latent_size),
            seed,
            operations,
            done=done,
        )
    return Tried(operations=operations, failures=len(failed))
