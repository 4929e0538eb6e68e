"""Builds and packages of vast spaces, from graphs made by hand: certified, packaged, read; hostile ones."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.builds import built
from tests.networks import State, thresholds, untrained_of
from tests.sdk.packages.test_package import remade, sealed, signed

from ternary_export import parity, sample
from ternary_export.bom import bill_of_materials
from ternary_export.build import Build, Draft, load
from ternary_export.card import model_card
from ternary_export.certifying import State as Standing
from ternary_export.certifying import compared, completed
from ternary_export.packaging import package
from ternary_export.provenance import Provenance
from ternary_export.vast_certifying import Effort
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.certificates.evenness import MOST_DRAWS
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import MOST_OPERATIONS, is_round
from ternary_sdk._internal.documents import gaps
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk._internal.packages import archive
from ternary_sdk._internal.packages.members import cap
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, InputError, ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer.model import restored

QUATERNARY = Signature(Space(4, 2), 16, ("A", "B"))
TERNARY_3 = Signature(Space(3, 3), 32, ("A",))
BINARY = [
    "blocks_A.bin", "blocks_B.bin", "failures_A.bin", "failures_B.bin", "near_ties_A.bin", "near_ties_B.bin",
]  # fmt: skip


def uneven(signature: Signature) -> State:
    """By hand, and its path B worse: four cells of every operation are the same, so it draws 4^12 of them."""
    state = thresholds(signature)
    state["decoder_B.decoder.4.bias"][:16] = 4 * [0, 0, 0, 1000]
    return state


@pytest.fixture(scope="module")
def made() -> Build:
    return built(QUATERNARY, uneven(QUATERNARY), draws=200_000, operations=2000)


@pytest.fixture(scope="module")
def key(vendor: KeyRing) -> SigningKey:
    return vendor.signer(Role.PACKAGE)


@pytest.fixture(scope="module")
def shipped_vast(made: Build, key: SigningKey) -> bytes:
    return package(made, name="acme", version=(1, 0, 0), signer=key)


@pytest.fixture(scope="module")
def members(shipped_vast: bytes) -> dict[str, bytes]:
    return archive.decode(shipped_vast)


def certificate_of(build: Build) -> VastCertificate:
    assert isinstance(build.certificate, VastCertificate)
    return build.certificate


def test_a_build_is_written_and_read(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    assert sorted(made.binary) == BINARY
    assert Build.read(tmp_path / "build") == made


def test_the_better_path_is_the_one_with_the_larger_effective_number(made: Build) -> None:
    first, second = certificate_of(made).paths
    assert first.evenness.effective_number > 4 * second.evenness.effective_number
    assert second.evenness.effective_number < 4**12
    assert certificate_of(made).best_path is first
    swapped = replace(made.certificate, paths=(replace(second, path="A"), replace(first, path="B")))
    assert swapped.best_path.path == "B"


def test_what_constant_cells_cost_is_certified(made: Build) -> None:
    """One operation of 256 has a witness on path B, and the bound is below that."""
    reachable = certificate_of(made).paths[1].reachable
    assert reachable is not None
    assert 0.99 < reachable.failures / reachable.operations < 0.999
    assert 0 < float(reachable.share) < 1 / 256


def test_the_operations_that_are_tried_follow_from_both_graphs(made: Build) -> None:
    """Each tried by itself, from a seed that the encoder's bytes are part of."""
    claim, subjects = certificate_of(made).paths[1], made.certificate.subjects
    both = bytes.fromhex(subjects["decoder_B.onnx"] + subjects["encoder_B.onnx"])
    seed = int(hashlib.sha256(b"ternary-reachable-v2" + both).hexdigest()[:16], 16)
    with Workers(1) as workers:
        encoder, decoder = load(made.graphs, "B", workers, QUATERNARY)
        assert encoder is not None
        assert claim.reachable is not None
        wanted = claim.stream.uniform(seed, 0, claim.reachable.operations, QUATERNARY.space)
        found = decoder.decode(encoder.mean(QUATERNARY.space.from_index(wanted)))
    failed = np.flatnonzero((found.index != wanted) | ~(found.margin >= 0.001))
    assert made.binary["failures_B.bin"] == gaps.encode(failed)
    assert claim.reachable.seed == seed != claim.seed


