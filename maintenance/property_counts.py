"""
The tables of docs/properties.md: meanings, and how many operations have each property and each two.

    python -m maintenance.property_counts

writes them between the page's markers. A test holds the page against the code.
"""

import re
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Final

from ternary_sdk.errors import InputError
from ternary_sdk.logic import PROPERTIES, WITH_ARGUMENT, Property, counted
from ternary_sdk.space import TERNARY_2, Space

PAGE: Final = Path(__file__).parents[1] / "docs" / "properties.md"
SPACES: Final = (Space(2, 2), Space(2, 3), Space(2, 4), Space(3, 1), TERNARY_2)
_ALL: Final = tuple(PROPERTIES.values())


def page(text: str) -> str:
    """A page with its tables written anew.

    Raises:
        ValueError: If the page lacks the markers of a table.
    """
    for name, table in (("meanings", meanings()), ("counts", counts()), ("pairs", pairs())):
        marked = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"the page has no '<!-- table: {name} -->' with an '<!-- end -->' after it")
        lines = "".join(f"{line}\n" for line in table)
        text = marked.sub(lambda found, lines=lines: found[1] + lines + found[2], text)  # type: ignore[misc]
    return text


def meanings() -> Iterator[str]:
    """Each property, its other names, its meaning, and whose definition it is."""
    yield from _heading("property", "also", "meaning", "notes and source")
    for each in _ALL:
        yield _row(f"`{each}`", ", ".join(f"`{name}`" for name in each.aliases), each.meaning, each.source)
    for text, meaning in WITH_ARGUMENT.items():
        yield _row(f"`{text}`", "", meaning, "")


def counts() -> Iterator[str]:
    """How many operations of each of some spaces have each property."""
    yield from _heading("property", *(f"({space})" for space in SPACES))
    yield _row("all operations", *(f"{space.size:,}" for space in SPACES))
    for each in _ALL:
        yield _row(f"`{each}`", *(_count(each, space) for space in SPACES))


def pairs() -> Iterator[str]:
    """How many two-input ternary operations have each two properties; one alone in the last cell of a row."""
    masks = [each.holds(TERNARY_2.tables, TERNARY_2) for each in _ALL]
    both = {
        (one, other): int((masks[one] & masks[other]).sum())
        for one, other in combinations_with_replacement(range(len(_ALL)), 2)
    }
    yield from _heading("", "", *(str(number) for number in range(1, len(_ALL) + 1)))
    for row, each in enumerate(_ALL):
        cells = [f"{both[column, row]:,}" for column in range(row + 1)]
        yield _row(str(row + 1), f"`{each}`", *cells, *[""] * (len(_ALL) - row - 1))


def _count(each: Property, space: Space) -> str:
    try:
        return f"{counted(space, each).size:,}"
    except InputError:
        return "–"


def _heading(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield "|" + "---|" * len(cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
