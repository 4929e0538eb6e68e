"""What a program may rely on changes only together with docs/api.md and a line of CHANGELOG.md."""

import hashlib
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import GenericAlias, SimpleNamespace
from typing import Any

import pytest
from maintenance.public_names import PAGE, names, page

ROOT = Path(__file__).parents[2]
PUBLIC = names()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file() and path.suffix != ".pyc")
NOT_HERE = {
    "Json": object,
    "pandas": SimpleNamespace(DataFrame=object),
    "pyarrow": SimpleNamespace(Table=object),
}
"""Names that annotations use and a module does not have when it runs."""


def test_the_page_lists_what_is_public() -> None:
    assert PAGE.read_text("utf-8") == page(), (
        "the public names changed: add a line to CHANGELOG.md that says so, "
        "then run 'python -m maintenance.public_names'"
    )


def test_the_changelog_holds_the_digest_of_the_page() -> None:
    """So that no member changes, either, without somebody who opens CHANGELOG.md."""
    newest = CHANGELOG.split("\n## ")[1]
    digest = hashlib.sha256(PAGE.read_bytes()).hexdigest()[:12]
    assert re.findall(r"Public names: `([0-9a-f]*)`", newest) == [digest], (
        f"docs/api.md changed: say in the newest section of CHANGELOG.md what changed, "
        f"then make its one line about this 'Public names: `{digest}`'"
    )


@pytest.mark.parametrize("where", PUBLIC)
def test_the_changelog_speaks_of_every_public_name(where: str) -> None:
    marked = {name for code in re.findall(r"`([^`\n]+)`", CHANGELOG) for name in [code, code.strip("_")]}
    silent = [name for name in PUBLIC[where] if name.strip("_") not in marked]
    assert not silent, f"CHANGELOG.md has no line with {', '.join(silent)} of {where} in backticks: add one"


@pytest.mark.parametrize("where", PUBLIC)
def test_a_public_name_is_there_and_none_is_hidden(where: str) -> None:
    module = importlib.import_module(where)
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name == "__version__" or not name.startswith("_")


def test_modules_beside_the_public_ones_are_internal() -> None:
    """Others hold what the package itself gives out; evaluation and data hold no code."""
    folder = ROOT / "sdk" / "src" / "ternary_sdk"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    public = {where.rpartition(".")[2] for where in PUBLIC} - {"ternary_sdk"}
    assert modules - public == {"draw", "licensed", "model", "proved"}
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        "_internal", "data", "evaluation", "freezing",
    }  # fmt: skip


def test_what_public_objects_give_out_is_public() -> None:
    """Attributes, properties and what calls return, of every public class and function."""
    values = [getattr(importlib.import_module(where), name) for where in PUBLIC for name in PUBLIC[where]]
    public = {value for value in values if inspect.isclass(value)}
    hidden = {
        f"{value.__qualname__}: {found.__qualname__}"
        for value in values
        if inspect.isclass(value) or inspect.isfunction(value)
        for hint in given_by(value)
        for found in classes(hint)
        if found.__module__.startswith("ternary_sdk") and found not in public
    }
    assert not hidden


def given_by(value: type | Callable[..., Any]) -> Iterator[object]:
    """The annotations of what a class or a function gives out."""
    if inspect.isfunction(value):
        yield typing.get_type_hints(value, localns=NOT_HERE).get("return")
        return
    for name, hint in typing.get_type_hints(value, localns=NOT_HERE).items():
        if not name.startswith("_"):
            yield hint
    for name, member in vars(value).items():
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, cached_property):
            member = member.func
        elif isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member) and (not name.startswith("_") or name.endswith("__")):
            yield typing.get_type_hints(member, localns=NOT_HERE).get("return")


def classes(hint: object) -> Iterator[type]:
    """The classes in an annotation."""
    if inspect.isclass(hint) and not isinstance(hint, GenericAlias):
        yield hint
    for part in hint if isinstance(hint, list) else typing.get_args(hint):
        yield from classes(part)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.name)
def test_examples_name_nothing_that_is_internal(file: Path) -> None:
    """Their text is searched: an import of any form, a string, a cell of a notebook."""
    assert re.findall(r"\b_internal\b", file.read_text("utf-8")) == []