@pytest.mark.parametrize("encoders", [True, False], ids=["with encoder", "without"])
def test_each_vast_space_is_certified_and_packaged(encoders: bool, key: SigningKey, vendor: KeyRing) -> None:
    build = built(TERNARY_3, thresholds(TERNARY_3), encoders=encoders, draws=2000, operations=500)
    (claim,) = certificate_of(build).paths
    assert (claim.reachable is None) != encoders
    read = Package.read(package(build, name="acme", version=(1, 0, 0), signer=key), vendor.trust)
    assert (read.signature, read.certificate) == (TERNARY_3, build.certificate)
    assert ("failures_A.bin" in read.members) == encoders
    assert read.coverage("A") == claim
    assert read.records["A"].near_ties.tolist() == gaps.decode(
        build.binary["near_ties_A.bin"], below=2000, most=2000, what="near ties"
    ).tolist()  # fmt: skip


def test_a_package_of_a_vast_space_is_read(shipped_vast: bytes, made: Build, vendor: KeyRing) -> None:
    read = Package.read(shipped_vast, vendor.trust)
    assert read.manifest.default_path == "A"
    assert {name: read.members[name] for name in BINARY} == made.binary
    assert {path: len(found.leaves) for path, found in read.records.items()} == {"A": 128, "B": 128}


def test_an_encrypted_package_has_its_binary_members_in_the_clear(
    made: Build, key: SigningKey, vendor: KeyRing
) -> None:
    data = package(made, name="acme", version=(1, 0, 0), signer=key, content_key=bytes(32))
    read = Package.read(data, vendor.trust)
    assert read.locked
    assert {name: read.members[name] for name in BINARY} == made.binary
    assert read.unlock(bytes(32)).records["A"].leaves == made.binary["blocks_A.bin"]


