import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ternary_export.build import Build
from ternary_export.packaging import package, standard_terms
from ternary_export.provenance import Provenance
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.packages import archive
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, InputError, ProofError, SignatureError

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def key(vendor: KeyRing) -> SigningKey:
    return vendor.signer(Role.PACKAGE)


@pytest.fixture(scope="module")
def members(shipped: bytes) -> dict[str, bytes]:
    return archive.decode(shipped)


class Service:
    """A key management service: whichever s it likes, as such services do."""

    def __init__(self, key: SigningKey) -> None:
        self.public: PublicKey = key.public
        self._key = key

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message))
        return encode_dss_signature(r, max(s, ORDER - s))


class Confused(Service):
    """A service that signs something else."""

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message + b"!")


class Unwilling(Service):
    """A service that fails the test if it is asked at all."""

    def sign(self, message: bytes) -> bytes:
        raise AssertionError(f"asked to sign {len(message)} bytes")


def test_the_same_build_gives_the_same_package(build: Build, shipped: bytes, key: SigningKey) -> None:
    assert package(build, name="acme", version=(1, 0, 0), signer=key) == shipped


def test_a_signer_that_gives_the_other_s_gives_the_same_package(
    build: Build, shipped: bytes, key: SigningKey
) -> None:
    assert package(build, name="acme", version=(1, 0, 0), signer=Service(key)) == shipped


def test_a_signer_that_signed_something_else_is_found_out(build: Build, key: SigningKey) -> None:
    with pytest.raises(SignatureError):
        package(build, name="acme", version=(1, 0, 0), signer=Confused(key))


def test_a_package_read_back_carries_the_terms_given(build: Build, key: SigningKey, vendor: KeyRing) -> None:
    data = package(build, name="acme", version=(2, 0, 0), signer=key, terms="# Ours\n")
    read = Package.read(data, vendor.trust)
    assert read.members["terms.md"] == b"# Ours\n"
    assert read.manifest.label == "acme-2.0.0"


def test_terms_with_line_ends_of_windows_are_taken(build: Build, key: SigningKey) -> None:
    data = package(build, name="acme", version=(2, 0, 0), signer=key, terms="# Ours\r\n\tAll.\r\n")
    assert archive.decode(data)["terms.md"] == b"# Ours\n\tAll.\n"


def test_terms_that_no_client_would_open_are_refused_before_anything_is_signed(
    build: Build, key: SigningKey
) -> None:
    service = Unwilling(key)
    with pytest.raises(FormatError) as refusal:
        package(build, name="acme", version=(2, 0, 0), signer=service, terms="# Ours\n\x1b[2J")
    assert str(refusal.value) == (
        "terms.md: line 2 holds the hidden character U+001B, expected visible text, tabs and line feeds"
    )


def test_the_standard_terms_are_those_of_the_repository(members: dict[str, bytes]) -> None:
    assert members["terms.md"].decode() == standard_terms()
    assert standard_terms().startswith("# License terms\n")


@pytest.mark.parametrize("name", ["Acme", "", "-acme", "acme logic", "a" * 65, "acme\n"])
def test_a_name_that_is_none_is_refused(build: Build, key: SigningKey, name: str) -> None:
    with pytest.raises(InputError) as refusal:
        package(build, name=name, version=(1, 0, 0), signer=key)
    assert str(refusal.value).startswith(f"package name: {name[:80]!r}, expected")


def test_terms_longer_than_terms_may_be_are_refused(build: Build, key: SigningKey) -> None:
    with pytest.raises(InputError) as refusal:
        package(build, name="acme", version=(1, 0, 0), signer=key, terms="x" * 262_145)
    assert str(refusal.value) == "terms.md: 262145 bytes, expected at most 262144"


def test_the_card_tells_the_certificates_figures(members: dict[str, bytes], build: Build) -> None:
    card = members["card.md"].decode()
    best = build.certificate.best_path
    found = best.at(50_000)
    hundredths = found.operations * 10_000 // 19_683
    share = f"{hundredths // 100}.{hundredths % 100:02d} %"
    assert card.startswith("# acme 1.0.0\n")
    quoted = f"{share} of all operations in 50,000 draws; perfect draws, on average 92.116 ± 0.170 %"
    assert f"Path {best.path} is used by default: {quoted}." in card
    assert "epoch 7 of a stored checkpoint" in card
    assert card.endswith("\n")
    assert str(Path.home()) not in card


