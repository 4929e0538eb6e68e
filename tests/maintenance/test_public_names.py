"""What a program may rely on changes only together with docs/api.md and a line of CHANGELOG.md."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from maintenance.public_names import PAGE, names, page

ROOT = Path(__file__).parents[2]
PUBLIC = names()


def test_the_page_lists_what_is_public() -> None:
    assert PAGE.read_text("utf-8") == page(), (
        "the public names changed: add a line to CHANGELOG.md that says so, "
        "then run 'python -m maintenance.public_names'"
    )


@pytest.mark.parametrize("where", PUBLIC)
def test_the_changelog_speaks_of_every_public_name(where: str) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    silent = [
        name for name in PUBLIC[where] if not re.search(rf"\b{re.escape(name.strip('_'))}\b", changelog)
    ]
    assert not silent, f"CHANGELOG.md has no line about {', '.join(silent)} of {where}: add one"


@pytest.mark.parametrize("where", PUBLIC)
def test_a_public_name_is_there_and_none_is_hidden(where: str) -> None:
    module = importlib.import_module(where)
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name == "__version__" or not name.startswith("_")


def test_modules_beside_the_public_ones_are_internal() -> None:
    """Model, proved and draw hold what the package itself gives out; evaluation and data hold no code."""
    folder = ROOT / "sdk" / "src" / "ternary_sdk"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    public = {where.rpartition(".")[2] for where in PUBLIC} - {"ternary_sdk"}
    assert modules - public == {"draw", "model", "proved"}
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        "_internal", "data", "evaluation", "freezing",
    }  # fmt: skip


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_import_nothing_that_is_internal(file: Path) -> None:
    imported = [
        node.module or ""
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    assert not [module for module in imported if "_internal" in module]
