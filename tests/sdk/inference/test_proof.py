import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk.errors import ProofError
from ternary_sdk.inference import latents, proof
from ternary_sdk.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk.operations import OperationSet
from ternary_sdk.packages.path_coverage import MARGIN, STREAM_ROWS, PathCoverage

State = dict[str, npt.NDArray[np.float32]]


@pytest.fixture
def model(untrained: Callable[[int], State]) -> tuple[Encoder, Decoder, str]:
    graph = decoder_graph(untrained(1), "A")
    workers = Workers(2)
    encoder = Encoder(encoder_graph(untrained(1), "A"), "encoder_A.onnx", workers)
    return encoder, Decoder(graph, "decoder_A.onnx", workers), hashlib.sha256(graph).hexdigest()


@pytest.fixture
def claim(model: tuple[Encoder, Decoder, str]) -> PathCoverage:
    return proof.certify("A", model[0], model[1], digest=model[2])


def test_the_claim_of_a_partial_model_counts_what_a_plain_loop_counts(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    decoded = model[1].decode(latents.prior(claim.seed, 0, STREAM_ROWS))
    clear = decoded.margin >= MARGIN
    for stated in claim.prior:
        drawn = {
            int(i) for i, c in zip(decoded.index[: stated.draws], clear[: stated.draws], strict=True) if c
        }
        assert (stated.operations, stated.digest) == (len(drawn), OperationSet.of(sorted(drawn)).digest)
    assert claim.near_ties == tuple(np.flatnonzero(~clear).tolist())
    assert 0 < len(claim.reachable.operations) < 19_683


def test_a_streamed_witness_is_the_first_clear_row_that_decodes_to_its_operation(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    decoded = model[1].decode(latents.prior(claim.seed, 0, STREAM_ROWS))
    assert len(claim.reachable.streamed) > 100
    for operation, position in list(claim.reachable.streamed.items())[:100]:
        rows = np.flatnonzero((decoded.index == operation) & (decoded.margin >= MARGIN))
        assert rows[0] == position


def test_a_true_claim_is_proved_again(model: tuple[Encoder, Decoder, str], claim: PathCoverage) -> None:
    witnesses = proof.reprove(claim, model[0], model[1])
    proof.replay(claim, model[1])
    reached = witnesses.operations.indices
    assert np.array_equal(model[1].index(witnesses.latents[reached]), reached)


def test_an_operation_that_cannot_be_reached_is_refused_by_name(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    unreached = int(np.flatnonzero(~claim.reachable.operations.mask)[0])
    more = replace(claim.reachable, operations=claim.reachable.operations | OperationSet.of([unreached]))
    with pytest.raises(ProofError) as refusal:
        proof.reprove(replace(claim, reachable=more), model[0], model[1])
    assert str(refusal.value).startswith(
        f"path A: operation {unreached} is certified reachable, but its posterior mean decodes to operation "
    )


def test_a_witness_at_the_wrong_row_is_refused_by_name(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    operation, position = next(iter(claim.reachable.streamed.items()))
    moved = replace(claim.reachable, streamed={**claim.reachable.streamed, operation: position + 1})
    with pytest.raises(
        ProofError, match=rf"^path A: operation {operation} .* its row {position + 1} of the latent"
    ):
        proof.reprove(replace(claim, reachable=moved), model[0], model[1])


def test_one_operation_more_than_drawn_is_refused(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    stated = claim.prior[1]
    inflated = replace(stated, operations=stated.operations + 1)
    with pytest.raises(ProofError) as refusal:
        proof.replay(replace(claim, prior=(claim.prior[0], inflated, claim.prior[2])), model[1])
    assert str(refusal.value) == (
        f"path A: 50,000 draws give {stated.operations:,} operations here (set {stated.digest[:12]}…), "
        f"the certificate says {inflated.operations:,} (set {stated.digest[:12]}…)"
    )


def test_a_near_tie_that_is_not_listed_is_refused(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    margins = model[1].decode(latents.prior(claim.seed, 0, STREAM_ROWS)).margin
    hidden = int(np.argmin(margins))
    rest = tuple(row for row in claim.near_ties if row != hidden)
    with pytest.raises(ProofError) as refusal:
        proof.replay(replace(claim, near_ties=rest), model[1])
    assert str(refusal.value) == (
        f"path A: row {hidden} of the latent stream has a margin of {margins[hidden]:.6f}, "
        f"but the certificate does not list it as a near tie"
    )


def test_a_constant_decoder_is_certified_plainly(untrained: Callable[[int], State]) -> None:
    state = {name: np.zeros_like(value) for name, value in untrained(1).items()}
    state["decoder_A.decoder.4.bias"][::3] = 1
    graph, workers = decoder_graph(state, "A"), Workers(1)
    encoder = Encoder(encoder_graph(state, "A"), "encoder_A.onnx", workers)
    decoder = Decoder(graph, "decoder_A.onnx", workers)
    claim = proof.certify("A", encoder, decoder, digest=hashlib.sha256(graph).hexdigest())
    assert list(claim.reachable.operations) == [0]
    assert [prior.operations for prior in claim.prior] == [1, 1, 1]
    assert claim.reachable.smallest_margin == "1.0000"