def every_reference(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if "bom-ref" in document:
            yield document["bom-ref"]
        for value in document.values():
            yield from every_reference(value)
    elif isinstance(document, list):
        for value in document:
            yield from every_reference(value)


def test_the_bill_of_materials_has_what_the_standard_requires(members: dict[str, bytes]) -> None:
    """CycloneDX 1.6: the required members, with the values its schema allows."""
    bom = json.loads(members["bom.json"])
    assert bom["$schema"] == "http://cyclonedx.org/schema/bom-1.6.schema.json"
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    assert len(bom["serialNumber"]) == len("urn:uuid:") + 36
    model = bom["metadata"]["component"]
    assert (model["type"], model["name"], model["version"]) == ("machine-learning-model", "acme", "1.0.0")
    assert bom["metadata"]["timestamp"] == "2026-02-03T04:05:06Z"
    for component in bom["components"]:
        assert component["type"] in ("file", "data", "library")
        assert component["name"]
    references = list(every_reference(bom))
    assert len(set(references)) == len(references)
    for dependency in bom["dependencies"]:
        assert {dependency["ref"], *dependency.get("dependsOn", [])} <= set(references)


def test_a_snapshot_without_an_epoch_is_packaged_with_none_stated(build: Build, key: SigningKey) -> None:
    origin = replace(build.provenance.origin, epoch=None)
    unstated = replace(build, provenance=replace(build.provenance, origin=origin))
    assert Provenance.read(unstated.provenance.to_bytes()).origin.epoch is None
    members = archive.decode(package(unstated, name="acme", version=(1, 0, 0), signer=key))
    card, bom = (members[name].decode() for name in ("card.md", "bom.json"))
    assert "epoch an epoch" not in card
    assert "- Trained snapshot: an epoch that is not stated of " in card
    assert "ternary:epoch" not in bom


def test_the_bill_of_materials_lists_the_graphs_by_digest(members: dict[str, bytes], build: Build) -> None:
    bom = json.loads(members["bom.json"])
    graphs = {c["name"]: c["hashes"][0] for c in bom["components"] if c["type"] == "file"}
    assert {name: found["content"] for name, found in graphs.items()} == build.certificate.subjects
    assert {found["alg"] for found in graphs.values()} == {"SHA-256"}


def test_the_bill_of_materials_quotes_coverage_with_draws_and_perfect_draws(
    members: dict[str, bytes],
) -> None:
    metrics = json.loads(members["bom.json"])["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]
    quoted = [m["value"] for m in metrics["performanceMetrics"] if m["type"] == "hash-validated coverage"]
    assert len(quoted) == 6
    assert all("draws; perfect draws, on average " in value for value in quoted)


def test_a_package_from_a_build_of_a_later_time_differs(
    build: Build, shipped: bytes, key: SigningKey
) -> None:
    later = datetime(2026, 2, 3, 4, 5, 7, tzinfo=UTC)
    other = replace(
        build,
        provenance=replace(build.provenance, released=later),
        certificate=replace(build.certificate, released=later),
    )
    assert package(other, name="acme", version=(1, 0, 0), signer=key) != shipped


def test_what_is_packaged_is_refused_by_another_vendors_trust(shipped: bytes, tmp_path: Path) -> None:
    from ternary_license_server.keys import keyring

    stranger = keyring.create(tmp_path / "keys", "Stranger", datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises((SignatureError, FormatError)):
        Package.read(shipped, stranger.trust)


def test_figures_that_the_graphs_do_not_give_are_not_signed(build: Build, key: SigningKey) -> None:
    """Whoever edits a build's coverage.json: everything in it agrees with itself."""
    claim, other = build.certificate.paths
    flat = replace(claim, prior=tuple(replace(prior, operations=2132) for prior in claim.prior))
    edited = replace(build, certificate=replace(build.certificate, paths=(flat, other)))
    assert Certificate.from_statement(edited.certificate.to_statement()) == edited.certificate
    with pytest.raises(ProofError) as refusal:
        package(edited, name="acme", version=(1, 0, 0), signer=Unwilling(key))
    first = claim.prior[0]
    assert str(refusal.value) == (
        f"path A: 10,000 draws give {first.operations:,} operations here (set {first.digest[:12]}…), "
        f"the certificate says 2,132 (set {first.digest[:12]}…); "
        "nothing was signed: run 'ternary certify BUILD' to compute the certificate again"
    )


def test_witnesses_that_the_graphs_do_not_give_are_not_signed(build: Build, key: SigningKey) -> None:
    claim, other = build.certificate.paths
    margin = replace(claim, reachable=replace(claim.reachable, smallest_margin="1.0000"))
    edited = replace(build, certificate=replace(build.certificate, paths=(margin, other)))
    with pytest.raises(ProofError, match=r"^path A: the smallest margin of its witnesses is 0\.0"):
        package(edited, name="acme", version=(1, 0, 0), signer=Unwilling(key))


def test_a_seed_that_was_shopped_for_is_not_signed(build: Build, key: SigningKey) -> None:
    claim, other = build.certificate.paths
    lucky = replace(build, certificate=replace(build.certificate, paths=(replace(claim, seed=6), other)))
    with pytest.raises(FormatError) as refusal:
        package(lucky, name="acme", version=(1, 0, 0), signer=Unwilling(key))
    assert str(refusal.value) == (
        f"coverage.json: path A has the seed 0000000000000006, its decoder's digest gives {claim.seed:016x}"
    )


def test_graphs_that_are_not_the_certified_ones_are_not_signed(build: Build, key: SigningKey) -> None:
    graphs = {**build.graphs, "encoder_A.onnx": build.graphs["encoder_B.onnx"]}
    found, said = (build.certificate.subjects[f"encoder_{path}.onnx"] for path in "BA")
    with pytest.raises(ProofError) as refusal:
        package(replace(build, graphs=graphs), name="acme", version=(1, 0, 0), signer=Unwilling(key))
    assert str(refusal.value) == (
        f"encoder_A.onnx: sha256 is {found}, the certificate says {said}; "
        "nothing was signed: run 'ternary certify BUILD' to compute the certificate again"
    )
