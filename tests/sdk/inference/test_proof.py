import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.certificates.path_coverage import MARGIN, PathCoverage, margin_text
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk.errors import ProofError
from ternary_sdk.operations import OperationSet

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
    decoded = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows))
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
    decoded = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows))
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
    margins = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows)).margin
    hidden = int(np.argmin(margins))
    rest = tuple(row for row in claim.near_ties if row != hidden)
    with pytest.raises(ProofError) as refusal:
        proof.replay(replace(claim, near_ties=rest), model[1])
    assert str(refusal.value) == (
        f"path A: row {hidden} of the latent stream has a margin of {margins[hidden]:.6f}, "
        f"but the certificate does not list it as a near tie"
    )


@pytest.mark.parametrize("stated", [99.0, 0.0019])
def test_a_smallest_margin_that_is_another_is_refused(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage, stated: float
) -> None:
    proved = proof.reprove(claim, model[0], model[1])
    reached = proved.operations.indices
    smallest = model[1].decode(proved.latents[reached]).margin.min()
    boasting = replace(claim.reachable, smallest_margin=margin_text(stated))
    with pytest.raises(ProofError) as refusal:
        proof.reprove(replace(claim, reachable=boasting), model[0], model[1])
    assert str(refusal.value) == (
        f"path A: the smallest margin of its witnesses is {smallest:.6f} here, "
        f"the certificate says {boasting.smallest_margin}"
    )


def test_a_smallest_margin_that_another_machine_may_find_is_accepted(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    moved = margin_text(float(claim.reachable.smallest_margin) + 0.0004)
    proof.reprove(
        replace(claim, reachable=replace(claim.reachable, smallest_margin=moved)), model[0], model[1]
    )


def test_a_near_tie_that_is_none_is_refused(model: tuple[Encoder, Decoder, str], claim: PathCoverage) -> None:
    """Rows that are listed count for nothing, so whoever may list any row chooses what counts."""
    margins = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows)).margin
    clear = int(np.flatnonzero(margins >= 0.0016)[0])
    with pytest.raises(ProofError) as refusal:
        proof.replay(replace(claim, near_ties=tuple(sorted({*claim.near_ties, clear}))), model[1])
    assert str(refusal.value) == (
        f"path A: row {clear} of the latent stream has a margin of {margins[clear]:.6f}, "
        f"but the certificate lists it as a near tie"
    )


def test_near_ties_on_which_machines_may_differ_are_accepted(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    drawn = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows))
    listed = np.flatnonzero(drawn.margin < 0.0014)
    assert len(listed) > len(claim.near_ties)
    counted = np.ones(claim.rows, dtype=np.bool_)
    counted[listed] = False
    sets = {stated.draws: drawn.index[: stated.draws][counted[: stated.draws]] for stated in claim.prior}
    prior = tuple(
        replace(
            stated,
            operations=len(OperationSet.of(sets[stated.draws])),
            digest=OperationSet.of(sets[stated.draws]).digest,
        )
        for stated in claim.prior
    )
    proof.replay(replace(claim, near_ties=tuple(listed.tolist()), prior=prior), model[1])


def test_a_drawn_operation_that_is_not_certified_reachable_is_refused(
    model: tuple[Encoder, Decoder, str], claim: PathCoverage
) -> None:
    drawn = model[1].decode(claim.stream.prior(claim.seed, 0, claim.rows))
    left_out = int(drawn.index[np.flatnonzero(drawn.margin >= MARGIN)[7]])
    row = int(np.flatnonzero((drawn.index == left_out) & (drawn.margin >= MARGIN))[0])
    mask = claim.reachable.operations.mask.copy()
    mask[left_out] = False
    with pytest.raises(ProofError) as refusal:
        proof.replay(
            replace(claim, reachable=replace(claim.reachable, operations=OperationSet(mask))), model[1]
        )
    assert str(refusal.value) == (
        f"path A: row {row} of the latent stream decodes to operation {left_out}, "
        f"but the certificate does not list it as reachable"
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
