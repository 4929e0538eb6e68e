"""The operation space as a picture: layout, colours, files, and what is refused."""

import struct
import zlib

import numpy as np
import pytest

from ternary_sdk import atlas
from ternary_sdk._internal import png
from ternary_sdk.errors import InputError
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
