"""
Computing what a certificate of a vast space states one by one, and proving samples of it on this machine.

The vendor tries uniform operations with ``failures``. The client proves rows and entries of its own choice
with ``prove`` before the first call returns, and whole blocks with ``replay`` when asked to. A block proves
draws, never counts: how often an operation was drawn lies between blocks (docs/formats.md, section 6).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ternary_sdk._internal import ascending, tally
from ternary_sdk._internal.certificates import merkle
from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS, HASH_BYTES
from ternary_sdk._internal.certificates.path_coverage import MARGIN, VERIFIER_MARGIN
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.vast_path import OPENED, VastPath
from ternary_sdk._internal.documents.gaps import Numbers
from ternary_sdk._internal.inference.proof import check_near_ties
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Encoder
from ternary_sdk._internal.streams import scattered
from ternary_sdk._internal.streams.stream import Stream
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.space import Indices

COUNTED: Final = 1 << 27
"""The most draws that a replay of all blocks also counts: their indices take a gibibyte of memory. A vendor
proves as many draws, and entries, before he signs."""

PROVED: Final = 1 << 20
"""Of more entries so many are chosen at random, and proved before a vendor signs."""

_STEP: Final = 16 * BLOCK


def failures(
    encoder: Encoder,
    decoder: Decoder,
    stream: Stream,
    seed: int,
    operations: int,
    *,
    first: int = 0,
    done: Callable[[int], None] = lambda _: None,
) -> Numbers:
    """Try uniform operations: which of them have no witness.

    Args:
        encoder: Gives the posterior means.
        decoder: Of the same path.
        stream: Where the operations come from: entries of domain 3.
        seed: Of the path's uniform operations.
        operations: How many to try.
        first: The first entry.
        done: Called with the number of operations tried so far.
    Returns:
        The numbers, ascending, of the entries whose posterior mean does not decode to their operation with a
        margin of at least 0.001.
    Raises:
        ProofError: If a posterior mean is not finite.
    """
    space, found = decoder.space, [np.empty(0, np.int64)]
    for tried in range(0, operations, _STEP):
        start = first + tried
        wanted = stream.uniform(seed, start, min(_STEP, operations - tried), space)
        decoded = decoder.decode(encoder.mean(space.from_index(wanted)))
        failed = (decoded.index != wanted) | ~(decoded.margin >= MARGIN)
        found.append(np.flatnonzero(failed) + start)
        done(tried + len(wanted))
    return np.concatenate(found)


def prove_entries(
    claim: VastPath,
    records: Records,
    encoder: Encoder,
    decoder: Decoder,
    random: np.random.Generator,
    *,
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """Prove all entries of domain 3 but those listed as failed; of more than 2^27, 2^20 chosen at random.

    Args:
        claim, records, encoder, decoder, random: As ``prove``.
        done: Called with the number of entries proved since it was called last.
    Raises:
        ProofError: Naming the first entry that differs.
    """
    if claim.reachable is None:
        return
    seed, operations = claim.reachable.seed, claim.reachable.operations
    if operations > COUNTED:
        entries = np.unique(random.integers(0, operations, size=PROVED))
        for part in np.array_split(entries, PROVED // _STEP):
            _prove_entries(claim, records, seed, part, encoder, decoder)
            done(len(part))
        return
    for start in range(0, operations, _STEP):
        part = np.arange(start, min(start + _STEP, operations))
        _prove_entries(claim, records, seed, part, encoder, decoder)
        done(len(part))


def prove(
    claim: VastPath,
    records: Records,
    encoder: Encoder | None,
    decoder: Decoder,
    random: np.random.Generator,
) -> None:
    """Prove on this machine rows and entries that nobody but the verifier chose:

    1. entries of domain 3, but those listed as failed, decode from their posterior means;
    2. rows of the stream are near ties where they are listed as such, and nowhere else, as far as machines
       agree on it.

    Args:
        claim: What the certificate says.
        records: What the binary members say.
        encoder: The path's encoder, if it has one.
        decoder: The path's decoder.
        random: Chooses 2,048 of each.
    Raises:
        ProofError: Naming the first entry or row that differs.
    """
    if encoder is not None and claim.reachable is not None:
        entries = _chosen(random, claim.reachable.operations)
        _prove_entries(claim, records, claim.reachable.seed, entries, encoder, decoder)  # 1
    rows = _chosen(random, claim.evenness.draws)
    decoded = decoder.decode(scattered.prior(claim.stream, claim.seed, rows))
    check_near_ties(claim.path, rows, decoded.margin, ascending.contains(records.near_ties, rows))  # 2


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What was computed again of a path's draws, and found as certified."""

    blocks: int
    """How many blocks."""

    counted: bool
    """Whether the counts were, too: how many operations were drawn once, twice and in all."""


