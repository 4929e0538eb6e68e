"""The operation space as a picture: layout, colours, files, and what is refused."""

import html
import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pytest

from ternary_sdk import atlas
from ternary_sdk._internal import png
from ternary_sdk.errors import InputError
from ternary_sdk.logic import Condition
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

MARGINS = np.linspace(1, 5, TERNARY_2.size, dtype=np.float32)


def unpacked(data):
    """Width, height and pixels of a PNG whose rows are not filtered."""
    width, height = struct.unpack(">II", data[16:24])
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8)
    return rows.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_each_operation_has_the_cell_that_its_trits_choose():
    margins = MARGINS.copy()
    margins[5 * 243 + 7] = 0
    cells = atlas.colours(margins)
    missing = np.argwhere((cells == atlas.MISSING).all(axis=2))
    assert cells.shape == (81, 243, 3)
    assert missing.tolist() == [[5, 7]]


def test_the_clearest_witness_is_darkest_and_a_drawn_one_has_its_own_colour():
    cells = atlas.colours(MARGINS, OperationSet.of([0, TERNARY_2.size - 1]))
    assert tuple(cells[80, 242]) == atlas.DRAWN[1]
    assert tuple(atlas.colours(MARGINS)[80, 242]) == atlas.REACHED[1]
    assert cells[40, 0].sum() > cells[80, 241].sum()


def test_shades_go_by_rank_so_that_the_whole_scale_is_used():
    margins = np.array([1, 1, 1, 90, 95, 100, 0, 99] * 2, np.float32)
    cells = atlas.colours(margins, space=Space(2, 2)).reshape(16, 3)
    (first, last), blue = atlas.REACHED, cells[:, 2]
    assert tuple(cells[6]) == atlas.MISSING
    assert blue[0] == blue[1] == blue[2] > blue[3] > blue[4] > blue[7] > blue[5]
    far = first[2] - last[2]
    assert first[2] - blue[0] < far / 4
    assert blue[5] - last[2] < far / 12


def test_equal_margins_have_the_middle_shade():
    cells = atlas.colours(np.full(16, 7, np.float32), space=Space(2, 2))
    assert {tuple(cell) for cell in cells.reshape(16, 3)} == {(100, 133, 175)}


@dataclass(frozen=True)
class Ends(Condition):
    """Whose last cell has the greatest value."""

    def holds(self, tables, space):
        return tables[:, -1] == space.values[-1]

    def check(self, space):
        if space.radix == 5:
            raise InputError("ends: means nothing here")

    def __str__(self):
        return "ends & <so>"


def test_a_condition_leaves_colour_to_the_operations_that_meet_it():
    margins = MARGINS.copy()
    margins[[0, 19_000]] = 0
    plain, cells = atlas.colours(margins), atlas.colours(margins, where=Ends())
    assert (cells[54:] == plain[54:]).all()
    assert tuple(cells[0, 0]) == tuple(cells.reshape(-1, 3)[19_000]) == atlas.MISSING
    assert (cells[:54].reshape(-1, 3)[1:] == atlas.OUTSIDE).all()


def test_the_legend_says_how_many_operations_that_meet_the_condition_are_reachable():
    margins = MARGINS.copy()
    margins[[0, 19_000]] = 0
    svg = atlas.to_svg(margins, OperationSet.of([1, 2, 19_001]), title="acme", where=Ends())
    assert "ends &amp; &lt;so&gt;: 6,560 of 6,561 reachable<" in svg
    assert "drawn so far: 1<" in svg
    assert "not reachable: 2<" in svg
    assert "other reachable operations: 13,121<" in svg


def test_a_long_condition_is_cut_in_the_legend_and_the_picture_is_wide_enough():
    condition = Ends()
    for _ in range(9):
        condition = condition & Ends()
    svg = atlas.to_svg(np.ones(4, np.float32), title="acme", space=Space(2, 1), where=condition)
    (words,) = re.findall(r">(ends &amp;[^<]*): 2 of 2 reachable<", svg)
    assert len(html.unescape(words)) == 60
    assert words.endswith("…")
    (width,) = re.findall(r'viewBox="0 0 (\d+) ', svg)
    assert int(width) == 104 + 334 + 8 * len(f"{html.unescape(words)}: 2 of 2 reachable")


