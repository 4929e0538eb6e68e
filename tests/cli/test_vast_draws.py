"""Drawing from a vast space on the command line, and reporting it."""

import json

import pytest
from tests.builds import MOMENT, built
from tests.networks import thresholds

from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

VAST = Space(4, 2)


@pytest.fixture(scope="module")
def folder(vendor, tmp_path_factory):
    """``quaternary.ternary``, whose every operation has a witness, and licenses with and without a quota."""
    folder, signature = tmp_path_factory.mktemp("vast"), Signature(VAST, 16, ("A",))
    build = built(signature, thresholds(signature), draws=2000, operations=2000)
    data = package(build, name="quaternary", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))
    (folder / "quaternary.ternary").write_bytes(data)
    terms = [VersionRange(name="quaternary", start=(1, 0, 0), below=(2, 0, 0))]
    for name, quota in (("free", None), ("metered", 10_000)):
        token = issue(
            vendor,
            package=terms,
            customer="Initech",
            now=MOMENT,
            unique_operations=quota,
            license_id=name,
        )
        (folder / f"{name}.license").write_bytes(token)
    (folder / "acme.trust").write_bytes(vendor.trust.data)
    return folder


@pytest.fixture
def sample(ternary, folder, tmp_path):
    """Draw with options, and give the indices that were written."""

    def run(*words, license="metered"):
        out = tmp_path / "drawn.csv"
        out.unlink(missing_ok=True)
        done = ternary(
            "sample", folder / "quaternary.ternary", "--license", folder / f"{license}.license",
            "--trust", folder / "acme.trust", "--out", out, *words,
        )  # fmt: skip
        lines = out.read_text().splitlines()[1:] if out.exists() else []
        return done, [int(line.split(",")[0]) for line in lines]

    return run


def test_new_operations_differ_from_all_before(sample, ternary, folder):
    _, first = sample("-n", 20_000, "--seed", 1, license="free")
    assert len(set(first)) > 19_990
    done, second = sample("-n", 300, "--seed", 1)
    assert second == first[:300]
    assert f"set {OperationSet.of(second, VAST).digest}" in done.err
    _, third = sample("-n", 200, "--seed", 1, "--new")
    assert third == first[300:500]
    words = ("license", "usage", folder / "metered.license", "--trust", folder / "acme.trust")
    drawn = OperationSet.of([*second, *third], VAST)
    assert ternary(*words, "--space", "4,2").text.splitlines() == [
        f"metered  {'█'}{'░' * 23}  500 of 10,000 operations drawn",
        "4,2  500 two-input quaternary operations",
        f"set {drawn.digest}",
    ]
    assert json.loads(ternary(*words, "--space", "4,2", "--json").text) == {
        "license": "metered",
        "drawn": 500,
        "allowed": 10_000,
        "spaces": {"4,2": 500},
        "sets": {"4,2": drawn.digest},
    }


def test_new_operations_without_a_meter_are_refused(sample):
    done, rows = sample("-n", 2, "--new", license="free")
    assert (done.status, rows) == (1, [])
    assert done.err.splitlines()[-1] == (
        "error: license free: has no quota, so it keeps no meter, and which operations it has returned is "
        "not known"
    )


def test_large_set_is_exported_as_several_reports(sample, ternary, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "MOST_ADDED", 200)
    _, rows = sample("-n", 500, "--unique", "--seed", 1)
    words = ("license", "usage", folder / "metered.license", "--trust", folder / "acme.trust", "--export")
    out = tmp_path / "usage.json"
    files = [out, tmp_path / "usage.2.json", tmp_path / "usage.3.json"]
    assert ternary(*words, out).text.splitlines()[-1] == (
        f"3 reports, to be handed in in this order: {', '.join(map(str, files))}"
    )
    read = [Usage.read(file.read_bytes()) for file in files]
    assert [one for report in read for one in report.operations] == sorted(rows)
    assert [report.difference.complete for report in read] == [False, False, True]
    assert json.loads(ternary(*words, out, "--force", "--json").text)["reports"] == list(map(str, files))
    done = ternary(*words, "-")
    assert (done.status, done.out) == (1, b"")
    assert done.err == "error: --export: there are 3 reports; name a file, others go beside it\n"


def test_what_was_proved_of_a_vast_space_is_said(ternary, folder):
    words = ("verify", folder / "quaternary.ternary", "--trust", folder / "acme.trust")
    lines = ternary(*words, "--replay").text.splitlines()
    assert lines[3:5] == [
        "path A: 2,048 uniform operations and 2,048 draws, chosen at random, proved on this machine",
        "path A: 1 block of draws replayed, draws and counts are as certified",
    ]


def test_atlas_of_a_vast_space_is_refused(ternary, folder, tmp_path):
    words = ("--license", folder / "metered.license", "--trust", folder / "acme.trust")
    done = ternary("atlas", folder / "quaternary.ternary", "--out", tmp_path / "a.png", *words)
    assert (done.status, done.err) == (
        1,
        "error: quaternary-1.0.0: is of the vast space 4,2, whose 4,294,967,296 operations fit no picture; "
        "'ternary report' draws its cells and pairs of cells instead, and 'ternary info' states its bounds\n",
    )
