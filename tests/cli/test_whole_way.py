"""Two small spaces, from a recipe that ships to a meter that is full."""

import pytest
from tests import whole_way

from ternary_sdk.space import Space


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "space"), [("boolean-3", Space(2, 3)), ("quinary-1", Space(5, 1))], ids=["2,3", "5,1"]
)
def test_a_space_goes_the_whole_way_by_command(ternary, tmp_path, recipe, space):
    info = whole_way.go(ternary, tmp_path, recipe, space)
    assert set(info["paths"]) == {"A", "B"}
