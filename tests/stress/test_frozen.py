"""A program that embeds the SDK, frozen by PyInstaller, samples from the evaluation package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """\
from ternary_sdk import Model

if __name__ == "__main__":
    with Model.evaluation() as model:
        print(model.sample(1000, unique=True, seed=7).digest)
"""


def printed(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.stress
def test_a_frozen_program_draws_what_the_program_draws(tmp_path: Path) -> None:
    # In an environment of its own: PyInstaller takes along what optional imports of numpy and others find.
    printed(sys.executable, "-m", "venv", "client", folder=tmp_path)
    python, constraints = tmp_path / "client" / "bin" / "python", ROOT / "constraints.txt"
    pip = (
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--constraint",
        constraints,
    )
    printed(*pip, ROOT / "sdk", "pyinstaller", folder=tmp_path)
    (tmp_path / "draws.py").write_text(PROGRAM)
    printed(python, "-m", "PyInstaller", "--noconfirm", "--onedir", "draws.py", folder=tmp_path)
    frozen = tmp_path / "dist" / "draws"
    assert list(frozen.rglob("evaluation.ternary"))
    expected = printed(python, "draws.py", folder=tmp_path)
    assert printed(frozen / "draws", folder=tmp_path) == expected
