"""
The named operations as docs/gates.md lists them, with a picture for each space.

    python -m maintenance.gate_gallery

writes the page and its pictures. A test holds them against the code.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ternary_sdk._internal.logic.square_pictures import gallery
from ternary_sdk.logic import NamedOperation, named
from ternary_sdk.space import TERNARY_2, Space

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "gates.md"
SPACES: Final = (
    *(Space(2, inputs) for inputs in range(1, 6)),
    *(Space(3, inputs) for inputs in range(1, 4)),
    *(Space(4, inputs) for inputs in range(1, 3)),
)
"""Spaces that have dictionaries of their own."""
_HEAD: Final = """\
# Named operations

`ternary show NAME --space R,K` shows one of these. Every command that reads operations reads their names and
aliases, in any case. Each index is computed from the definition. Each code is the index in the space's
notation.
An alias of several operations is refused, with all of them: write the name, the code or the index.
Typed after a command, a name that is also a code means the name, such as `MAX`; `code:MAX` is the
other operation. In rows such a text is refused: write `name:MAX`, or call the column `name`.

Values are -, 0 and + of radix 3, and 0 to radix - 1 of radix 2 and 4. Inputs are a, b, c, …: of a square, the
rows are the first input and the columns the second. Spaces of radix 5 and more have `MIN`, `MAX`, `SUM` and
`WEBB`; with one input `ID`, `INC`, `DEC` and `NOT`. `python -m maintenance.gate_gallery` writes this page.
"""
_NOTES: Final = {
    Space(4, 1): "Belnap's values are 0 false, 1 neither, 2 both, 3 true. Elements of GF(4): 2 is a root of "
    "x² + x + 1, and 3 is that plus 1.",
    Space(4, 2): "In truth 0 is below 1 and 2, and those are below 3; 1 and 2 are not comparable.",
}


def picture(space: Space) -> str:
    """The name of a space's picture, from docs/."""
    return f"pictures/gates/{space.label}.svg"


def svg(space: Space) -> str:
    """The squares of a space's operations, each operation once."""
    together: dict[int, list[str]] = {}
    for each in named(space):
        together.setdefault(each.index, []).append(each.name)
    captions = [(" = ".join(names), space.from_index([index])[0]) for index, names in together.items()]
    title = f"The named {space.title} operations"
    return gallery(captions, space, title=title)


def page() -> str:
    """The text of docs/gates.md."""
    return "\n".join([_HEAD, *(line for space in (TERNARY_2, *_others()) for line in _section(space))])


def _others() -> Iterator[Space]:
    return (space for space in SPACES if space != TERNARY_2)


def _section(space: Space) -> Iterator[str]:
    yield f"## {space.title[0].upper()}{space.title[1:]}: `--space {space}`\n"
    if space in _NOTES:
        yield f"{_NOTES[space]}\n"
    yield f"![The squares of the named {space.title} operations]({picture(space)})\n"
    yield "| name | definition | code | index | source | aliases |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, named(space))
    yield ""


def _row(each: NamedOperation) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in each.aliases)
    formula = each.formula.replace("|", "\\|")
    return f"| `{each.name}` | {formula} | `{each.code}` | {each.index} | {each.source} | {aliases} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    for each_space in SPACES:
        (DOCS / picture(each_space)).write_text(svg(each_space), "utf-8")
