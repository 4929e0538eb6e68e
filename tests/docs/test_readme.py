"""What README promises: five minutes to read, what the distributions need, two commands of a clone."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROJECTS = "sdk", "cli", "trainer", "export", "LICENSE_SERVER"
WORDS_A_MINUTE = 230


def needs(folder: str) -> set[str]:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
    return {re.split(r"[=<>]", line)[0] for line in project["dependencies"]}


def test_readme_is_read_in_five_minutes() -> None:
    prose = re.sub(r"^```.*?^```|<!--.*?-->|\]\([^)]*\)", "", README, flags=re.M | re.S)
    assert len(re.findall(r"\w+(?:[-.,'^]\w+)*", prose)) < 5 * WORDS_A_MINUTE


def test_the_line_of_badges_is_what_the_distributions_state() -> None:
    line = next(line for line in README.splitlines() if " · " in line)
    assert line == (
        "Apache-2.0 · Python 3.11 or later · the SDK needs NumPy, ONNX Runtime and cryptography; "
        "the commands also need Typer"
    )
    for folder in PROJECTS:
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
        assert (project["license"], project["requires-python"]) == ("Apache-2.0", ">=3.11")
    assert needs("sdk") == {"numpy", "onnxruntime", "cryptography"}
    assert needs("cli") == {"ternary-sdk", "typer"}


def test_the_two_commands_of_a_clone_stand_in_readme() -> None:
    assert "\n$ make demo\n$ make test\n" in README
