"""
What each setting of a recipe means: the line under its field, read from the source of the dataclasses.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from ternary_trainer.settings import Recipe


def of(recipe: Recipe) -> dict[str, str]:
    """The meaning of every setting and table of a recipe, by its dotted name without a list's places."""
    return _within(recipe, "")


def _within(settings: Any, path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, meaning in fields(type(settings)).items():
        where, value = f"{path}.{name}" if path else name, getattr(settings, name)
        found[where] = meaning
        found |= _of_value(value, where)
    return found


def _of_value(value: Any, where: str) -> dict[str, str]:
    if isinstance(value, Mapping):
        parts = [_of_value(item, f"{where}.{key}") for key, item in value.items()]
    elif isinstance(value, tuple):
        parts = [_of_value(item, where) for item in value]
    elif dataclasses.is_dataclass(value) and _is_ours(type(value)):
        meaning = (inspect.getdoc(type(value)) or "").partition("\n\n")[0]
        return {where: _line(meaning), **_within(value, where)}
    else:
        return {}
    return {key: meaning for part in parts for key, meaning in part.items()}


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("ternary_trainer.")


def fields(kind: type) -> dict[str, str]:
    """Each field of a dataclass of this package: the first paragraph of what is written under it."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    if not isinstance(body, ast.ClassDef):
        return {}
    found: dict[str, str] = {}
    for node, after in zip(body.body, [*body.body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            said = after.value if isinstance(after, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else ""
            found[node.target.id] = _line(inspect.cleandoc(text).partition("\n\n")[0])
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
