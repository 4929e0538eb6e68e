"""
What is known of one operation without a model: one set of facts, printed as lines or as JSON.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ternary_sdk._internal.logic.properties import held
from ternary_sdk.logic import Group, class_size, named, representatives, to_code, to_text
from ternary_sdk.space import Space


def facts_of(index: int, space: Space) -> dict[str, Any]:
    """An operation's numbers, names, properties and classes."""
    table = space.from_index([index])
    return {
        "space": {"radix": space.radix, "inputs": space.inputs, "label": space.label},
        "index": index,
        "code": to_code(index, space),
        "table": table[0].tolist(),
        "names": {
            each.name: {"formula": each.formula, "source": each.source, "aliases": list(each.aliases)}
            for each in named(space)
            if each.index == index
        },
        "properties": {name: bool(mask[0]) for name, mask in held(table, space).items()},
        "classes": {str(group): _class(index, space, group) for group in Group},
    }


def lines_of(facts: Mapping[str, Any], space: Space) -> list[str]:
    """The same for people: the square, then a line for each fact."""
    rows = list(_rows(facts, space))
    width = max(len(label) for label, _ in rows)
    square = to_text(facts["table"], space)
    return [*square, "", *(f"{label:<{width}}  {text}".rstrip() for label, text in rows)]


def _class(index: int, space: Space, group: Group) -> dict[str, Any]:
    least = int(representatives([index], space, group)[0])
    return {"index": least, "code": to_code(least, space), "operations": class_size(index, space, group)}


def _rows(facts: Mapping[str, Any], space: Space) -> Iterator[tuple[str, str]]:
    yield "space", f"{space}, {space.title}"
    yield "index", str(facts["index"])
    yield "code", facts["code"]
    if not facts["names"]:
        yield "name", "none"
    for name, said in facts["names"].items():
        also = f"; also {', '.join(said['aliases'])}" if said["aliases"] else ""
        yield "name", f"{name}: {said['formula']} ({said['source']}){also}"
    properties = facts["properties"]
    yield "is", ", ".join(name for name, holds in properties.items() if holds) or "none of the properties"
    yield "is not", ", ".join(name for name, holds in properties.items() if not holds)
    for group, found in facts["classes"].items():
        count = found["operations"]
        members = "no other operation" if count == 1 else f"{count:,} operations"
        yield f"class by {group}", f"{found['code']}, operation {found['index']}; {members}"
    if "latent" in facts:
        yield "latent", f"path {facts['path']}: {' '.join(f'{number:.3f}' for number in facts['latent'])}"
        yield "margin", _margin(facts["margin"])
    if "file" in facts:
        yield "picture", facts["file"]


def _margin(margin: float) -> str:
    return f"{margin:.3f}, the latent decodes to it" if margin else "none, the latent decodes to another"
