"""The least releases that the license server allows are exact, and none is above what the tests run with."""

import re
from pathlib import Path

from maintenance import least_releases
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def test_least_releases_are_at_most_those_that_the_tests_run_with():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {
        canonicalize_name(name): Version(release)
        for name, release in (line.split("==") for line in lines if not line.startswith("#"))
    }
    for line in least_releases.least():
        requirement = Requirement(line)
        (least,) = requirement.specifier
        assert least.operator == "=="
        assert Version(least.version) <= pinned[canonicalize_name(requirement.name)]


def test_what_is_tested_with_them_is_there():
    folder = ROOT / "tests" / "license_server" / "server"
    assert all(
        re.search(r"^def test_", (folder / name).read_text("utf-8"), re.M) for name in least_releases.TESTS
    )
