"""A signature says who made a package; what the model does is proved again by whoever opens it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import numpy_helper

from ternary_export.build import Build
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import (
    MARGIN,
    VERIFIER_MARGIN,
    PathCoverage,
    margin_text,
    seed_of,
)
from ternary_sdk._internal.inference.runtime import Decoded, Decoder, Encoder, Workers
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import ProofError
from ternary_sdk.model import Model
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

EVERY = np.arange(TERNARY_2.size, dtype=np.int32)
Failed = npt.NDArray[np.bool_]


def nudged(graph: bytes, tensor: str, amount: float) -> bytes:
    """A graph with the first element of one tensor changed."""
    model = onnx.load_from_string(graph)
    found = next(stored for stored in model.graph.initializer if stored.name == tensor)
    values = numpy_helper.to_array(found).copy()
    values.flat[0] += np.float32(amount)
    found.CopyFrom(numpy_helper.from_array(values, tensor))
    return model.SerializeToString(deterministic=True)


def decoded(encoder: bytes, decoder: bytes) -> Decoded:
    """What the posterior means of all operations decode to."""
    with Workers() as workers:
        means = Encoder(encoder, "encoder", workers).mean(TERNARY_2.tables)
        return Decoder(decoder, "decoder", workers).decode(means)


def witnessed(encoder: bytes, decoder: bytes) -> npt.NDArray[np.bool_]:
    """Which operations their own posterior mean decodes to, clearly enough for a verifier."""
    found = decoded(encoder, decoder)
    return (found.index == EVERY) & (found.margin >= VERIFIER_MARGIN)


def smallest_flip(change: Callable[[float], Failed]) -> tuple[float, int]:
    """The first of ever larger changes by which an operation is lost, and the first operation lost."""
    for step in range(40):
        amount = 1e-4 * 2.0 ** (step / 2)
        lost = change(amount)
        if lost.any():
            return amount, int(np.argmax(lost))
    raise LookupError("no change of this weight flips anything")


def by_means_only(build: Build) -> Build:
    """The build with a certificate of path A that claims only what posterior means reach."""
    found = decoded(build.graphs["encoder_A.onnx"], build.graphs["decoder_A.onnx"])
    reached = (found.index == EVERY) & (found.margin >= MARGIN)
    operations, smallest = OperationSet(reached), margin_text(float(found.margin[reached].min()))
    claim = build.certificate.paths[0]
    modest = replace(
        claim,
        reachable=replace(claim.reachable, operations=operations, streamed={}, smallest_margin=smallest),
        prior=tuple(replace(prior, operations=0) for prior in claim.prior),
    )
    return with_paths(build, (modest, build.certificate.paths[1]))


def with_paths(build: Build, paths: tuple[PathCoverage, ...]) -> Build:
    return replace(build, certificate=replace(build.certificate, paths=paths))


def with_graph(build: Build, name: str, graph: bytes) -> Build:
    """The build with one graph exchanged and everything that can be recomputed made to fit."""
    digest = hashlib.sha256(graph).hexdigest()
    certificate: Certificate = build.certificate
    paths = tuple(
        replace(path, seed=seed_of(digest, path.stream)) if path.decoder == name else path
        for path in certificate.paths
    )
    return replace(
        build,
        graphs={**build.graphs, name: graph},
        certificate=replace(certificate, subjects={**certificate.subjects, name: digest}, paths=paths),
    )


@pytest.mark.parametrize(
    ("graph", "tensor"),
    [("decoder_A.onnx", "decoder_A.decoder.4.bias"), ("encoder_A.onnx", "encoder_A.fc_mu.bias")],
)
def test_one_changed_weight_is_caught_although_everything_is_signed_again(
    build: Build, vendor: KeyRing, forge: Callable[[Build], bytes], graph: str, tensor: str
) -> None:
    modest = by_means_only(build)
    claimed = modest.certificate.paths[0].reachable.operations.mask

    def lost(amount: float) -> Failed:
        graphs = {**modest.graphs, graph: nudged(modest.graphs[graph], tensor, amount)}
        return claimed & ~witnessed(graphs["encoder_A.onnx"], graphs["decoder_A.onnx"])

    amount, operation = smallest_flip(lost)
    altered = with_graph(modest, graph, nudged(modest.graphs[graph], tensor, amount))
    data = forge(altered)

    assert Package.read(data, vendor.trust).identity.name == "acme"  # the signatures say nothing against it
    with pytest.raises(ProofError) as refusal:
        Model.open(data, trust=vendor.trust.data)
    assert str(refusal.value).startswith(
        f"path A: operation {operation} is certified reachable, but its posterior mean decodes to"
    )


@pytest.fixture(scope="module")
def evaluation(build: Build) -> Build:
    """The evaluation model, which reaches everything by posterior means, in place of the untrained one."""
    with Model.evaluation() as model:
        graphs, certificate = dict(model.package.graphs), model.certificate
    return replace(
        build, graphs=graphs, certificate=replace(certificate, released=build.certificate.released)
    )


def first_flip(build: Build, name: str, tensor: str) -> tuple[float, Failed]:
    """The least change, to a thousandth, by which an operation decodes to another, and which then do."""

    def flipped(amount: float) -> Failed:
        graphs = {**build.graphs, name: nudged(build.graphs[name], tensor, amount)}
        return decoded(graphs["encoder_A.onnx"], graphs["decoder_A.onnx"]).index != EVERY

    still, amount = 0.0, 1e-3
    while not flipped(amount).any():
        still, amount = amount, 2 * amount
    while amount - still > 1e-3:
        middle = (still + amount) / 2
        still, amount = (still, middle) if flipped(middle).any() else (middle, amount)
    return amount, flipped(amount)


@pytest.mark.parametrize("tensor", ["decoder_A.decoder.4.weight", "decoder_A.decoder.2.bias"])
def test_a_weight_by_which_one_operation_of_19_683_flips_is_caught_and_that_operation_named(
    evaluation: Build, vendor: KeyRing, forge: Callable[[Build], bytes], tensor: str
) -> None:
    """Everything is signed again, and nothing else of the model has changed: the signatures agree."""
    name = "decoder_A.onnx"
    amount, flipped = first_flip(evaluation, name, tensor)
    altered = with_graph(evaluation, name, nudged(evaluation.graphs[name], tensor, amount))
    (operation,) = np.flatnonzero(flipped)
    now = decoded(altered.graphs["encoder_A.onnx"], altered.graphs[name]).index[operation]
    with pytest.raises(ProofError) as refusal:
        Model.open(forge(altered), trust=vendor.trust.data)
    assert str(refusal.value) == (
        f"path A: operation {operation} is certified reachable, "
        f"but its posterior mean decodes to operation {now}"
    )


def test_the_unchanged_evaluation_model_opens(
    evaluation: Build, vendor: KeyRing, forge: Callable[[Build], bytes]
) -> None:
    Model.open(forge(evaluation), trust=vendor.trust.data).close()


def test_the_unchanged_model_opens(build: Build, vendor: KeyRing, forge: Callable[[Build], bytes]) -> None:
    data = forge(by_means_only(build))
    Model.open(data, trust=vendor.trust.data).close()


def overflowing(graph: bytes) -> bytes:
    """Decoder A with last weights and biases that are finite, but whose logits are not."""
    model = onnx.load_from_string(graph)
    for stored in model.graph.initializer:
        if stored.name.startswith("decoder_A.decoder.4."):
            values = np.full_like(numpy_helper.to_array(stored), np.float32(3e38))
            stored.CopyFrom(numpy_helper.from_array(values, stored.name))
    return model.SerializeToString(deterministic=True)


def test_infinite_logits_prove_nothing_although_everything_is_signed_again(
    build: Build, vendor: KeyRing, forge: Callable[[Build], bytes]
) -> None:
    """Equal logits decode to operation 0, and infinity less infinity is below no bound."""
    claim = by_means_only(build).certificate.paths[0]
    first = replace(claim.reachable, operations=OperationSet.of([0]))
    honest = with_paths(build, (replace(claim, reachable=first), build.certificate.paths[1]))
    altered = with_graph(honest, "decoder_A.onnx", overflowing(build.graphs["decoder_A.onnx"]))
    data = forge(altered)

    with pytest.raises(ProofError) as refusal:
        Model.open(data, trust=vendor.trust.data)
    assert str(refusal.value) == (
        "path A: operation 0 is certified reachable, but its posterior mean decodes to it with a margin of "
        "nan, below 0.0005"
    )
