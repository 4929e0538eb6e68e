"""Squares: the values stand where their inputs meet, as text and as pictures."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ternary_sdk._internal.logic.square_pictures import gallery, inline
from ternary_sdk.errors import InputError
from ternary_sdk.logic import named, parse, to_svg, to_text
from ternary_sdk.space import TERNARY_2, Space

SPACES = [Space(2, k) for k in range(1, 6)] + [Space(3, k) for k in range(1, 4)]
SPACES += [Space(4, 1), Space(4, 2), Space(5, 2), Space(15, 1)]
SVG = "{http://www.w3.org/2000/svg}"


def table(name: str, space: Space) -> list[int]:
    values: list[int] = space.from_index([parse(name, space)])[0].tolist()
    return values


@pytest.mark.parametrize(
    ("name", "space", "lines"),
    [
        ("NOT", Space(2, 1), ["a→  0  1", "    1  0"]),
        ("IMPLIES", Space(2, 2), ["a↓ b→  0  1", "    0  1  1", "    1  0  1"]),
        ("MLE", TERNARY_2, ["a↓ b→  -  0  +", "    -  0  -  -", "    0  +  0  -", "    +  +  +  0"]),
        (
            "MUX",
            Space(2, 3),
            [
                "a = 0          a = 1",
                "b↓ c→  0  1    b↓ c→  0  1",
                "    0  0  0        0  0  1",
                "    1  1  1        1  0  1",
            ],
        ),
        (
            "AOI22",
            Space(2, 4),
            [
                "ab↓ cd→  00  01  10  11",
                "     00   1   1   1   0",
                "     01   1   1   1   0",
                "     10   1   1   1   0",
                "     11   0   0   0   0",
            ],
        ),
        ("INC", Space(5, 1), ["a→  -2  -1   0  +1  +2", "    -1   0  +1  +2  -2"]),
    ],
)
def test_a_table_is_a_square_with_its_inputs_along_the_sides(
    name: str, space: Space, lines: list[str]
) -> None:
    assert to_text(table(name, space), space) == lines


def test_three_ternary_inputs_are_three_squares_side_by_side() -> None:
    space = Space(3, 3)
    lines = to_text(range_of(space), space)
    assert lines[0].split("    ")[0].rstrip() == "a = -"
    for a, square in enumerate(np.reshape(range_of(space), (3, 3, 3)).tolist()):
        for b, row in enumerate(square):
            shown = lines[2 + b][19 * a : 19 * a + 15].split()  # 15 wide, and 4 between them
            assert shown == ["-0+"[b], *("-0+"[value + 1] for value in row)]


def range_of(space: Space) -> list[int]:
    return [space.values[(cell * cell + cell // 3) % space.radix] for cell in range(space.cells)]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_cell_is_shown_once_in_text_and_in_the_picture(space: Space) -> None:
    values = range_of(space)
    lines = to_text(values, space)
    assert len({len(line) for line in lines[1:]}) == 1
    picture = ElementTree.fromstring(to_svg(values, space, title="a < b & c"))
    assert picture.findtext(f"{SVG}title") == "a < b & c"
    boxes = list(picture.iter(f"{SVG}rect"))
    assert len(boxes) == space.cells
    filled = [text.text for text in picture.iter(f"{SVG}text") if text.get("fill")]
    signs = {-1: "-", 0: "0", 1: "+"} if space.radix == 3 else {}
    signed = "+d" if space.lowest else "d"
    wanted = [signs.get(value, format(value, signed) if value else "0") for value in values]
    assert filled == wanted
    colours = {text: box.get("fill") for text, box in zip(filled, boxes, strict=True)}
    assert len(set(colours.values())) == len(set(values))


def test_nothing_in_a_picture_is_outside_of_it() -> None:
    for space in SPACES:
        picture = ElementTree.fromstring(inline(range_of(space), space, title="t"))
        left, _, width, height = map(int, picture.attrib["viewBox"].split())
        shift = 0
        for group in picture.iter(f"{SVG}g"):
            found = re.fullmatch(r"translate\((\d+) (\d+)\)", group.attrib["transform"])
            assert found
            shift = int(found[1])
            for box in group.findall(f"{SVG}rect"):
                assert shift + int(box.attrib["x"]) + int(box.attrib["width"]) <= width + left
                assert int(box.attrib["y"]) + int(box.attrib["height"]) <= height + left


def test_a_picture_follows_the_readers_light_or_dark_setting_and_needs_nothing_else() -> None:
    picture = to_svg(table("MIN", TERNARY_2), title="MIN")
    assert "@media(prefers-color-scheme:dark)" in picture
    assert 'role="img"' in picture
    assert re.findall(r"(?:href|src|url)\b", picture) == []


def test_a_gallery_has_all_squares_under_their_captions() -> None:
    entries = [(each.name, TERNARY_2.from_index([each.index])[0]) for each in named()]
    picture = ElementTree.fromstring(gallery(entries, TERNARY_2, title="All"))
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert [text for text in texts if text in {name for name, _ in entries}] == [name for name, _ in entries]
    assert len(list(picture.iter(f"{SVG}rect"))) == 9 * len(entries)


@pytest.mark.parametrize("draw", [to_text, lambda values: to_svg(values, title="t")])
def test_what_is_no_truth_table_is_refused(draw) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"^operations: shape is \(1, 8\), expected \(n, 9\)$"):
        draw([0] * 8)
    with pytest.raises(InputError, match=r"^operations: row 0, column 8 is 2, expected -1, 0 or 1$"):
        draw([0] * 8 + [2])
