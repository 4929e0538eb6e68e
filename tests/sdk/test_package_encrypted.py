import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ternary_export.build import Build
from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.licensing.machine import identify
from ternary_sdk._internal.packages import archive
from ternary_sdk._internal.packages.encryption import associated_data, decrypt, nonce
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, InputError, LicenseError, Reason
from ternary_sdk.model import Model

KEY = bytes(range(32))
GRAPHS = ["decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx", "encoder_B.onnx"]


@pytest.fixture(scope="module")
def sealed(build: Build, vendor: KeyRing) -> bytes:
    signer = vendor.signer(Role.PACKAGE)
    return package(build, name="acme", version=(1, 0, 0), signer=signer, content_key=KEY)


def test_an_encrypted_package_is_signed_but_locked(sealed: bytes, build: Build, vendor: KeyRing) -> None:
    read = Package.read(sealed, vendor.trust)
    assert read.locked
    assert dict(read.graphs) == {}
    for name in GRAPHS:
        assert build.graphs[name][:64] not in read.members[name]
        assert len(read.members[name]) == len(build.graphs[name]) + 16


def test_its_content_key_unlocks_it(sealed: bytes, build: Build, vendor: KeyRing) -> None:
    read = Package.read(sealed, vendor.trust).unlock(KEY)
    assert not read.locked
    assert dict(read.graphs) == build.graphs
    assert read.identity == Package.read(sealed, vendor.trust).identity
    assert read.unlock(bytes(32)) is read


def test_another_key_does_not(sealed: bytes, vendor: KeyRing) -> None:
    with pytest.raises(FormatError) as refusal:
        Package.read(sealed, vendor.trust).unlock(bytes(32))
    assert str(refusal.value) == "encoder_A.onnx: the content key does not open it"


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_none(sealed: bytes, build: Build, vendor: KeyRing, length: int) -> None:
    sentence = f"content key: {length} bytes, expected 32"
    with pytest.raises(InputError) as refusal:
        Package.read(sealed, vendor.trust).unlock(bytes(length))
    assert str(refusal.value) == sentence
    signer = vendor.signer(Role.PACKAGE)
    with pytest.raises(InputError) as refusal:
        package(build, name="acme", version=(1, 0, 0), signer=signer, content_key=bytes(length))
    assert str(refusal.value) == sentence


def test_the_same_content_key_gives_the_same_package(sealed: bytes, build: Build, vendor: KeyRing) -> None:
    signer = vendor.signer(Role.PACKAGE)
    assert package(build, name="acme", version=(1, 0, 0), signer=signer, content_key=KEY) == sealed


def test_the_certificate_is_of_the_plaintext(sealed: bytes, build: Build, vendor: KeyRing) -> None:
    read = Package.read(sealed, vendor.trust)
    for name in GRAPHS:
        plain, stored = build.graphs[name], read.members[name]
        member = read.manifest.member(name)
        assert member.plaintext_sha256 == read.certificate.subjects[name] == hashlib.sha256(plain).hexdigest()
        assert member.sha256 == hashlib.sha256(stored).hexdigest()


def test_a_member_is_encrypted_as_the_document_says(sealed: bytes, build: Build) -> None:
    """Recomputed from docs/formats.md with nothing of the SDK's."""
    plain = build.graphs["decoder_A.onnx"]
    associated = b"decoder_A.onnx\0" + hashlib.sha256(plain).digest()
    once = HKDF(hashes.SHA256(), 12, salt=None, info=b"ternary-nonce-v1" + associated).derive(KEY)
    assert archive.decode(sealed)["decoder_A.onnx"] == AESGCM(KEY).encrypt(once, plain, associated)


def test_a_ciphertext_is_bound_to_its_name(sealed: bytes, build: Build) -> None:
    stored = archive.decode(sealed)["decoder_A.onnx"]
    digest = hashlib.sha256(build.graphs["decoder_A.onnx"]).hexdigest()
    with pytest.raises(FormatError) as refusal:
        decrypt(stored, key=KEY, name="decoder_B.onnx", plaintext_digest=digest)
    assert str(refusal.value) == "decoder_B.onnx: the content key does not open it"


def test_a_plaintext_other_than_promised_is_refused() -> None:
    promised = hashlib.sha256(b"promised").hexdigest()
    associated = associated_data("x.onnx", promised)
    stored = AESGCM(KEY).encrypt(nonce(KEY, associated), b"delivered", associated)
    with pytest.raises(FormatError) as refusal:
        decrypt(stored, key=KEY, name="x.onnx", plaintext_digest=promised)
    found = hashlib.sha256(b"delivered").hexdigest()
    assert str(refusal.value) == f"x.onnx: decrypts to sha256 {found}, the manifest says {promised}"


