"""
Computing a path's coverage, and proving a certificate's claim again on this machine.

The vendor computes with ``certify``; the client proves *reachable* with ``reprove`` before the first call
returns, and everything with ``replay`` when asked to. What counts is decoded operations and margins, never
digests of floats: honest machines differ in the last bits of a logit, not in what it decodes to.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.certificates.path_coverage import (
    MARGIN,
    MARGIN_STEP,
    MOST_MARGIN,
    TOLERANCE,
    VERIFIER_MARGIN,
    PathCoverage,
    Prior,
    Reachable,
    margin_text,
    seed_of,
)
from ternary_sdk._internal.inference.runtime import BLOCK, Decoded, Decoder, Encoder, Floats
from ternary_sdk._internal.streams.stream import CURRENT, Stream
from ternary_sdk.coverage import quoted_draws
from ternary_sdk.errors import ProofError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Indices, Space


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """A latent for each reachable operation, proved on this machine to decode to it."""

    operations: OperationSet
    """The operations that have one."""

    latents: Floats
    """The witness of operation i in row i, shape (space.size, latent_size); rows of operations
    without one mean nothing."""


def certify(path: str, encoder: Encoder | None, decoder: Decoder, *, digest: str) -> PathCoverage:
    """Compute the coverage of a path.

    Args:
        path: Its letter; the graphs are certified under their names, their ``what``.
        encoder: Gives the posterior means; without one every witness is a row of the stream.
        decoder: What is certified.
        digest: SHA-256 of the decoder's plaintext, hex; the seed of the stream follows from it.
    Raises:
        ProofError: If all margins are too large for a certificate to state the smallest.
    """
    space = decoder.space
    stream = CURRENT.of(decoder.signature.latent_size)
    seed = seed_of(digest, stream)
    drawn = _decode_stream(decoder, stream, seed, quoted_draws(space)[-1])
    clear = drawn.margin >= MARGIN
    return PathCoverage(
        path=path,
        encoder=encoder.what if encoder is not None else None,
        decoder=decoder.what,
        stream=stream,
        seed=seed,
        reachable=_find_witnesses(path, _by_means(encoder, decoder), drawn, space),
        prior=tuple(_prior(drawn.index, clear, draws, space) for draws in quoted_draws(space)),
        near_ties=tuple(np.flatnonzero(~clear).tolist()),
    )


def _by_means(encoder: Encoder | None, decoder: Decoder) -> npt.NDArray[np.float32]:
    """The margin with which each operation's posterior mean decodes to it, 0 where it does not."""
    if encoder is None:
        return np.zeros(decoder.space.size, np.float32)
    found = decoder.decode(encoder.mean(decoder.space.tables))
    return np.where(found.index == _all(decoder.space), found.margin, np.float32(0))


def _all(space: Space) -> Indices:
    return np.arange(space.size, dtype=space.index_type)


def reprove(claim: PathCoverage, encoder: Encoder | None, decoder: Decoder) -> Witnesses:
    """Prove on this machine that every operation claimed reachable is, and how clearly at least.

    Args:
        claim: What the certificate says.
        encoder: The path's encoder, if it has one.
        decoder: The path's decoder.
    Raises:
        ProofError: Naming the first operation whose witness does not decode to it, or too narrowly; or if the
            smallest margin is another.
    """
    space = claim.space
    values = (
        np.zeros((space.size, decoder.signature.latent_size), np.float32)
        if encoder is None
        else encoder.mean(space.tables)
    )
    if claim.reachable.streamed:
        operations = np.fromiter(claim.reachable.streamed.keys(), space.index_type)
        values[operations] = stream_rows(claim, list(claim.reachable.streamed.values()))
    found = decoder.decode(values)
    failed = claim.reachable.operations.mask & (
        (found.index != _all(space)) | ~(found.margin >= VERIFIER_MARGIN)
    )
    if failed.any():
        first = int(np.argmax(failed))
        raise ProofError(_witness_refusal(claim, first, int(found.index[first]), float(found.margin[first])))
    margins = found.margin[claim.reachable.operations.mask]
    smallest = float(margins.min()) if len(margins) else 0.0
    if abs(smallest - float(claim.reachable.smallest_margin)) > TOLERANCE + MARGIN_STEP:
        raise ProofError(
            f"path {claim.path}: the smallest margin of its witnesses is {smallest:.6f} here, "
            f"the certificate says {claim.reachable.smallest_margin}"
        )
    return Witnesses(operations=claim.reachable.operations, latents=values)


def margins(witnesses: Witnesses, decoder: Decoder) -> Floats:
    """The margin of each operation's witness, shape (space.size,); 0 where the operation has none."""
    found = decoder.decode(witnesses.latents).margin
    return np.where(witnesses.operations.mask, found, np.float32(0))


