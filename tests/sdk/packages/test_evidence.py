import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ternary_export.build import Build
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.inference import evidence
from ternary_sdk._internal.inference.runtime import Decoder, Workers
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import FormatError, ProofError


@pytest.fixture(scope="module")
def package(shipped: bytes, vendor: KeyRing) -> Package:
    return Package.read(shipped, vendor.trust)


@pytest.fixture(scope="module")
def certificate(package: Package, vendor: KeyRing) -> Certificate:
    """As it stands alone: read from the member's bytes."""
    return Certificate.read(package.members["coverage.json"], vendor.trust)


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as workers:
        yield workers


def test_a_certificate_recomputes_from_its_graphs_alone(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    decoder, encoder = build.graphs["decoder_B.onnx"], build.graphs["encoder_B.onnx"]
    found = evidence.of_graphs(certificate, decoder, encoder, workers)
    assert (found.claim.path, found.complete) == ("B", True)


def test_without_the_encoder_only_streamed_witnesses_are_decoded(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    found = evidence.of_graphs(certificate, build.graphs["decoder_A.onnx"], None, workers)
    assert found.witnesses == len(certificate.paths[0].reachable.streamed)
    assert not found.complete


def test_a_decoder_the_certificate_is_not_of_is_refused(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    other = build.graphs["decoder_A.onnx"] + b"\0"
    with pytest.raises(ProofError) as refusal:
        evidence.of_graphs(certificate, other, None, workers)
    assert str(refusal.value) == (
        f"decoder: sha256 is {hashlib.sha256(other).hexdigest()}, the certificate is of "
        f"{certificate.subjects['decoder_A.onnx']}, {certificate.subjects['decoder_B.onnx']}"
    )


def test_the_encoder_of_the_other_path_is_refused(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    decoder, encoder = build.graphs["decoder_A.onnx"], build.graphs["encoder_B.onnx"]
    with pytest.raises(ProofError) as refusal:
        evidence.of_graphs(certificate, decoder, encoder, workers)
    assert str(refusal.value) == (
        f"encoder_A.onnx: sha256 is {certificate.subjects['encoder_B.onnx']}, "
        f"the certificate is of {certificate.subjects['encoder_A.onnx']}"
    )


def test_a_graph_that_is_certified_still_passes_the_firewall(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    bent = build.graphs["decoder_A.onnx"] + b"\x72\x00"
    subjects = {**certificate.subjects, "decoder_A.onnx": hashlib.sha256(bent).hexdigest()}
    with pytest.raises(FormatError) as refusal:
        evidence.of_graphs(replace(certificate, subjects=subjects), bent, None, workers)
    assert str(refusal.value) == "decoder_A.onnx: holds metadata, expected none"


def with_first(certificate: Certificate, claim: PathCoverage) -> Certificate:
    return replace(certificate, paths=(claim, *certificate.paths[1:]))


def test_one_operation_more_than_drawn_is_found_out(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    claim = certificate.paths[0]
    first = claim.prior[0]
    boasting = replace(claim, prior=(replace(first, operations=first.operations + 1), *claim.prior[1:]))
    with pytest.raises(ProofError, match=f"the certificate says {first.operations + 1:,}"):
        evidence.of_graphs(with_first(certificate, boasting), build.graphs["decoder_A.onnx"], None, workers)


def test_a_streamed_witness_at_another_row_is_found_out_without_the_encoder(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    claim = certificate.paths[0]
    operation, row = next(iter(claim.reachable.streamed.items()))
    moved = replace(
        claim, reachable=replace(claim.reachable, streamed={**claim.reachable.streamed, operation: row + 1})
    )
    with pytest.raises(ProofError) as refusal:
        evidence.of_graphs(with_first(certificate, moved), build.graphs["decoder_A.onnx"], None, workers)
    assert str(refusal.value).startswith(
        f"path A: operation {operation} is certified reachable, but row {row + 1} of the latent stream"
    )


def test_a_smallest_margin_above_that_of_a_streamed_witness_is_found_out_without_the_encoder(
    certificate: Certificate, build: Build, workers: Workers
) -> None:
    claim, graph = certificate.paths[0], build.graphs["decoder_A.onnx"]
    rows = claim.stream.prior(claim.seed, 0, claim.rows)[list(claim.reachable.streamed.values())]
    smallest = Decoder(graph, "decoder_A.onnx", workers).decode(rows).margin.min()
    boasting = replace(claim, reachable=replace(claim.reachable, smallest_margin="99.0000"))
    with pytest.raises(ProofError) as refusal:
        evidence.of_graphs(with_first(certificate, boasting), graph, None, workers)
    assert str(refusal.value) == (
        f"path A: a witness from the latent stream has a margin of {smallest:.6f} here, "
        "the certificate says that none is below 99.0000"
    )