def test_a_nonce_is_never_used_for_two_plaintexts() -> None:
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(3)]
    used = {nonce(KEY, associated_data(name, digest)) for name in GRAPHS for digest in digests}
    assert len(used) == len(GRAPHS) * len(digests)


def test_a_graph_left_in_the_clear_beside_encrypted_ones_is_refused(sealed: bytes, vendor: KeyRing) -> None:
    manifest = Package.read(sealed, vendor.trust).manifest
    members = tuple(
        replace(member, plaintext_sha256=None) if member.name == "decoder_B.onnx" else member
        for member in manifest.members
    )
    with pytest.raises(FormatError) as refusal:
        Manifest.read(replace(manifest, members=members).to_bytes())
    assert str(refusal.value) == "manifest.json: decoder_B.onnx is in the clear, other graphs are encrypted"


Licensed = Callable[..., bytes]


@pytest.fixture
def licensed(sealed: bytes, vendor: KeyRing, now: datetime) -> Licensed:
    identity = Package.read(sealed, vendor.trust).identity

    def make(key: bytes | None, **terms: Any) -> bytes:
        keys = None if key is None else {identity.digest: key}
        return issue(vendor, package=identity, customer="Initech", now=now, content_keys=keys, **terms)

    return make


def test_a_model_opens_with_the_license_that_carries_the_key(
    sealed: bytes, vendor: KeyRing, licensed: Licensed
) -> None:
    with Model.open(sealed, license=licensed(KEY), trust=vendor.trust.data) as model:
        assert len(model.sample(10, unique=True, seed=1).index) == 10


def test_without_a_license_an_encrypted_model_does_not_open(sealed: bytes, vendor: KeyRing) -> None:
    with pytest.raises(LicenseError) as refusal:
        Model.open(sealed, trust=vendor.trust.data)
    assert refusal.value.code is Reason.NOT_FOUND
    assert str(refusal.value) == (
        "acme-1.0.0 is encrypted and only its license has the key; pass license= or '--license FILE'"
    )


def test_with_a_license_without_the_key_it_does_not_open(
    sealed: bytes, vendor: KeyRing, licensed: Licensed
) -> None:
    with pytest.raises(LicenseError) as refusal:
        Model.open(sealed, license=licensed(None), trust=vendor.trust.data)
    assert refusal.value.code is Reason.PACKAGE_MISMATCH


@pytest.mark.parametrize("key", [KEY, None])
def test_with_a_license_that_has_ended_it_does_not_open(
    sealed: bytes, vendor: KeyRing, licensed: Licensed, now: datetime, tmp_path: Path, key: bytes | None
) -> None:
    ended = licensed(key, license_id="L-17", expires=now + timedelta(days=1))
    with pytest.raises(LicenseError) as refusal:
        Model.open(
            sealed,
            license=ended,
            trust=vendor.trust.data,
            state=tmp_path,
            clock=lambda: now + timedelta(days=2),
        )
    assert refusal.value.code is Reason.EXPIRED
    assert str(refusal.value) == (
        "license L-17 expired on 2026-03-02 12:00:00 UTC (now 2026-03-03 12:00:00 UTC); "
        "ask Acme Logic to renew it"
    )


def test_with_a_license_for_another_machine_it_does_not_open(
    sealed: bytes, vendor: KeyRing, licensed: Licensed
) -> None:
    elsewhere = licensed(KEY, license_id="L-17", machines=["x-1"])
    with pytest.raises(LicenseError) as refusal:
        Model.open(sealed, license=elsewhere, trust=vendor.trust.data, machine_id="rack 7")
    assert refusal.value.code is Reason.MACHINE_MISMATCH
    this = identify(vendor.trust.root.kid, explicit="rack 7").id
    assert str(refusal.value) == (
        f"license L-17 is for machine x-1, this machine is {this}; "
        "send that id to Acme Logic to have it added"
    )


def test_with_a_license_with_a_wrong_key_it_does_not_open(
    sealed: bytes, vendor: KeyRing, licensed: Licensed
) -> None:
    with pytest.raises(FormatError, match="the content key does not open it"):
        Model.open(sealed, license=licensed(bytes(32)), trust=vendor.trust.data)


def test_an_open_model_goes_on_under_another_license_with_the_key_alone(
    sealed: bytes, vendor: KeyRing, licensed: Licensed
) -> None:
    with Model.open(sealed, license=licensed(KEY), trust=vendor.trust.data) as model:
        before = model.license
        with pytest.raises(LicenseError) as refusal:
            model.relicense(licensed(None))
        assert refusal.value.code is Reason.PACKAGE_MISMATCH
        assert model.license is before
        model.relicense(licensed(KEY))
        assert model.license is not before
        assert len(model.sample(10, unique=True, seed=1).index) == 10
