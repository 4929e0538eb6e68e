"""Codes: read back in every space, in any case; what is not a code is refused."""

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import Form, from_code, parse, to_code
from ternary_sdk.space import TERNARY_2, Space

LISTED = [Space(2, 1), Space(2, 2), Space(2, 3), Space(3, 1), Space(4, 1), Space(5, 1)]
VAST = [Space(2, 5), Space(3, 3), Space(4, 2), Space(5, 2), Space(11, 1), Space(15, 1)]
BASE_27 = "0123456789ABCDEFGHKMNPRTVXZ"


@pytest.mark.parametrize("space", LISTED, ids=str)
def test_every_code_of_a_small_space_is_read_back(space: Space) -> None:
    codes = [to_code(index, space) for index in range(space.size)]
    assert len(set(codes)) == space.size
    assert [from_code(code, space) for code in codes] == list(range(space.size))
    assert [from_code(code.lower(), space) for code in codes] == list(range(space.size))
    assert [parse(code, space, Form.CODE) for code in codes] == list(range(space.size))


@pytest.mark.parametrize("space", VAST, ids=str)
def test_codes_of_a_vast_space_are_read_back(space: Space) -> None:
    drawn = np.random.default_rng(7).integers(0, space.size, 500).tolist()
    for index in [0, 1, space.size - 1, *drawn]:
        assert from_code(to_code(index, space).lower(), space) == index


@pytest.mark.parametrize(("space", "length"), [(Space(3, 1), 1), (TERNARY_2, 3), (Space(3, 3), 9)], ids=str)
def test_a_heptavintimal_character_is_three_cells_the_highest_first(space: Space, length: int) -> None:
    index = int(np.random.default_rng(3).integers(0, space.size))
    digits = (space.from_index([index])[0] + 1).tolist()
    threes = [digits[k] + 3 * digits[k + 1] + 9 * digits[k + 2] for k in range(0, space.cells, 3)]
    code = to_code(index, space)
    assert len(code) == length
    assert code == "".join(BASE_27[three] for three in reversed(threes))


@pytest.mark.parametrize("space", [Space(2, 3), Space(4, 2), Space(15, 1)], ids=str)
def test_a_character_of_another_radix_is_a_cell_the_highest_first(space: Space) -> None:
    index = int(np.random.default_rng(3).integers(0, space.size))
    digits = (space.from_index([index])[0] - space.lowest).tolist()
    assert to_code(index, space) == "".join(f"{digit:X}" for digit in reversed(digits))


@pytest.mark.parametrize(
    ("text", "space", "expected"),
    [
        ("", TERNARY_2, f"3 characters of {BASE_27}"),
        ("PC", TERNARY_2, f"3 characters of {BASE_27}"),
        ("PC00", TERNARY_2, f"3 characters of {BASE_27}"),
        ("PC0\n", TERNARY_2, f"3 characters of {BASE_27}"),
        ("0IL", TERNARY_2, f"3 characters of {BASE_27}"),
        ("١٢٣", TERNARY_2, f"3 characters of {BASE_27}"),
        ("\u212a00", TERNARY_2, f"3 characters of {BASE_27}"),  # the kelvin sign, whose small letter is k
        ("Q", Space(3, 1), f"1 character of {BASE_27}"),
        ("1002", Space(2, 2), "4 characters of 01"),
        ("3214", Space(4, 1), "4 characters of 0123"),
    ],
)
def test_what_is_not_a_code_is_refused(text: str, space: Space, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        from_code(text, space)
    assert str(caught.value) == f"{text!r} is not a code of the space {space}, expected {expected}"


def test_an_index_of_another_space_has_no_code() -> None:
    with pytest.raises(InputError, match=r"^indices: entry 0 is 16, expected 0 to 15$"):
        to_code(16, Space(2, 2))
