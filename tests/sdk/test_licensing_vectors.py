"""Golden vectors of everything that licensing signs; a change that breaks one breaks issued licenses."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ternary_license_server.keys import keyset
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.identity import ExactPackage, VersionRange
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted, Growth
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.machine import identify
from ternary_sdk._internal.licensing.usage import Difference, Usage, report
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "licensing.json").read_text("utf-8"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = (ExactPackage(digest="ab" * 32), VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0)))


def key(scalar: int) -> SigningKey:
    private = ec.derive_private_key(scalar, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey.from_pem(private, "vector")


KEYS = {role: key(scalar) for scalar, role in enumerate(Role, 1)}


@pytest.fixture
def trust() -> Trust:
    return Trust.read(VECTORS["trust_file"].encode())


@pytest.fixture
def installation() -> Installation:
    private = ec.derive_private_key(5, ec.SECP256R1())
    return Installation(directory=Path(), public=PublicKey.of(private.public_key()), private=private)


def test_keys_have_these_names(installation: Installation) -> None:
    assert {str(role): held.kid for role, held in KEYS.items()} | {"installation": installation.kid} == (
        VECTORS["kids"]
    )


def test_trust_file_is_read_as_this_and_written_as_these_bytes(trust: Trust) -> None:
    assert (trust.vendor, trust.version, trust.issued) == ("Acme Logic", 3, NOW)
    assert trust.expires == NOW + timedelta(days=730)
    assert trust.revoked_keys == {KEYS[Role.ANSWER].kid: NOW}
    assert trust.revoked_licenses == {"L-1", "L-2"}
    key_set = keyset.sign_key_set(
        KEYS[Role.ROOT],
        vendor=trust.vendor,
        version=trust.version,
        keys=trust.keys.values(),
        revoked=trust.revoked_keys,
        expires=trust.expires,
        now=NOW,
    )
    listed = keyset.sign_revocations(
        KEYS[Role.LICENSE], vendor=trust.vendor, version=2, licenses=trust.revoked_licenses, now=NOW
    )
    assert keyset.trust_file(trust.root, key_set, listed).data == trust.data


def test_license_is_read_as_this_and_written_as_these_bytes(trust: Trust) -> None:
    license = License.read(VECTORS["license"].encode(), trust)
    (content_key,) = license.content_keys
    assert (license.id, license.customer, license.packages) == ("L-17", "Initech", TERMS)
    assert (license.issued, license.not_before) == (NOW, NOW + timedelta(days=1))
    assert license.expires == NOW + timedelta(days=366)
    assert content_key.clear == bytes.fromhex(VECTORS["license_bearer_content_key"])
    ring = KeyRing(directory=Path(), trust=trust, keys=KEYS)
    written = issue(
        ring,
        package=license.packages,
        customer=license.customer,
        now=license.issued,
        not_before=license.not_before,
        expires=license.expires,
        entitlements=license.entitlements,
        unique_operations=license.unique_operations,
        machines=license.machines,
        seats=license.seats,
        content_keys={content_key.digest: content_key.clear or b""},
        license_id=license.id,
    )
    assert written.decode() == VECTORS["license"]


def test_usage_report_of_version_1_is_read_as_this(installation: Installation) -> None:
    assert Usage.read(VECTORS["usage_report"].encode()) == Usage(
        license_id="L-17",
        issued=NOW,
        counted=None,
        operations=OperationSet.of([0, 9841, 19682]),
        installation=installation.public,
    )


COUNTED = Counted(
    lease="S-000102030405060708090a0b",
    owner="Initech",
    history="AAECAwQFBgcICQoLDA0ODw",
    sequence=2,
    operations=OperationSet.of([0, 9841, 19682]),
    acknowledged=Acknowledged(operations=2, sha256=OperationSet.of([0, 9841]).digest),
)
OF_BOOLEAN = replace(COUNTED, operations=OperationSet.of([0, 200], Space(2, 3)), acknowledged=None)


FIRST, LATER = OperationSet.of([5, 2**40], Space(3, 3)), OperationSet.of([0, 6], Space(3, 3))
OF_VAST = replace(COUNTED, sequence=1, operations=FIRST, acknowledged=None)
OF_VAST_LATER = replace(
    OF_VAST, sequence=2, operations=FIRST | LATER, pending=LATER, acknowledged=Acknowledged.of(FIRST)
)


@pytest.mark.parametrize(
    ("vector", "counted"),
    [
        ("usage_report_2", COUNTED),
        ("usage_report_3", COUNTED),
        ("usage_report_3_boolean", OF_BOOLEAN),
        ("usage_report_4", COUNTED),
    ],
)
def test_usage_report_is_read_as_this(vector: str, counted: Counted, installation: Installation) -> None:
    assert Usage.read(VECTORS[vector].encode()) == Usage(
        license_id="L-17",
        issued=NOW,
        counted=counted,
        operations=counted.operations,
        installation=installation.public,
    )


@pytest.mark.parametrize(
    ("vector", "counted", "base"),
    [("usage_report_4_vast", OF_VAST, None), ("usage_report_4_difference", OF_VAST_LATER, FIRST)],
)
def test_usage_report_of_a_vast_space_is_read_as_this(
    vector: str, counted: Counted, base: OperationSet | None, installation: Installation
) -> None:
    assert Usage.read(VECTORS[vector].encode()) == Usage(
        license_id="L-17",
        issued=NOW,
        counted=Growth(
            lease=counted.lease,
            owner=counted.owner,
            history=counted.history,
            sequence=counted.sequence,
            acknowledged=base and Acknowledged.of(base),
        ),
        operations=counted.unconfirmed,
        installation=installation.public,
        difference=Difference(after=Acknowledged.of(counted.operations), complete=True),
    )


@pytest.mark.parametrize(
    ("vector", "counted"),
    [
        ("usage_report_4", COUNTED),
        ("usage_report_4_vast", OF_VAST),
        ("usage_report_4_difference", OF_VAST_LATER),
    ],
)
def test_usage_report_is_written_as_these_bytes(
    vector: str, counted: Counted, installation: Installation
) -> None:
    assert report("L-17", counted, installation, NOW).decode() == VECTORS[vector]


@pytest.mark.parametrize("vector", VECTORS["machine_ids"], ids=lambda vector: vector["kind"])
def test_machine_has_this_id(vector: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text(vector["value"])
    explicit = vector["value"] if vector["kind"] == "explicit" else None
    assert identify(vector["root"], explicit=explicit, root=tmp_path).id == vector["id"]
