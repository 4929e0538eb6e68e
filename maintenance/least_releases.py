"""
Run the license server's tests of processes and seats with the least releases that its extra allows.

``python -m maintenance.least_releases``, part of ``make stress``, because it downloads them. They lie over
the installed ones, for the tests and for every process that the tests start.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = ("test_processes.py", "test_stopping.py", "test_serving.py", "test_seats.py")
"""What says what the docs promise of the libraries below: how a server starts, answers, stops and counts."""
_LEAST: Final = re.compile(r"([a-z-]+(?:\[[a-z]+\])?)>=([0-9.]+)(;.*)?")


def least() -> list[str]:
    """The extra's requirements, each of exactly its least release.

    Raises:
        SystemExit: If one has no least release.
    """
    project = tomllib.loads((ROOT / "LICENSE_SERVER" / "pyproject.toml").read_text("utf-8"))["project"]
    found = []
    for line in project["optional-dependencies"]["server"]:
        match = _LEAST.fullmatch(line)
        if match is None:
            raise SystemExit(f"error: {line!r}: expected NAME>=RELEASE")
        found.append(f"{match[1]}=={match[2]}{match[3] or ''}")
    return found


def main() -> int:
    """Install them into a folder, and test."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--target", folder, *least()], check=True)
        files = [f"tests/license_server/server/{name}" for name in TESTS]
        command = [sys.executable, "-m", "pytest", "--quiet", *files]
        environment = dict(os.environ) | {"PYTHONPATH": folder}
        environment.pop("PYTHONWARNINGS", None)  # old releases warn of what is new around them
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