def replay(
    claim: VastPath,
    records: Records,
    decoder: Decoder,
    blocks: Sequence[int] | None,
    *,
    done: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Compute whole blocks of draws again:

    1. their near ties are as they are listed, as far as machines agree on them;
    2. the other rows decode to what the block's leaf says;
    3. if all blocks are computed, and they are at most 2^27 draws, the counts are those stated.

    Args:
        claim: What the certificate says.
        records: What the binary members say.
        decoder: The path's decoder.
        blocks: Which; all if None.
        done: Called with the number of rows computed since it was called last.
    Raises:
        InputError: If there is no such block.
        ProofError: Naming the first row, block or count that differs.
    """
    counts = blocks is None and claim.evenness.draws <= COUNTED
    drawn: Indices = np.empty(claim.evenness.clear if counts else 0, claim.space.index_type)
    filled = 0
    for block in range(claim.blocks) if blocks is None else blocks:
        clear = _replay_block(claim, records, decoder, block)  # 1, 2
        done(min(BLOCK_ROWS, claim.evenness.draws - block * BLOCK_ROWS))
        if counts:
            drawn[filled : filled + len(clear)] = clear
            filled += len(clear)
    if counts:
        drawn.sort()
        _check_counts(claim, drawn)  # 3
    return Replayed(blocks=claim.blocks if blocks is None else len(blocks), counted=counts)


def choose_blocks(claim: VastPath, count: int, random: np.random.Generator) -> list[int]:
    """Different blocks of a path's draws, ascending; all of them where there are no more than ``count``."""
    chosen = random.choice(claim.blocks, size=min(count, claim.blocks), replace=False)
    return sorted(chosen.tolist())


def _chosen(random: np.random.Generator, below: int) -> Numbers:
    return np.unique(random.integers(0, below, size=OPENED))


def _prove_entries(
    claim: VastPath, records: Records, seed: int, chosen: Numbers, encoder: Encoder, decoder: Decoder
) -> None:
    entries = chosen if records.failures is None else chosen[~ascending.contains(records.failures, chosen)]
    wanted = scattered.uniform(claim.stream, seed, entries, claim.space)
    decoded = decoder.decode(encoder.mean(claim.space.from_index(wanted)))
    failed = (decoded.index != wanted) | ~(decoded.margin >= VERIFIER_MARGIN)
    if failed.any():
        first = int(np.argmax(failed))
        found, margin = int(decoded.index[first]), float(decoded.margin[first])
        outcome = (
            f"decodes to operation {found}"
            if found != wanted[first]
            else f"decodes to it with a margin of {margin:.6f}, below {VERIFIER_MARGIN}"
        )
        raise ProofError(
            f"path {claim.path}: entry {entries[first]}, operation {wanted[first]}, is certified reachable, "
            f"but its posterior mean {outcome}"
        )


def _replay_block(claim: VastPath, records: Records, decoder: Decoder, block: int) -> Indices:
    """The indices of a block's clear rows, in order."""
    if not 0 <= block < claim.blocks:
        raise InputError(f"block: {block}, expected 0 to {claim.blocks - 1}")
    start = block * BLOCK_ROWS
    rows = np.arange(start, min(start + BLOCK_ROWS, claim.evenness.draws))
    decoded = decoder.decode(claim.stream.prior(claim.seed, start, len(rows)))
    ends = np.searchsorted(records.near_ties, [start, start + len(rows)])
    listed = records.near_ties[ends[0] : ends[1]] - start
    near_ties = np.zeros(len(rows), np.bool_)
    near_ties[listed] = True
    check_near_ties(claim.path, rows, decoded.margin, near_ties)
    numbers = np.where(near_ties, merkle.NEAR_TIE, decoded.index.astype(np.int64))
    found, stated = merkle.leaf(numbers), records.leaves[block * HASH_BYTES :][:HASH_BYTES]
    if found != stated:
        raise ProofError(
            f"path {claim.path}: block {block}, rows {start:,} to {rows[-1]:,} of its draws, has the digest "
            f"{found.hex()[:12]}… here, the certificate says {stated.hex()[:12]}…"
        )
    return decoded.index[~near_ties]


def _check_counts(claim: VastPath, drawn: Indices) -> None:
    counted, evenness = tally.of_sorted(drawn), claim.evenness
    found = (counted.distinct, counted.once, counted.twice, counted.pairs)
    stated = (evenness.distinct, evenness.once, evenness.twice, evenness.pairs)
    if found != stated:
        raise ProofError(
            f"path {claim.path}: {evenness.draws:,} draws give {_counts(found)} here, "
            f"the certificate says {_counts(stated)}"
        )


def _counts(counts: tuple[int, int, int, int]) -> str:
    distinct, once, twice, pairs = counts
    return f"{distinct:,} different operations ({once:,} once, {twice:,} twice, {pairs:,} equal pairs)"
