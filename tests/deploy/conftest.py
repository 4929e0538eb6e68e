"""Reads the files of deploy/ as the programs would that they are for."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


class Dockerfile:
    """The last stage's instructions, with lines joined."""

    def __init__(self, text: str) -> None:
        lines = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
        every = [line.split(None, 1) for line in lines if line.strip()]
        last = max(place for place, (name, *_) in enumerate(every) if name == "FROM")
        self.instructions: list[tuple[str, str]] = [(name, rest) for name, rest in every[last:]]

    def __getitem__(self, name: str) -> str:
        (found,) = (rest for instruction, rest in self.instructions if instruction == name)
        return found

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in shlex.split(self["ENV"]))

    @property
    def command(self) -> list[str]:
        return [*json.loads(self["ENTRYPOINT"]), *json.loads(self["CMD"])]

    @property
    def health(self) -> list[str]:
        found: list[str] = json.loads(self["HEALTHCHECK"].split("CMD", 1)[1])
        return found


@pytest.fixture(scope="session")
def dockerfile() -> Dockerfile:
    return Dockerfile((DEPLOY / "Dockerfile").read_text("utf-8"))


@pytest.fixture(scope="session")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="session")
def manifests() -> dict[str, Any]:
    """Every Kubernetes object, by its kind."""
    files = (DEPLOY / "kubernetes").glob("*.yaml")
    every = [one for file in files for one in yaml.safe_load_all(file.read_text("utf-8"))]
    assert len({one["kind"] for one in every}) == len(every)
    return {one["kind"]: one for one in every}


def unit_lines(name: str) -> dict[str, list[str]]:
    """A systemd unit's lines, by their names."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="session")
def unit() -> dict[str, list[str]]:
    """The server's unit."""
    return unit_lines("ternary-server.service")


@pytest.fixture(scope="session")
def audit_unit() -> dict[str, list[str]]:
    """The unit of the audit log's archives."""
    return unit_lines("ternary-audit.service")