def replay(claim: PathCoverage, decoder: Decoder) -> None:
    """Prove on this machine that the prior draws give what the certificate states:

    1. the near ties are those rows, and no others, as far as machines agree on them;
    2. all other rows decode to operations that are certified reachable;
    3. they give the sets that are stated.

    Raises:
        ProofError: Naming the first row or figure that differs.
    """
    drawn = _decode_stream(decoder, claim.stream, claim.seed, claim.rows)
    counted = np.ones(claim.rows, dtype=np.bool_)
    counted[list(claim.near_ties)] = False
    _check_rows(claim, drawn, counted)  # 1, 2
    for stated in claim.prior:  # 3
        found = _prior(drawn.index, counted, stated.draws, claim.space)
        if found != stated:
            raise ProofError(
                f"path {claim.path}: {stated.draws:,} draws give {found.operations:,} operations here "
                f"(set {found.digest[:12]}…), "
                f"the certificate says {stated.operations:,} (set {stated.digest[:12]}…)"
            )


def _check_rows(claim: PathCoverage, drawn: Decoded, counted: npt.NDArray[np.bool_]) -> None:
    """Rows that the certificate counts must be clear and reachable; those that it does not, near ties."""
    check_near_ties(claim.path, np.arange(claim.rows), drawn.margin, ~counted)
    beyond = counted & ~claim.reachable.operations.mask[drawn.index]
    if beyond.any():
        row = int(np.argmax(beyond))
        raise ProofError(
            f"path {claim.path}: row {row} of the latent stream decodes to operation {drawn.index[row]}, "
            f"but the certificate does not list it as reachable"
        )


def check_near_ties(
    path: str, rows: npt.NDArray[np.int64], margins: Floats, listed: npt.NDArray[np.bool_]
) -> None:
    """Refuse near ties other than those that a certificate lists, as far as machines agree on them.

    Args:
        path: The path's letter.
        rows: Positions in the latent stream, shape (n,).
        margins: What they decode with on this machine.
        listed: Which of them the certificate lists.
    Raises:
        ProofError: Naming the first row that differs.
    """
    for wrong, fault in (
        (~listed & ~(margins >= VERIFIER_MARGIN), "does not list it as a near tie"),
        (listed & (margins >= MARGIN + TOLERANCE), "lists it as a near tie"),
    ):
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ProofError(
                f"path {path}: row {rows[first]} of the latent stream has a margin of {margins[first]:.6f}, "
                f"but the certificate {fault}"
            )


def _decode_stream(decoder: Decoder, stream: Stream, seed: int, rows: int) -> Decoded:
    """The certificate's rows, decoded in parts so that memory stays flat."""
    step = 16 * BLOCK
    parts = [
        decoder.decode(stream.prior(seed, start, min(step, rows - start))) for start in range(0, rows, step)
    ]
    return Decoded(
        index=np.concatenate([part.index for part in parts]),
        margin=np.concatenate([part.margin for part in parts]),
    )


def _prior(index: Indices, counted: npt.NDArray[np.bool_], draws: int, space: Space) -> Prior:
    operations = OperationSet.of(index[:draws][counted[:draws]], space)
    return Prior(draws=draws, operations=len(operations), digest=operations.digest, space=space)


def _find_witnesses(path: str, means: npt.NDArray[np.float32], drawn: Decoded, space: Space) -> Reachable:
    by_mean = means >= MARGIN
    rows = np.flatnonzero(drawn.margin >= MARGIN)
    # Written from the last row to the first, so that what stays is each operation's first row.
    first_row = np.full(space.size, -1, dtype=np.int64)
    first_row[drawn.index[rows[::-1]]] = rows[::-1]
    streamed = np.flatnonzero(~by_mean & (first_row >= 0))
    margins = np.concatenate([means[by_mean], drawn.margin[first_row[streamed]]])
    smallest = float(margins.min()) if len(margins) else 0.0
    if not smallest < MOST_MARGIN:
        raise ProofError(
            f"path {path}: the smallest margin is {smallest:g}, expected less than {MOST_MARGIN:g}"
        )
    return Reachable(
        operations=OperationSet(by_mean | (first_row >= 0), space),
        streamed={int(operation): int(first_row[operation]) for operation in streamed},
        smallest_margin=margin_text(smallest),
    )


def stream_rows(claim: PathCoverage, rows: list[int]) -> Floats:
    """Scattered rows of the stream; a row's neighbours come at no cost, so whole blocks are made."""
    wanted = np.asarray(rows, dtype=np.int64)
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    blocks = np.unique(ascending // BLOCK)
    ends = np.searchsorted(ascending, np.append(blocks * BLOCK, np.iinfo(np.int64).max))
    result = np.empty((len(wanted), claim.stream.latent_size), np.float32)
    for block, start, end in zip(blocks.tolist(), ends[:-1], ends[1:], strict=True):
        first = block * BLOCK
        result[order[start:end]] = claim.stream.prior(claim.seed, first, BLOCK)[ascending[start:end] - first]
    return result


def _witness_refusal(claim: PathCoverage, operation: int, found: int, margin: float) -> str:
    position = claim.reachable.streamed.get(operation)
    source = "posterior mean" if position is None else f"row {position} of the latent stream"
    outcome = (
        f"decodes to operation {found}"
        if found != operation
        else f"decodes to it with a margin of {margin:.6f}, below {VERIFIER_MARGIN}"
    )
    return f"path {claim.path}: operation {operation} is certified reachable, but its {source} {outcome}"
