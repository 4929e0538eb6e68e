"""Which files a command works with: each from its option, else from the pins, else the evaluation's."""

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.packages.package import Package

ROOT = Path(__file__).parents[2]


@pytest.fixture
def acme(vendor, shipped, tmp_path):
    """Writes what the vendor sends, with a license of these terms, and gives the options that name it."""
    (tmp_path / "acme.ternary").write_bytes(shipped)
    (tmp_path / "acme.trust").write_bytes(vendor.trust.data)

    def files(**terms):
        identity, now = Package.read(shipped, vendor.trust).identity, datetime.now(UTC) - timedelta(minutes=1)
        token = issue(vendor, package=identity, customer="Initech", now=now, license_id="L-17", **terms)
        (tmp_path / "acme.license").write_bytes(token)
        return [
            tmp_path / "acme.ternary",
            "--license",
            tmp_path / "acme.license",
            "--trust",
            tmp_path / "acme.trust",
        ]

    return files


@pytest.fixture
def rack(ternary, acme, tmp_path):
    """The id of the machine called 'rack 7'."""
    acme()
    asked = ternary("machine", "--trust", tmp_path / "acme.trust", "--machine-id", "rack 7", "--json")
    return json.loads(asked.text)["id"]


def test_a_license_without_a_trust_file_is_refused(ternary, acme, tmp_path):
    acme()
    done = ternary("license", "show", tmp_path / "acme.license")
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        "error: no trust file: add --trust T, or pin one with 'ternary use'\n",
    )


def test_a_trust_file_without_a_license_is_refused(ternary, acme, tmp_path):
    acme()
    for command in ("show", "usage"):
        done = ternary("license", command, "--trust", tmp_path / "acme.trust")
        assert (done.status, done.out, done.err) == (
            1,
            b"",
            "error: no license: name one, or pin one with 'ternary use'\n",
        )


def test_a_trust_file_without_a_package_is_refused(ternary, acme, tmp_path):
    acme()
    done = ternary("sample", "--trust", tmp_path / "acme.trust")
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        "error: a license or trust file was given without a package; name the package too\n",
    )


def test_a_doctor_without_all_three_is_refused(ternary, acme, tmp_path):
    acme()
    done = ternary("doctor", tmp_path / "acme.ternary", "--trust", tmp_path / "acme.trust")
    assert (done.status, done.out, done.err) == (
        1,
        b"",
        "error: the doctor looks at all three: ternary doctor FILE --license L --trust T\n",
    )


def test_a_pinned_machine_id_is_the_machines_id_for_every_command(ternary, acme, rack):
    assert ternary("use", *acme(machines=[rack]), "--machine-id", "rack 7").status == 0
    assert json.loads(ternary("machine", "--json").text)["id"] == rack
    shown = json.loads(ternary("license", "show", "--json").text)
    assert shown["now"] == {"encode": "allowed", "decode": "allowed", "sample": "allowed"}
    assert ternary("sample", "-n", 1).status == 0
    assert ternary("doctor").status == 0


def test_a_machine_id_that_is_given_comes_before_the_pinned_one(ternary, acme, rack):
    ternary("use", *acme(machines=[rack]), "--machine-id", "rack 7")
    shown = json.loads(ternary("license", "show", "--machine-id", "rack 8", "--json").text)
    assert set(shown["now"].values()) == {"MACHINE_MISMATCH"}
    assert json.loads(ternary("machine", "--machine-id", "rack 8", "--json").text)["id"] != rack


def test_with_nothing_given_or_pinned_it_is_the_evaluation_package_and_said_once(ternary):
    said = "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'\n"
    for command in (["info"], ["verify"], ["license", "show"], ["doctor"]):
        done = ternary(*command)
        assert (done.status, done.err) == (0, said)


def test_one_module_reads_what_is_pinned_for_a_command():
    """Beside the command that shows and changes the pins."""
    reading = {
        module.name
        for module in (ROOT / "cli" / "src").rglob("*.py")
        for node in ast.walk(ast.parse(module.read_bytes()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "pins.load"
    }
    assert reading == {"chosen.py", "pinning.py"}
