"""
The public names of the SDK as docs/api.md lists them: each with what it takes, and its first sentence.

    python -m maintenance.public_names

writes the page. A test holds it against the code, so that no public name changes unnoticed.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
PACKAGE = "ternary_sdk"
_HEAD = """\
# The public names of `ternary_sdk`

What stands here is what a program may rely on: names in `__all__` of `ternary_sdk`, and of the modules
that it names. Everything else is in `ternary_sdk._internal`, or begins with an underscore, and may change
from one release to the next without a word. A change of this page needs a line in CHANGELOG.md,
whose newest section holds the page's digest (CONTRIBUTING.md).
`python -m maintenance.public_names` writes it.
"""


def names() -> dict[str, tuple[str, ...]]:
    """The names in ``__all__``, ascending, of the package and of each of its public modules."""
    package = importlib.import_module(PACKAGE)
    found = {PACKAGE: package, **{f"{PACKAGE}.{name}": module for name, module in _modules(package)}}
    return {where: tuple(sorted(module.__all__)) for where, module in found.items()}


def page() -> str:
    """The text of docs/api.md."""
    parts = [_HEAD]
    shown: set[int] = set()
    for where, listed in names().items():
        module = importlib.import_module(where)
        parts.append(f"## `{where}`\n\n{_sentence(module)}\n")
        for name in listed:
            value = getattr(module, name)
            if not isinstance(value, ModuleType) and name != "__version__" and id(value) not in shown:
                parts.append("\n".join(_entry(name, value)) + "\n")
                shown.add(id(value))
    return "\n".join(parts)


def _modules(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    for name in sorted(package.__all__):
        if isinstance(value := getattr(package, name), ModuleType):
            yield name, value


def _entry(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        yield f"- **`{name}{_signature(value)}`** {_sentence(value)}"
        for member, found in sorted(_members(value).items()):
            if not member.startswith("_"):
                yield from _member(name, member, found)
    elif inspect.isroutine(value):
        yield f"- **`{name}{_signature(value)}`** {_sentence(value)}"
    else:
        yield f"- **`{name}`** {_plain(type(value).__name__)}"


def _members(value: type) -> dict[str, object]:
    """What a class defines, and what it has of bases of ours that are not public themselves."""
    found: dict[str, object] = {}
    for base in reversed(value.__mro__):
        if base is value or (base.__module__.startswith(PACKAGE) and base not in _classes()):
            found |= vars(base)
    return found


@cache
def _classes() -> frozenset[type]:
    """The public ones."""
    values = [
        getattr(importlib.import_module(where), name) for where, listed in names().items() for name in listed
    ]
    return frozenset(value for value in values if inspect.isclass(value))


def _member(name: str, member: str, found: object) -> Iterator[str]:
    if isinstance(found, property | cached_property):
        yield f"  - `{name}.{member}` {_sentence(found)}"
    elif isinstance(found, classmethod | staticmethod):
        yield f"  - `{name}.{member}{_signature(found.__func__)}` {_sentence(found)}"
    elif inspect.isroutine(found):
        yield f"  - `{name}.{member}{_signature(found)}` {_sentence(found)}"


def _signature(value: object) -> str:
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except ValueError:
        return ""
    parts = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    text = str(signature.replace(parameters=parts, return_annotation=inspect.Signature.empty))
    return re.sub(r"<function .*? at 0x[0-9a-f]+>", "…", text)


def _sentence(value: object) -> str:
    first = (inspect.getdoc(value) or "").split("\n\n")[0]
    return " ".join(first.split()).removesuffix(":") + ("" if first.endswith((".", "!")) else ".")


def _plain(kind: str) -> str:
    return f"A value: {kind}."


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
