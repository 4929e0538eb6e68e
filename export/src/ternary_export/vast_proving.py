"""
Computing again what a certificate of a vast space says of one path, before it is signed: all of it where
that takes minutes, else samples that nobody chose.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.counting.progress import Pace, Progress
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder

_REPLAYED: Final = 64
"""Blocks of draws that are computed again where all would be too many."""


def prove(
    claim: VastPath,
    binary: Mapping[str, bytes],
    encoder: Encoder | None,
    decoder: Decoder,
    *,
    tell: Callable[[str], None],
    watch: Callable[[Progress], None],
) -> None:
    """Compute a path's draws and uniform operations again, up to 2^27 of each; of more, 64 blocks and 2^20.

    Args:
        claim: What the certificate says of the path.
        binary: The binary members by name.
        encoder: The path's encoder, if it has one.
        decoder: The path's decoder.
        tell: Called with one sentence: what is computed again, and what is not.
        watch: Called with how far it has come.
    Raises:
        ProofError: Naming the first figure, row or operation that differs.
    """
    found, random = Records.read(claim, binary), np.random.default_rng()
    blocks = None if _all_draws(claim) else vast_proof.choose_blocks(claim, _REPLAYED, random)
    rows = claim.evenness.draws if blocks is None else len(blocks) * BLOCK_ROWS
    pace = Pace("proving", rows + _entries(claim))
    tell(sentence(claim))

    def done(more: int) -> None:
        watch(pace.add(more))

    vast_proof.replay(claim, found, decoder, blocks, done=done)
    if encoder is not None:
        vast_proof.prove_entries(claim, found, encoder, decoder, random, done=done)


def sentence(claim: VastPath) -> str:
    """What of a path is computed again, and what is not."""
    draws, operations = claim.evenness.draws, claim.reachable.operations if claim.reachable else 0
    whole = _all_draws(claim)
    parts = [f"all {draws:,} draws" if whole else f"{_REPLAYED} of {claim.blocks:,} blocks of draws"]
    if operations:
        share = f"all {operations:,}" if operations == _entries(claim) else f"2^20 of {operations:,}"
        parts.append(f"{share} uniform operations")
    told = f"proving path {claim.path}: {' and '.join(parts)} are computed again"
    if whole:
        return f"{told}, and the draws are counted"
    return f"{told}, chosen at random; not proved: how many different operations the {draws:,} draws hold"


def _all_draws(claim: VastPath) -> bool:
    return claim.evenness.draws <= vast_proof.COUNTED


def _entries(claim: VastPath) -> int:
    """How many uniform operations are computed again."""
    operations = claim.reachable.operations if claim.reachable else 0
    return operations if operations <= vast_proof.COUNTED else vast_proof.PROVED
