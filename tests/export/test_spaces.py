"""Untrained models of other spaces, latent sizes and paths, from their weights to draws."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.builds import MOMENT, built, parameters
from tests.networks import State, untrained_of

from ternary_export.build import Build
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import Model
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import of_decoder
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk._internal.inference.runtime import Decoder, Workers, margin_of
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.coverage import quoted_draws
from ternary_sdk.errors import FormatError, InputError, LicenseError
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space

EACH = [
    Signature(Space(2, 1), 8, ("A",)),
    Signature(Space(2, 3), 8, ("A", "B")),
    Signature(Space(3, 1), 16, ("C",)),
    Signature(Space(5, 1), 24, ("A", "B", "Z")),
    Signature(TERNARY_2, 8, ("B",)),
]
VAST = [
    Signature(Space(8, 1), 8, ("A",)),
    Signature(Space(4, 2), 16, ("A",)),
    Signature(Space(3, 3), 32, ("A",)),
]


GRAPHS_OF_BEFORE = {
    "decoder_A": "906ec0d75edf8229f8e33e5e3c9b35fd",
    "encoder_A": "e7d39a6251dcad981869176f62fc03c7",
    "decoder_B": "189b72f8327f7663b9424f0b4b4231c2",
    "encoder_B": "1c931ef8d0d5c3fb2d0372b6292096a6",
}


def opened(build: Build, vendor: KeyRing, folder: Path, *, quota: int | None = None) -> Model:
    data = package(build, name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))
    terms = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))
    license = issue(
        vendor, package=[terms], customer="Initech", now=MOMENT,
        unique_operations=quota, license_id="L-17",
    )  # fmt: skip
    return Model.open(data, license=license, trust=vendor.trust.data, state=folder, threads=1)


@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
@pytest.mark.parametrize("signature", EACH, ids=str)
def test_each_space_is_certified_packaged_licensed_and_drawn(
    signature: Signature, residual: bool, vendor: KeyRing, tmp_path: Path
) -> None:
    build = built(signature, untrained_of(signature, residual=residual))
    build.write(tmp_path / "build")
    assert Build.read(tmp_path / "build") == build
    space = signature.space
    with opened(build, vendor, tmp_path / "state", quota=space.size) as model:
        assert model.signature == model.certificate.signature == signature
        for path in signature.paths:
            claim, reachable = model.replay(path=path), model.reachable(path=path)
            assert tuple(prior.draws for prior in claim.prior) == quoted_draws(space)
            assert reachable.space == space
            everything = model.sample(len(reachable), unique=True, seed=3, path=path)
            assert everything.set == reachable
            assert np.array_equal(model.decode(everything.latents, path=path), everything.operations)
            means = model.encode(everything.operations, path=path)
            assert means.shape == (len(reachable), signature.latent_size)
            rows = model.sample(3000, seed=5, path=path)
            again = [
                model.sample(n, seed=5, offset=start, path=path) for n, start in ((1000, 0), (2000, 1000))
            ]
            assert np.array_equal(rows.index, np.concatenate([part.index for part in again]))
            assert np.array_equal(space.to_index(model.decode(rows.latents, path=path)), rows.index)
            assert len(rows.set) == model.count(3000, seed=5, path=path)
        assert model.drawn() >= model.reachable()


def test_a_path_without_an_encoder_is_certified_by_rows_of_the_stream(
    vendor: KeyRing, tmp_path: Path
) -> None:
    signature = EACH[1]
    build = built(signature, untrained_of(signature), encoders=False)
    for claim in build.certificate.paths:
        assert claim.encoder is None
        assert set(claim.reachable.streamed) == set(claim.reachable.operations)
    assert "draws operations and decodes 8 numbers to an operation" in card_of(build)
    with opened(build, vendor, tmp_path / "state") as model:
        assert model.sample(len(model.reachable()), unique=True, seed=1).set == model.reachable()
        with pytest.raises(InputError) as refusal:
            model.encode(np.zeros((1, 8)), path="A")
        assert str(refusal.value) == "path A: has no encoder, so it encodes nothing"


def card_of(build: Build) -> str:
    from ternary_export.card import model_card

    return model_card("acme", (1, 0, 0), build.certificate, build.provenance)


def test_the_quota_counts_operations_of_all_spaces_together(vendor: KeyRing, tmp_path: Path) -> None:
    """One license, two packages of its versions: of two and of three values."""
    boolean, ternary = (built(one, untrained_of(one)) for one in (EACH[1], EACH[2]))
    with opened(boolean, vendor, tmp_path / "state", quota=30) as model:
        first = model.sample(20, unique=True, seed=1)
        license = model.license
        assert license is not None
    with opened(ternary, vendor, tmp_path / "state", quota=30) as model:
        reached = len(model.reachable())
        assert reached > 10
        with pytest.raises(LicenseError) as refusal:
            model.sample(11, unique=True, seed=1)
        assert str(refusal.value).endswith(
            "allows 30 different operations; 20 are drawn and this call would draw 11 more; "
            "ask for fewer, or ask the vendor for a larger quota"
        )
        model.sample(10, unique=True, seed=1)
        assert len(model.drawn()) == 10
    assert len(first.set) == 20


@pytest.mark.parametrize("signature", [*EACH, *VAST], ids=str)
@pytest.mark.parametrize("skip", [False, True], ids=["", "skip"])
@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
def test_a_decoder_gives_the_argmax_of_its_logits(signature: Signature, residual: bool, skip: bool) -> None:
    """Also where indices are too large for a graph, which gives digits then."""
    state = untrained_of(signature, residual=residual, skip=skip)
    path, space = signature.paths[0], signature.space
    graph = decoder_graph(state, path, signature)
    firewall.inspect(
        graph,
        what="decoder",
        interface=of_decoder(signature),
        parameters=parameters(state, f"decoder_{path}.onnx"),
    )
    latents = np.random.default_rng(1).normal(size=(3000, signature.latent_size)).astype(np.float32)
    with Workers(1) as workers:
        decoder = Decoder(graph, "decoder", workers, signature)
        logits, found = decoder.logits(latents), decoder.decode(latents)
        assert np.array_equal(found.index, space.to_index(logits.argmax(axis=2) + space.lowest))
        assert found.index.dtype == space.index_type
        top = np.sort(logits, axis=2)
        assert np.array_equal(found.margin, (top[:, :, -1] - top[:, :, -2]).min(axis=1))
        assert np.array_equal(margin_of(logits.transpose(2, 1, 0)), found.margin)
        assert len(np.unique(found.index)) > 1


@pytest.mark.parametrize("radix", range(2, 8))
def test_of_equal_logits_the_lowest_value_wins_and_no_number_gives_a_value_in_range(radix: int) -> None:
    signature = Signature(Space(radix, 1), 8, ("A",))
    state = {name: np.zeros_like(value) for name, value in untrained_of(signature).items()}
    bias = state["decoder_A.decoder.4.bias"]
    bias[:radix] = [0, *[1] * (radix - 1)]
    bias[radix : 2 * radix] = np.inf
    with Workers(1) as workers:
        decoder = Decoder(decoder_graph(state, "A", signature), "decoder", workers, signature)
        (table,) = signature.space.from_index(decoder.index(np.zeros((1, 8))))
    expected = [signature.space.values[1], *[signature.space.lowest] * (radix - 1)]
    assert table.tolist() == expected


def test_the_graphs_of_the_flagship_are_byte_for_byte_those_of_before(
    untrained: Callable[[int], State],
) -> None:
    """Digests taken before graphs knew of spaces: seeds, and so certificates, follow from them."""
    assert {
        f"{role}_{path}": hashlib.sha256(write(untrained(1), path)).hexdigest()[:32]
        for path in "AB"
        for role, write in (("decoder", decoder_graph), ("encoder", encoder_graph))
    } == GRAPHS_OF_BEFORE


def test_a_certificate_of_another_space_than_its_build_is_refused(tmp_path: Path) -> None:
    build, other = (built(one, untrained_of(one)) for one in (EACH[0], replace(EACH[0], space=Space(2, 2))))
    build.write(tmp_path / "build")
    subjects = build.certificate.subjects
    wrong = replace(other.certificate, subjects=subjects, paths=(
        replace(other.certificate.paths[0], seed=build.certificate.paths[0].seed),
    ))  # fmt: skip
    file = tmp_path / "build" / "coverage.json"
    file.write_bytes(wrong.to_statement())
    with pytest.raises(FormatError) as refusal:
        Build.read(tmp_path / "build")
    assert str(refusal.value) == (
        f"{file}: is of another build than build.json; run 'ternary certify {tmp_path / 'build'}'"
    )
