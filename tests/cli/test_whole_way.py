"""Two small spaces, from a recipe that ships to a meter that is full.

The larger one is trained until it is reached whole; tests/trainer/test_spaces.py trains both to their end.
"""

import pytest
from tests import whole_way

from ternary_sdk.space import Space


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "space", "settings"),
    [("boolean-3", Space(2, 3), ()), ("quinary-1", Space(5, 1), ("epochs=4",))],
    ids=["2,3", "5,1"],
)
def test_a_space_goes_the_whole_way_by_command(ternary, tmp_path, recipe, space, settings):
    info = whole_way.go(ternary, tmp_path, recipe, space, *settings)
    assert set(info["paths"]) == {"A", "B"}
