"""Proving samples of a vast space, and whole blocks of its draws."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from tests.builds import built
from tests.networks import thresholds

from ternary_export.build import Build, load
from ternary_sdk._internal.certificates import merkle
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.inference import vast_proof
from ternary_sdk._internal.inference.runtime import Decoded, Decoder, Encoder, Workers
from ternary_sdk._internal.inference.vast_proof import Replayed
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

SIGNATURE = Signature(Space(4, 2), 16, ("A",))
Path = tuple[VastPath, Records, Encoder, Decoder]


def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="module")
def build() -> Build:
    return built(SIGNATURE, thresholds(SIGNATURE), draws=200_000, operations=5000)


@pytest.fixture
def path(build: Build) -> Iterator[Path]:
    (claim,) = build.certificate.paths
    assert isinstance(claim, VastPath)
    with Workers(1) as workers:
        encoder, decoder = load(build.graphs, "A", workers, SIGNATURE)
        assert encoder is not None
        yield claim, Records.read(claim, build.binary), encoder, decoder


def test_a_model_that_does_as_certified_is_proved(path: Path) -> None:
    claim, records, encoder, decoder = path
    vast_proof.prove(claim, records, encoder, decoder, random())
    vast_proof.prove(claim, records, None, decoder, random())
    vast_proof.prove_entries(claim, records, encoder, decoder, random())
    assert vast_proof.replay(claim, records, decoder, [0, 2]) == Replayed(blocks=2, counted=False)
    assert vast_proof.replay(claim, records, decoder, None) == Replayed(blocks=4, counted=True)


def test_what_is_certified_is_what_a_loop_finds(path: Path) -> None:
    """Each draw and each operation by itself, with nothing of the counting's."""
    claim, records, _, decoder = path
    drawn = decoder.decode(claim.stream.prior(claim.seed, 0, 200_000))
    clear = drawn.margin >= 0.001
    assert np.array_equal(records.near_ties, np.flatnonzero(~clear))
    counts: dict[int, int] = {}
    for index in drawn.index[clear].tolist():
        counts[index] = counts.get(index, 0) + 1
    often = list(counts.values())
    evenness = claim.evenness
    assert (evenness.distinct, evenness.once, evenness.twice, evenness.pairs) == (
        len(often), often.count(1), often.count(2), sum(c * (c - 1) // 2 for c in often),
    )  # fmt: skip
    numbers = np.where(clear, drawn.index.astype(np.int64), -1)
    leaves = [merkle.leaf(numbers[start : start + 65_536]) for start in (0, 65_536, 131_072, 196_608)]
    assert records.leaves == b"".join(leaves)
    assert claim.evenness.distinct > 197_000
    assert claim.reachable is not None
    assert claim.reachable.failures == 0


def test_an_entry_that_fails_here_is_refused(path: Path) -> None:
    """The decoder is another one: it inverts no mean."""
    claim, records, encoder, decoder = path

    class Other(Decoder):
        def decode(self, latents: np.ndarray) -> Decoded:
            found = super().decode(latents)
            return replace(found, index=found.index ^ 1)

    other = Other(decoder._model, decoder.what, decoder.workers, SIGNATURE)
    with pytest.raises(ProofError) as refusal:
        vast_proof.prove_entries(claim, records, encoder, other, random())
    assert claim.reachable is not None
    wanted = int(claim.stream.uniform(claim.reachable.seed, 0, 1, SIGNATURE.space)[0])
    assert str(refusal.value) == (
        f"path A: entry 0, operation {wanted}, is certified reachable, but its posterior mean decodes to "
        f"operation {wanted ^ 1}"
    )
    # Entries that are listed as failed are not held against it.
    excused = replace(records, failures=np.arange(claim.reachable.operations))
    vast_proof.prove_entries(claim, excused, encoder, other, random())
    with pytest.raises(ProofError, match=r"^path A: entry \d+, operation \d+, is certified reachable"):
        vast_proof.prove(claim, records, encoder, other, random())


def test_a_near_tie_that_is_not_listed_is_refused(path: Path) -> None:
    claim, records, _, decoder = path
    blind = replace(records, near_ties=records.near_ties[:0])
    drawn = decoder.decode(claim.stream.prior(claim.seed, 0, 65_536))
    row = int(np.argmax(~(drawn.margin >= 0.0005)))
    with pytest.raises(ProofError) as refusal:
        vast_proof.replay(claim, blind, decoder, [0])
    assert str(refusal.value) == (
        f"path A: row {row} of the latent stream has a margin of {drawn.margin[row]:.6f}, "
        "but the certificate does not list it as a near tie"
    )


def test_a_clear_row_that_is_listed_is_refused(path: Path) -> None:
    """A vendor who leaves out repeats as near ties is found at the first opening that picks one."""
    claim, records, _, decoder = path
    everything = replace(records, near_ties=np.arange(claim.evenness.draws))
    with pytest.raises(ProofError, match=r"^path A: row \d+ .* but the certificate lists it as a near tie$"):
        vast_proof.prove(claim, everything, None, decoder, random())


def test_a_block_of_other_draws_is_refused(path: Path) -> None:
    claim, records, _, decoder = path
    leaves = bytearray(records.leaves)
    leaves[32] ^= 1
    found = records.leaves[32:64].hex()[:12]
    with pytest.raises(ProofError) as refusal:
        vast_proof.replay(claim, replace(records, leaves=bytes(leaves)), decoder, [1])
    assert str(refusal.value) == (
        f"path A: block 1, rows 65,536 to 131,071 of its draws, has the digest {found}… here, "
        f"the certificate says {leaves[32:64].hex()[:12]}…"
    )
    vast_proof.replay(claim, replace(records, leaves=bytes(leaves)), decoder, [0, 2])


def test_invented_counts_are_found_by_a_whole_replay_and_by_nothing_less(path: Path) -> None:
    claim, records, encoder, decoder = path
    evenness = claim.evenness
    boast = replace(
        claim,
        evenness=replace(evenness, distinct=evenness.clear, once=evenness.clear, twice=0, pairs=0),
    )
    vast_proof.prove(boast, records, encoder, decoder, random())
    vast_proof.replay(boast, records, decoder, [0, 1, 2, 3])
    with pytest.raises(ProofError) as refusal:
        vast_proof.replay(boast, records, decoder, None)
    assert str(refusal.value).startswith("path A: 200,000 draws give ")
    assert str(refusal.value).endswith(
        f"the certificate says {evenness.clear:,} different operations "
        f"({evenness.clear:,} once, 0 twice, 0 equal pairs)"
    )


@pytest.mark.parametrize("block", [-1, 4])
def test_a_block_that_is_not_there_is_refused(path: Path, block: int) -> None:
    claim, records, _, decoder = path
    with pytest.raises(InputError) as refusal:
        vast_proof.replay(claim, records, decoder, [block])
    assert str(refusal.value) == f"block: {block}, expected 0 to 3"


def test_blocks_are_chosen_once_each(path: Path) -> None:
    assert vast_proof.choose_blocks(path[0], 5, random()) == [0, 1, 2, 3]
    chosen = vast_proof.choose_blocks(path[0], 2, random())
    assert len(set(chosen)) == 2
    assert chosen == sorted(chosen)