def test_a_condition_that_means_nothing_in_the_space_is_refused():
    with pytest.raises(InputError) as refused:
        atlas.to_png(np.ones(3125, np.float32), space=Space(5, 1), where=Ends())
    assert str(refused.value) == "ends: means nothing here"


def texts(svg, kind):
    """Texts of a class, in order, with x and y."""
    found = re.findall(rf'<text class="{kind}" x="([\d.]+)" y="([\d.]+)" text-anchor="\w+">([^<]*)<', svg)
    return [(float(x), float(y), words) for x, y, words in found]


def test_ticks_have_row_and_column_numbers_that_grow_to_the_right_and_down():
    numbers = texts(atlas.to_svg(MARGINS, title="acme"), "tick number")
    assert [words for _, _, words in numbers[:9]] == [str(column) for column in range(0, 243, 27)]
    assert [x for x, _, _ in numbers[:9]] == [104 + 108 * band for band in range(9)]
    assert [words for _, _, words in numbers[9:]] == [str(row) for row in range(0, 81, 9)]
    assert [y for _, y, _ in numbers[9:]] == [34 + 36 * band for band in range(9)]


def test_each_band_has_the_values_of_its_leading_cells():
    svg = atlas.to_svg(MARGINS, title="acme")
    values = [words for _, _, words in texts(svg, "tick")][:18]
    for band, words in enumerate(values[:9]):
        table = TERNARY_2.tables[27 * band]
        assert words == " ".join("−0+"[value + 1] for value in (table[4], table[3]))
    for band, words in enumerate(values[9:]):
        table = TERNARY_2.tables[243 * 9 * band]
        assert words == " ".join("−0+"[value + 1] for value in (table[8], table[7]))


def test_an_axis_names_its_leading_cells_and_its_arrow_points_where_the_numbers_grow():
    svg = atlas.to_svg(MARGINS, title="acme")
    assert ">column by t4 = f(0,0), t3 = f(0,−) →<" in svg
    assert "index = 243 × row + column<" in svg
    assert 'transform="translate(8 30) rotate(90)">row by t8 = f(+,+), t7 = f(+,0) →<' in svg
    quinary = atlas.to_svg(np.ones(3125, np.float32), title="acme", space=Space(5, 1))
    assert ">column by t2 = f(0) →<" in quinary
    assert ">row by t4 = f(2) →<" in quinary


def test_the_scale_has_the_margins_at_its_ends_and_quartiles():
    ticks = texts(atlas.to_svg(MARGINS, title="acme"), "tick")[18:]
    assert [words for _, _, words in ticks] == ["1", "2", "3", "4", "5"]
    assert [x for x, _, _ in ticks] == [104, 184, 264, 344, 424]


def test_without_a_reachable_operation_the_scale_has_no_margins():
    svg = atlas.to_svg(np.zeros(16, np.float32), title="acme", space=Space(2, 2))
    assert "not reachable: 16<" in svg
    assert "quartiles" not in svg


@pytest.mark.parametrize(("missing", "rings"), [(0, 0), (3, 3), (64, 64), (65, 0)])
def test_a_few_unreachable_operations_are_ringed(missing, rings):
    margins = MARGINS.copy()
    margins[:missing] = 0
    svg = atlas.to_svg(margins, title="acme")
    assert svg.count(f'stroke="rgb{atlas.MISSING}"') == rings
    assert (f'<circle cx="{104 + 4 * 2.5:g}" cy="32"' in svg) == (rings > 2)


def linear(colours):
    colours = np.asarray(colours, np.float64) / 255
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def oklab(light):
    """Björn Ottosson, *A perceptual color space for image processing*, 2020."""
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(light @ np.transpose(cones)) @ np.transpose(lab)


