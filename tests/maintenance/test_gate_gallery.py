"""docs/gates.md and its pictures are what the code writes."""

import pytest
from maintenance.gate_gallery import DOCS, PAGE, SPACES, page, picture, svg

from ternary_sdk.logic import named
from ternary_sdk.space import Space


def test_the_page_lists_the_named_operations() -> None:
    assert PAGE.read_text("utf-8") == page(), "run 'python -m maintenance.gate_gallery'"


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_picture_of_a_space_is_of_its_named_operations(space: Space) -> None:
    assert (DOCS / picture(space)).read_text("utf-8") == svg(space), (
        "run 'python -m maintenance.gate_gallery'"
    )


def test_every_name_stands_on_the_page() -> None:
    text = page()
    for space in SPACES:
        for each in named(space):
            assert f"| `{each.name}` |" in text
            assert f"| `{each.code}` | {each.index} |" in text


def test_no_picture_is_left_of_a_space_that_has_no_dictionary() -> None:
    kept = {str(file.relative_to(DOCS)) for file in (DOCS / "pictures" / "gates").iterdir()}
    assert kept == {picture(space) for space in SPACES}
