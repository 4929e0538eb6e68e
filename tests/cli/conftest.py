"""The command as its users run it: arguments and standard input in; status, output and messages out."""

import io
import os
import sys
from dataclasses import dataclass

import pytest
from tests.builds import MOMENT, built
from tests.networks import untrained_of

from ternary_cli.main import main
from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space


@dataclass(frozen=True)
class Done:
    status: int
    out: bytes
    err: str

    @property
    def text(self):
        return self.out.decode()


@pytest.fixture
def without_a_home(ternary, monkeypatch):
    """What follows is run by a user without a home directory."""
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.delenv("XDG_DATA_HOME")


@pytest.fixture
def ternary(monkeypatch, capfdbinary, tmp_path):
    """Run one command in this process, with a home directory of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))

    def run(*words, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["ternary", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        out, err = capfdbinary.readouterr()
        return Done(status, out, err.decode())

    return run


@pytest.fixture(scope="session")
def spaces(vendor, tmp_path_factory):
    """A folder with two models of other spaces, and a license for both without a quota and with one.

    ``boolean.ternary`` is of (2, 3), by paths A and B; ``quinary.ternary`` of (5, 1), by a path C that has no
    encoder.
    """
    folder = tmp_path_factory.mktemp("spaces")
    models = {
        "boolean": (Signature(Space(2, 3), 8, ("A", "B")), True),
        "quinary": (Signature(Space(5, 1), 24, ("C",)), False),
    }
    for name, (signature, encoders) in models.items():
        build = built(signature, untrained_of(signature), encoders=encoders)
        build.write(folder / f"{name}-build")
        data = package(build, name=name, version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))
        (folder / f"{name}.ternary").write_bytes(data)
    terms = [VersionRange(name=name, start=(1, 0, 0), below=(2, 0, 0)) for name in models]
    for name, quota in (("free", None), ("metered", 30)):
        token = issue(
            vendor,
            package=terms,
            customer="Initech",
            now=MOMENT,
            unique_operations=quota,
            license_id=name,
        )
        (folder / f"{name}.license").write_bytes(token + b"\n")
    (folder / "acme.trust").write_bytes(vendor.trust.data)
    return folder
