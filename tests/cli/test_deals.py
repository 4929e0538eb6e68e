"""A license that keeps versions, lists a feature and carries a claim, as it is used offline."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.keys.issue import issue
from ternary_sdk import LicenseError, Model, Reason
from ternary_sdk._internal.packages.package import Package


@pytest.fixture
def files(shipped, vendor, tmp_path):
    """The package, its manifest, and a function that writes a license for it."""
    (tmp_path / "acme.ternary").write_bytes(shipped)
    trust = tmp_path / "vendor.trust"
    trust.write_bytes((vendor.directory / "vendor.trust").read_bytes())
    package = Package.read(shipped, vendor.trust)

    def write(**terms):
        now = datetime.now(UTC)
        token = issue(vendor, package=package.identity, customer="Initech", now=now, **terms)
        file = tmp_path / "acme.license"
        file.write_bytes(token)
        return file

    return tmp_path / "acme.ternary", trust, package.manifest.released, write


def test_version_of_before_the_end_is_drawn_from_and_a_later_one_is_refused(ternary, files):
    package, trust, released, write = files
    words = ["sample", package, "-n", "2", "--trust", trust, "--license"]
    assert ternary(*words, write(released_until=released)).status == 0
    refused = ternary(*words, write(released_until=released - timedelta(seconds=1)))
    assert refused.status == 1
    assert refused.err.startswith("error: license L-")
    assert refused.err.endswith(
        f"was released on {released:%Y-%m-%d %H:%M:%S} UTC; open an earlier version, or ask Acme Logic "
        "to renew it\n"
    )


def test_license_says_what_of_the_vendors_it_carries(ternary, files):
    _, trust, released, write = files
    license = write(released_until=released, entitlements=["sample", "x-export"], own={"x-order": "PO-4711"})
    found = json.loads(ternary("license", "show", license, "--trust", trust, "--json").text)
    assert (found["allows"], found["features"], found["claims"]) == (
        ["sample"],
        ["x-export"],
        {"x-order": "PO-4711"},
    )
    assert found["released_until"] == f"{released:%Y-%m-%dT%H:%M:%SZ}"
    assert found["now"]["sample"] == "allowed"


def test_program_asks_for_a_feature_of_the_vendors_own(files, tmp_path):
    package, trust, _, write = files
    license = write(entitlements=["sample", "x-export"])
    with Model.open(package, license=license, trust=trust, state=tmp_path / "state") as model:
        model.expect_entitled("x-export")
        with pytest.raises(LicenseError) as refusal:
            model.expect_entitled("x-import")
    assert refusal.value.code is Reason.ENTITLEMENT_MISSING


def test_perpetual_needs_a_date(ternary, files, vendor, tmp_path):
    package, *_ = files
    words = ["--package", package, "--to", "Initech", "--expires", "never", "--keys", vendor.directory]
    refused = ternary("license", "issue", *words, "--perpetual", "--out", tmp_path / "new.license")
    assert (refused.status, refused.err) == (
        1,
        "error: --perpetual: needs --expires DATE, until which versions must have been released\n",
    )
    assert not (tmp_path / "new.license").exists()
