"""Blocks of draws and the tree over them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from tests.vectors import vast

from ternary_sdk._internal.certificates import merkle

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "vast.json").read_text("utf-8"))


def test_a_leaf_is_the_pinned_one() -> None:
    assert merkle.leaf(np.array([1, merkle.NEAR_TIE, 4**16 - 1])).hex() == VECTORS["leaf"]


@pytest.mark.parametrize("leaves", range(1, 9))
def test_a_root_is_the_pinned_one(leaves: int) -> None:
    assert merkle.root(b"".join(bytes([n]) * 32 for n in range(leaves))) == VECTORS["roots"][leaves - 1]


@pytest.mark.parametrize("leaves", [9, 31, 32, 33, 100])
def test_a_root_is_that_of_the_definition(leaves: int) -> None:
    hashes = [hashlib.sha256(bytes([n])).digest() for n in range(leaves)]
    assert merkle.root(b"".join(hashes)) == vast.root(hashes).hex()