# Machado, Oliveira and Fernandes, *A physiologically-based model for simulation of color vision deficiency*,
# 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def scale(ends):
    first, last = map(np.array, ends)
    return first + (last - first) * np.linspace(0, 1, 33)[:, None]


@pytest.mark.parametrize("vision", VISION)
def test_readers_with_any_colour_vision_tell_the_colours_apart(vision):
    seen = [
        oklab((linear(colours) @ np.transpose(VISION[vision])).clip(0, 1))
        for colours in (scale(atlas.REACHED), scale(atlas.DRAWN), [atlas.MISSING], [atlas.OUTSIDE])
    ]
    for number, some in enumerate(seen):
        for others in seen[:number]:
            assert np.linalg.norm(some[:, None] - others, axis=2).min() > 0.1
    for shades in seen[:2]:
        steps = -np.diff(shades[:, 0])
        assert steps.min() > 0.6 * steps.mean()


def test_the_picture_follows_the_readers_dark_pages():
    svg = atlas.to_svg(MARGINS, title="acme")
    light, dark = svg.split("@media(prefers-color-scheme:dark)")
    assert ".page{fill:#fff}" in light
    assert ".page{fill:#0d1117}" in dark
    assert '<rect class="page" ' in dark


def test_the_png_holds_exactly_the_cells():
    assert np.array_equal(unpacked(atlas.to_png(MARGINS, scale=1)), atlas.colours(MARGINS))
    assert unpacked(atlas.to_png(MARGINS, scale=2)).shape == (162, 486, 3)


def test_the_svg_fetches_nothing_and_escapes_its_title():
    svg = atlas.to_svg(MARGINS, OperationSet.of([3]), title="<acme> & co")
    assert "&lt;acme&gt; &amp; co" in svg
    assert "drawn so far: 1<" in svg
    assert svg.count("http") == 1  # the name of the SVG namespace
    assert "<script" not in svg


def test_the_picture_in_words_counts_what_is_reachable():
    margins = MARGINS.copy()
    margins[:3] = 0
    assert atlas.summary(margins) == "19,680 of 19,683 operations reachable, least margin 1.001"
    assert atlas.summary(margins, OperationSet.of([9])).endswith(", 1 drawn")
    assert atlas.summary(np.zeros(TERNARY_2.size, np.float32)) == "0 of 19,683 operations reachable"


@pytest.mark.parametrize(
    ("space", "pixels"),
    [
        (TERNARY_2, (324, 972)),
        (Space(2, 1), (64, 64)),
        (Space(2, 3), (480, 480)),
        (Space(5, 1), (175, 875)),
        (Space(7, 1), (343, 2401)),
    ],
)
def test_a_bare_picture_of_any_space_is_large_enough_to_be_seen(space, pixels):
    picture = atlas.to_png(np.ones(space.size, np.float32), space=space)
    assert unpacked(picture).shape == (*pixels, 3)


def test_margins_of_another_shape_are_refused():
    with pytest.raises(InputError) as refused:
        atlas.colours(np.zeros(5, np.float32))
    assert str(refused.value) == "margins: expected 19683 finite numbers from 0, found shape (5,)"


def test_a_scale_out_of_range_is_refused():
    with pytest.raises(InputError) as refused:
        atlas.to_png(MARGINS, scale=0)
    assert str(refused.value) == "scale: 0, expected 1 to 32"


def test_a_picture_that_is_no_rgb_is_refused():
    with pytest.raises(InputError) as refused:
        png.encode(np.zeros((2, 2), np.uint8))
    assert str(refused.value) == "picture: is uint8 (2, 2), expected uint8 (rows, columns, 3)"


def test_drawn_operations_of_another_space_are_refused() -> None:
    with pytest.raises(InputError) as refusal:
        atlas.colours(np.ones(19_683, np.float32), OperationSet.of([1], Space(2, 3)))
    assert str(refusal.value) == "drawn: operations of the space 2,3, expected 3,2"