HOSTILE: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "other draws": (
        "blocks_A.bin", lambda data: data[32:] + data[:32], "blocks_A.bin: its Merkle root is "
    ),
    "other near ties": ("near_ties_B.bin", lambda data: data[1:], "near_ties_B.bin: "),
    "failures hidden": ("failures_B.bin", lambda data: b"", "failures_B.bin: 0 bytes with sha256 e3b0c442"),
    "too many failures": (
        "failures_A.bin",
        lambda data: bytes((4 << 20) + 1),
        "failures_A.bin: 4194305 bytes, expected at most 4194304",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_signed_package_with_other_binary_members_is_refused(
    trick: str, members: dict[str, bytes], key: SigningKey, vendor: KeyRing
) -> None:
    """Signed by the vendor's own key: the certificate speaks of other members."""
    name, change, sentence = HOSTILE[trick]
    data = remade(members | {name: change(members[name])}, key)
    with pytest.raises(FormatError) as refusal:
        Package.read(data, vendor.trust)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("name", ["blocks_A.bin", "near_ties_B.bin", "failures_A.bin"])
def test_a_package_without_a_binary_member_is_refused(
    name: str, members: dict[str, bytes], key: SigningKey, vendor: KeyRing
) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = [entry for entry in manifest["members"] if entry["name"] != name]
    rest = {member: data for member, data in members.items() if member != name}
    rest["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(FormatError) as refusal:
        Package.read(signed(rest, key), vendor.trust)
    assert str(refusal.value) == f"manifest.json: members lack '{name}'"


def test_binary_members_are_capped() -> None:
    names = ("blocks_A.bin", "near_ties_Z.bin", "failures_A.bin", "failures_a.bin")
    assert [cap(name) >> 20 for name in names] == [8, 32, 4, 8]


def test_a_listed_package_with_a_binary_member_is_refused(
    shipped: bytes, key: SigningKey, vendor: KeyRing
) -> None:
    rest = archive.decode(shipped) | {"blocks_A.bin": b""}
    manifest = json.loads(rest["manifest.json"])
    manifest["members"].insert(0, {"name": "blocks_A.bin", "sha256": "e3" * 32, "size": 0})
    manifest["members"].sort(key=lambda entry: entry["name"])
    rest["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(FormatError) as refusal:
        Package.read(signed(rest, key), vendor.trust)
    assert str(refusal.value) == "manifest.json: members list 'blocks_A.bin', which no package has"


def test_a_default_path_with_the_smaller_effective_number_is_refused(
    members: dict[str, bytes], key: SigningKey, vendor: KeyRing
) -> None:
    manifest = members["manifest.json"].replace(b'"default_path":"A"', b'"default_path":"B"')
    with pytest.raises(FormatError) as refusal:
        Package.read(remade(members, key, manifest__json=manifest), vendor.trust)
    assert str(refusal.value) == (
        "manifest.json: default_path is B, the certificate gives path A the higher coverage"
    )


def test_figures_that_were_edited_are_not_signed(made: Build, key: SigningKey) -> None:
    """A statement that agrees with itself, and with no draws of this model."""
    certificate = certificate_of(made)
    first, second = certificate.paths
    even = first.evenness
    boast = replace(first, evenness=replace(even, distinct=even.clear, once=even.clear, twice=0, pairs=0))
    edited = replace(made, certificate=replace(certificate, paths=(boast, second)))
    with pytest.raises(ProofError, match=r"^path A: 200,000 draws give .*; nothing was signed: run"):
        package(edited, name="acme", version=(1, 0, 0), signer=key)


def test_a_build_whose_members_belong_to_another_is_refused(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    (tmp_path / "build" / "near_ties_A.bin").write_bytes(made.binary["near_ties_A.bin"][1:])
    with pytest.raises(FormatError, match=r"^near_ties_A.bin: "):
        Build.read(tmp_path / "build")
    (tmp_path / "build" / "near_ties_A.bin").unlink()
    with pytest.raises(InputError, match=r"near_ties_A.bin"):
        Build.read(tmp_path / "build")


def test_certifying_again_gives_the_same_figures(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    said: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        effort = Effort(draws=200_000, operations=2000, executor=executor, folder=tmp_path / "count")
        again = completed(Draft.read(tmp_path / "build"), effort, tell=said.append)
        assert again == made
        assert completed(Draft.read(tmp_path / "build"), effort) == made  # what was counted is kept
    assert compared(again.certificate, tmp_path / "build" / "coverage.json") is Standing.CONFIRMED
    assert said == [
        "trying 2,000 uniform operations on path A", "counting 200,000 draws of path A",
        "trying 2,000 uniform operations on path B", "counting 200,000 draws of path B",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"draws": 0}, "draws: 0, expected 1 to 17,179,869,184"),
        ({"draws": 3000}, "draws: 3,000, expected 1, 2 or 5, alone or with zeros after it"),
        (
            {"draws": {"A": 10, "B": 3000}},
            "draws of path B: 3,000, expected 1, 2 or 5, alone or with zeros after it",
        ),
        ({"operations": 11}, "operations: 11, expected 1, 2 or 5, alone or with zeros after it"),
        ({"operations": 2**40 + 1}, "operations: 1,099,511,627,777, expected 1 to 1,099,511,627,776"),
    ],
)
def test_an_effort_out_of_range_is_refused(asked: dict[str, int], sentence: str) -> None:
    with pytest.raises(InputError) as refusal:
        Effort(**asked)  # type: ignore[arg-type]
    assert str(refusal.value) == sentence


def test_each_path_may_have_its_own_number_of_draws(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    with ThreadPoolExecutor(1) as executor:
        effort = Effort(draws={"B": 200_000, "A": 1000}, operations=2000, executor=executor)
        again = completed(Draft.read(tmp_path / "build"), effort)
    first, second = certificate_of(again).paths
    assert first.evenness.draws == 1000
    assert second == certificate_of(made).paths[1]


def test_draws_of_a_path_that_is_not_there_are_refused(made: Build, tmp_path: Path) -> None:
    made.write(tmp_path / "build")
    with pytest.raises(InputError) as refusal:
        completed(Draft.read(tmp_path / "build"), Effort(draws={"A": 1000, "C": 1000}))
    assert str(refusal.value) == "draws of path C: there is no such path, expected A or B"


def test_a_listed_space_has_no_number_of_draws(tmp_path: Path) -> None:
    listed = Signature(Space(2, 1), 8, ("A",))
    built(listed, untrained_of(listed)).write(tmp_path / "build")
    with pytest.raises(InputError) as refusal:
        completed(Draft.read(tmp_path / "build"), Effort(draws=5))
    assert str(refusal.value) == (
        "draws: 5 are asked for, but 2,1 is a listed space, whose certificate is of all operations; "
        "leave the number out"
    )


def test_card_and_bill_of_materials_state_the_bounds(made: Build) -> None:
    card = model_card("acme", (1, 0, 0), made.certificate, made.provenance)
    even = certificate_of(made).paths[0].evenness
    assert f"a fair die with {even.effective_number:,} faces" in card
    percent = 10_000 * even.perfect_effective_number // 2**32 / 100
    assert f"as many perfect draws show {percent:.2f} %" in card
    left_out = f"{100 * float(even.near_tie_share_at_most):.7f} %"
    assert "as 200,000 draws, by the vendor's count, show" in card
    assert f"at most {left_out} are left out" in card
    assert f"| A | 200,000 | {even.near_ties:,} | {even.distinct:,} |" in card
    assert f"| {even.effective_number:,} | {left_out} |" in card
    assert "prove; as many" not in card
    assert "wrong with a probability of 0.000001 at most" in card.replace("\n", " ")
    metrics = json.loads(bill_of_materials("acme", (1, 0, 0), made.certificate, made.provenance))
    card_of = metrics["metadata"]["component"]["modelCard"]
    figures = card_of["quantitativeAnalysis"]["performanceMetrics"]
    assert [figure["type"] for figure in figures] == 2 * [
        "different operations",
        "effective number of operations, at least",
        "reachable share of all operations, at least",
    ]
    assert figures[0] == {
        "type": "different operations", "value": str(even.distinct), "slice": "path A, 200,000 prior draws",
    }  # fmt: skip


def test_the_card_of_a_path_without_encoder_says_what_can_be_drawn() -> None:
    build = built(TERNARY_3, thresholds(TERNARY_3), encoders=False, draws=2000)
    even = certificate_of(build).paths[0].evenness
    assert even.effective_number > 0
    card = model_card("acme", (1, 0, 0), build.certificate, build.provenance)
    assert (
        f"- Path A: at least {even.effective_number:,} operations can be drawn; nothing gives a latent for a "
        "wanted one, as it has no encoder."
    ) in card


@pytest.mark.parametrize("number", [1, 2, 5, 10, 20_000, 10**7, 5 * 10**9, 10**10])
def test_an_effort_of_each_round_number_is_taken(number: int) -> None:
    assert Effort(draws=number, operations=number).draws == number


def test_a_certificate_may_be_of_31_numbers_of_draws() -> None:
    """A choice among them costs so much: docs/spaces.md says it."""
    powers = [k * 10**j for k in range(1, 10) for j in range(14)]
    assert sum(is_round(number) for number in powers if number <= MOST_DRAWS) == 31
    assert sum(is_round(number) for number in powers if number <= MOST_OPERATIONS) == 37


def test_graphs_are_compared_on_uniform_operations() -> None:
    state = uneven(QUATERNARY)
    build = built(QUATERNARY, state, draws=1000, operations=10)
    model = restored({name: torch.from_numpy(value) for name, value in state.items()}).eval()
    with Workers(1) as workers:
        encoder, decoder = load(build.graphs, "A", workers, QUATERNARY)
        assert encoder is not None
        found = parity.measure(model, "A", encoder, decoder)
    assert (found.sampled, found.operations, found.random) == (65_536, 65_536, None)
    assert found.inputs(QUATERNARY.space) == "65,536 uniform operations"
    record = replace(build.provenance, parity=(found,))
    assert Provenance.read(record.to_bytes()) == record


def test_the_sample_is_of_uniform_operations() -> None:
    tables = sample.compared(QUATERNARY.space)
    assert tables.shape == (65_536, 16)
    assert np.abs(np.bincount(tables.ravel(), minlength=4) / tables.size - 0.25).max() < 0.003
    assert np.array_equal(sample.compared(Space(2, 1)), Space(2, 1).tables)


def test_a_certificate_signed_for_another_package_is_refused(
    members: dict[str, bytes], made: Build, key: SigningKey, vendor: KeyRing
) -> None:
    """Fewer draws, honestly counted: another certificate, whose members are not those stored here."""
    fewer = built(QUATERNARY, uneven(QUATERNARY), draws=100_000, operations=2000)
    envelope = sealed(fewer.certificate.to_statement(), key).to_bytes()
    with pytest.raises(FormatError) as refusal:
        Package.read(remade(members, key, coverage__json=envelope), vendor.trust)
    assert str(refusal.value) == "blocks_A.bin: 128 bytes, expected 64 for 2 blocks"
