"""No command verifies the same bytes twice: what was verified first is what is used to the end."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Trust

ALL = {"package": 1, "license": 1, "trust": 1, "certificate": 1}
UNLICENSED = {"package": 1, "trust": 1, "certificate": 1}
"""The certificate is a member of the package."""


@pytest.fixture
def verified(monkeypatch):
    """How often each kind of document was verified since the start or the last ``clear``."""
    counts = Counter()
    for name, kind in (
        ("package", Package),
        ("license", License),
        ("trust", Trust),
        ("certificate", reading),
    ):

        def counted(*given, real=kind.read, name=name):
            counts[name] += 1
            return real(*given)

        monkeypatch.setattr(kind, "read", counted)
    return counts


@pytest.fixture
def acme(vendor, shipped, tmp_path):
    """Options that name the vendor's license and trust file; its package is beside them."""
    identity, now = Package.read(shipped, vendor.trust).identity, datetime.now(UTC) - timedelta(minutes=1)
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)
    (tmp_path / "acme.license").write_bytes(issue(vendor, package=identity, customer="Initech", now=now))
    return ["--license", tmp_path / "acme.license", "--trust", tmp_path / "acme.trust"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["verify"], ALL),
        (["verify", "--replay", "--json"], ALL),
        (["doctor"], ALL),
        (["doctor", "--warn-days", "7", "--json"], ALL),
        (["sample", "-n", "1"], ALL),
        (["atlas", "--out", "atlas.svg"], ALL),
        (["use"], ALL),
    ],
    ids=" ".join,
)
def test_a_command_under_a_license_verifies_each_document_once(
    ternary, acme, tmp_path, monkeypatch, verified, command, expected
):
    monkeypatch.chdir(tmp_path)
    verified.clear()
    word, *options = command
    assert ternary(word, "acme.ternary", *options, *acme).status == 0
    assert verified == expected


@pytest.mark.parametrize("command", [["verify"], ["info"], ["unpack", "--out", "folder"]], ids=" ".join)
def test_a_command_that_needs_no_license_verifies_package_and_trust_file_once(
    ternary, acme, tmp_path, monkeypatch, verified, command
):
    monkeypatch.chdir(tmp_path)
    verified.clear()
    word, *options = command
    assert ternary(word, "acme.ternary", *options, *acme[2:]).status == 0
    assert verified == UNLICENSED


@pytest.mark.parametrize("command", ["sample", "verify", "doctor"])
def test_pinned_files_are_verified_once(ternary, acme, tmp_path, verified, command):
    ternary("use", tmp_path / "acme.ternary", *acme)
    verified.clear()
    assert ternary(command).status == 0
    assert verified == ALL


@pytest.mark.parametrize("command", ["sample", "verify", "doctor"])
def test_the_evaluation_files_are_verified_once(ternary, verified, command):
    verified.clear()
    assert ternary(command).status == 0
    assert verified == ALL


@pytest.mark.parametrize("command", ["show", "usage"])
def test_a_question_about_a_license_verifies_no_package(ternary, acme, tmp_path, verified, command):
    verified.clear()
    ternary("license", command, tmp_path / "acme.license", *acme[2:])
    assert verified == {"license": 1, "trust": 1}


@pytest.mark.parametrize("command", [["info"], ["unpack", "--out", "folder"]], ids=" ".join)
def test_a_pinned_license_that_is_gone_stops_no_command_that_needs_none(
    ternary, acme, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    ternary("use", tmp_path / "acme.ternary", *acme)
    (tmp_path / "acme.license").unlink()
    assert ternary(*command).status == 0


def test_a_pinned_license_that_is_gone_stops_what_needs_it(ternary, acme, tmp_path):
    ternary("use", tmp_path / "acme.ternary", *acme)
    (tmp_path / "acme.license").unlink()
    done = ternary("sample")
    assert (done.status, done.err) == (
        1,
        f"error: {tmp_path / 'acme.license'}: no such file or directory\n",
    )
