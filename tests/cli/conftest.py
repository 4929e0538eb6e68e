"""The command as its users run it: arguments and standard input in; status, output and messages out."""

import io
import os
import sys
from dataclasses import dataclass

import pytest

from ternary_cli.main import main


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
