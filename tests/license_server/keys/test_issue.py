from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ternary_license_server.keys import keyring
from ternary_license_server.keys.issue import issue, reissue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.identity import ExactPackage, PackageIdentity
from ternary_sdk._internal.licensing.license import License
from ternary_sdk.errors import InputError, LicenseError, Reason

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    directory: Path = tmp_path_factory.mktemp("vendor") / "keys"
    return keyring.create(directory, "Acme", NOW)


def test_plain_license_grants_everything_for_that_package_forever(ring: KeyRing) -> None:
    license = License.read(issue(ring, package=PACKAGE, customer="Initech", now=NOW), ring.trust)
    assert license.packages == (ExactPackage(digest="ab" * 32),)
    assert license.entitlements == {"encode", "decode", "sample"}
    assert (license.expires, license.machines, license.unique_operations) == (None, None, None)


def test_ids_of_two_licenses_differ(ring: KeyRing) -> None:
    first, second = (
        License.read(issue(ring, package=PACKAGE, customer="Initech", now=NOW), ring.trust) for _ in "ab"
    )
    assert first.id != second.id


def test_same_arguments_give_the_same_bytes(ring: KeyRing) -> None:
    def once() -> bytes:
        return issue(ring, package=PACKAGE, customer="Initech", now=NOW, license_id="L-1")

    assert once() == once()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customer": "x" * 201}, None),
        (
            {"customer": ""},
            "cannot issue this license: license.sub: '', expected 1 to 200 printable characters",
        ),
        (
            {"customer": "Init\ufe0fech"},  # which no terminal shows
            r"cannot issue this license: license.sub: 'Init\ufe0fech', "
            "expected 1 to 200 printable characters",
        ),
        (
            {"expires": NOW - timedelta(days=1)},
            "cannot issue this license: license.exp: not after the license's start",
        ),
        (
            {"entitlements": ["train"]},
            "cannot issue this license: license.entitlements: 'train', expected encode, decode or sample",
        ),
        ({"entitlements": []}, "cannot issue this license: license.entitlements: 0 entries, expected 1 to 3"),
        (
            {"unique_operations": 0},
            "cannot issue this license: license.unique_operations: 0, "
            "expected an integer from 1 to 9007199254740991",
        ),
        ({"machines": []}, "cannot issue this license: license.machines: 0 entries, expected 1 to 1024"),
        ({"package": []}, "cannot issue this license: license.packages: 0 entries, expected 1 to 256"),
        (
            {"license_id": "a b"},
            "cannot issue this license: license.jti: 'a b', expected text of the form "
            "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        ),
        (
            {"expires": datetime(2030, 1, 1)},
            "moment 2030-01-01T00:00:00 has no time zone, expected UTC",
        ),
    ],
)
def test_license_that_customers_would_refuse_is_not_issued(
    ring: KeyRing, change: dict[str, Any], message: str | None
) -> None:
    arguments: dict[str, Any] = {"package": PACKAGE, "customer": "Initech", "now": NOW}
    with pytest.raises(InputError) as refusal:
        issue(ring, **(arguments | change))
    assert message is None or str(refusal.value) == message


LATER = NOW + timedelta(days=30)


def test_a_license_issued_again_differs_in_its_end_alone(ring: KeyRing) -> None:
    held = issue(
        ring,
        package=PACKAGE,
        customer="Initech",
        now=NOW,
        expires=LATER,
        unique_operations=7,
        content_keys={PACKAGE.digest: b"k" * 32},
        license_id="L-1",
    )
    for end in (LATER + timedelta(days=1), None):
        again = License.read(reissue(ring, held + b"\n", now=LATER, expires=end), ring.trust)
        before = License.read(held, ring.trust)
        assert again == replace(before, issued=LATER, expires=end)


@pytest.mark.parametrize(
    ("end", "new_end", "sentence"),
    [
        (LATER, LATER, "license L-1: ends on 2026-03-31, expected a later end"),
        (LATER, NOW, "license L-1: ends on 2026-03-31, expected a later end"),
        (None, LATER, "license L-1: never ends, expected a later end"),
        (None, None, "license L-1: never ends, expected a later end"),
    ],
)
def test_an_end_that_is_not_later_is_refused(
    ring: KeyRing, end: datetime | None, new_end: datetime | None, sentence: str
) -> None:
    held = issue(ring, package=PACKAGE, customer="Initech", now=NOW, expires=end, license_id="L-1")
    with pytest.raises(InputError) as refused:
        reissue(ring, held, now=NOW, expires=new_end)
    assert str(refused.value) == sentence


def test_a_license_servers_license_is_not_issued_again_by_hand(ring: KeyRing) -> None:
    held = issue(
        ring, package=PACKAGE, customer="Initech", now=NOW, expires=LATER, lease="S-1", license_id="L-1",
        bound_to=ring.trust.root, seats=1,
    )  # fmt: skip
    with pytest.raises(InputError) as refused:
        reissue(ring, held, now=NOW, expires=None)
    assert str(refused.value) == (
        "license L-1: is a license server's; 'ternary server renew' gives it another end"
    )


def test_a_license_of_another_vendor_is_not_issued_again(ring: KeyRing, tmp_path: Path) -> None:
    other = keyring.create(tmp_path / "other", "Other", NOW)
    held = issue(other, package=PACKAGE, customer="Initech", now=NOW, expires=LATER)
    with pytest.raises(LicenseError) as refused:
        reissue(ring, held, now=NOW, expires=None)
    assert refused.value.code is Reason.SIGNATURE_INVALID
