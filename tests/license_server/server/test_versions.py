"""Policies for a range of versions: what their licenses name, cover and unlock."""

from datetime import timedelta

import pytest

from ternary_license_server.service import catalog
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.identity import ExactPackage, PackageIdentity, VersionRange
from ternary_sdk._internal.licensing.license import License
from ternary_sdk.errors import LicenseError, Reason

MACHINE = "m-" + "17" * 16

HOUR = timedelta(hours=1)
SECOND_YEAR = VersionRange(name="acme", start=(1, 2, 0), below=(2, 0, 0))


def package(*version):
    return PackageIdentity(name="acme", version=version, digest=f"{version!r}".encode().hex().ljust(64, "0"))


@pytest.fixture
def stocked(new_shop, now):
    """A shop that has released an encrypted package at and around each end of the range."""
    with new_shop.database.write() as transaction:
        for version in ((1, 1, 9), (1, 2, 0), (1, 10, 0), (1, 999_999_999, 9), (2, 0, 0)):
            catalog.add_release(transaction, package(*version), bytes(32), actor="test")
        catalog.add_release(transaction, package(1, 5, 0), None, actor="test")
    return new_shop


def issued(shop, answer):
    return License.read(answer["license"].encode(), shop.ring.trust)


def covers(license, held, now, *version):
    try:
        license.check(
            "sample",
            package=package(*version),
            machine=lambda: MACHINE,
            installation=lambda: held.kid,
            now=now,
        )
    except LicenseError as refusal:
        return refusal.code
    return True


def test_license_names_the_range_and_the_encrypted_releases_in_it(stocked, new_client, now):
    _, key = stocked.sell(versions=SECOND_YEAR)
    license = issued(stocked, stocked.activate(key, new_client()))
    inside = {package(*version).digest for version in ((1, 2, 0), (1, 10, 0), (1, 999_999_999, 9))}
    assert license.packages[0] == SECOND_YEAR
    assert set(license.packages[1:]) == {ExactPackage(digest=digest) for digest in inside}
    assert {key.digest for key in license.content_keys} == inside


def test_license_covers_what_was_never_released_here_and_nothing_outside(stocked, new_client, now):
    _, key = stocked.sell(versions=SECOND_YEAR)
    held = new_client()
    license = issued(stocked, stocked.activate(key, held))
    for version in ((1, 2, 0), (1, 3, 7), (1, 999_999_999, 999_999_999)):
        assert covers(license, held, now, *version) is True
    for version in ((1, 1, 9), (2, 0, 0)):
        assert covers(license, held, now, *version) is Reason.VERSION_MISMATCH


def test_renewal_brings_the_key_of_an_encrypted_release_in_the_range(stocked, new_client, now):
    license_id, key = stocked.sell(versions=SECOND_YEAR)
    held = new_client()
    stocked.activate(key, held)
    with stocked.database.write() as transaction:
        for version in ((1, 6, 0), (2, 1, 0)):
            catalog.add_release(transaction, package(*version), bytes(32), actor="test")
    renewed = issued(stocked, stocked.renew(license_id, 1, held, now + HOUR))
    brought = {key.digest for key in renewed.content_keys}
    assert package(1, 6, 0).digest in brought
    assert package(2, 1, 0).digest not in brought


def test_license_without_a_range_names_every_release_by_its_digest(stocked, new_client):
    _, key = stocked.sell()
    license = issued(stocked, stocked.activate(key, new_client()))
    assert {type(term) for term in license.packages} == {ExactPackage}
    assert len(license.packages) == 7


def test_policy_takes_a_range_of_its_own_product_alone(shop):
    with pytest.raises(ServiceError) as refused:
        shop.sell(versions=VersionRange(name="other", start=(1, 0, 0), below=(2, 0, 0)))
    assert str(refused.value) == f"policy policy-{shop.policies}: versions: of other, expected of acme"


def add_policy(site, name, **versions):
    return site.admin(
        "POST", "/policies", json={"name": name, "product": "acme", "entitlements": ["sample"]} | versions
    )


def test_policys_and_its_licenses_range_is_told(site):
    made = add_policy(site, "second-year", versions_from="1.2.0", versions_below="2.0.0")
    assert made.status_code == 201, made.text
    customer = site.admin("POST", "/customers", json={"name": "Initech"}).json()["id"]
    wanted = {"customer": customer, "policy": "second-year"}
    sold = site.admin("POST", "/licenses", json=wanted)
    for told in (made.json(), sold.json(), site.admin("GET", f"/licenses/{sold.json()['id']}").json()):
        assert (told["versions_from"], told["versions_below"]) == ("1.2.0", "2.0.0")
    old = add_policy(site, "first-year", versions_below="1.2.0").json()
    assert (old["versions_from"], old["versions_below"]) == ("0.0.0", "1.2.0")
    plain = add_policy(site, "for-all").json()
    assert (plain["versions_from"], plain["versions_below"]) == (None, None)


@pytest.mark.parametrize(
    ("versions", "refused", "sentence"),
    [
        (
            {"versions_from": "1.0.0"},
            (422, "INVALID"),
            "product acme: versions from 1.0.0 need an end that they are below",
        ),
        (
            {"versions_from": "2.0.0", "versions_below": "2.0.0"},
            (422, "INVALID"),
            "package acme: versions from 2.0.0 below 2.0.0 are none at all",
        ),
    ],
)
def test_range_of_no_versions_is_refused(site, versions, refused, sentence):
    told = add_policy(site, "none", **versions).json()
    assert (told["status"], told["code"], told["detail"]) == (*refused, sentence)


@pytest.mark.parametrize("version", ["2", "2.0", "2.0.0-rc1", "02.0.0", "1000000000.0.0", ""])
def test_version_of_another_form_is_refused(site, version):
    told = add_policy(site, "odd", versions_below=version).json()
    assert (told["status"], told["code"]) == (400, "MALFORMED")
