"""Every trick on the page has a test, and every test that the page names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "broken-elsewhere.md"
TRICKS = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
NAMED = re.compile(r"`([a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def names_in(module: Path) -> set[str]:
    tree = ast.parse(module.read_bytes())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_has_its_tricks() -> None:
    assert len(TRICKS) == 17


@pytest.mark.parametrize("trick", TRICKS, ids=lambda line: line.split("|")[1].strip()[:60])
def test_every_trick_names_tests_that_exist(trick: str) -> None:
    named = NAMED.findall(trick)
    assert named
    for module, name in named:
        assert name in names_in(ROOT / "tests" / module), f"{module}::{name}"
    assert len(named) == trick.count("::")
