"""Quantisers on latents whose answer is known: the trits themselves, decoded by rounding."""

import math

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.compression import lloyd, smallest_code, table_bytes, uniform_levels

TRITS = TERNARY_2.tables.astype(np.float32)


def rounding(latents):
    digits = np.clip(np.rint(latents[:, :9]), -1, 1).astype(np.int64) + 1
    return digits @ TERNARY_2.places


def test_latents_that_lose_operations_at_every_number_of_levels_are_refused():
    with pytest.raises(InputError) as refusal:
        smallest_code(TRITS, lambda latents: np.zeros(len(latents), np.int64), "uniform")
    assert str(refusal.value) == (
        "latents: some operation is lost at 48 uniform levels, expected all to decode"
    )


def test_a_table_of_a_vast_space_is_refused():
    with pytest.raises(InputError) as refusal:
        table_bytes(Space(3, 3))
    assert str(refusal.value) == (
        "3,3: has 7,625,597,484,987 operations, more than the 2^20 that can be listed"
    )


@pytest.mark.parametrize("kind", ["uniform", "learned"])
def test_trits_need_three_levels_each(kind):
    code = smallest_code(TRITS, rounding, kind)
    assert code.levels == (3,) * 9
    assert code.bits == pytest.approx(math.log2(TERNARY_2.size))
    assert code.entropy == pytest.approx(math.log2(TERNARY_2.size))
    assert code.separate_bits == 18


def test_a_dimension_that_no_operation_needs_has_one_level_and_no_bits():
    noise = np.random.default_rng(0).normal(size=(len(TRITS), 1)).astype(np.float32)
    code = smallest_code(np.hstack([TRITS, noise]), rounding, "learned")
    assert code.levels == (*[3] * 9, 1)
    assert code.bits == pytest.approx(math.log2(TERNARY_2.size))


def test_the_order_of_tries_follows_from_the_seed():
    spread = TRITS * np.linspace(1, 1.4, 9, dtype=np.float32)
    first, again = (smallest_code(spread, rounding, "uniform", seed=3) for _ in range(2))
    assert first == again


def test_uniform_levels_are_the_middles_of_equal_parts():
    assert uniform_levels(np.array([0.0, 4.0]), 2).tolist() == [1.0, 3.0]


def test_lloyd_puts_a_level_on_each_cluster():
    values = np.array([0.0, 0.2, 10.0, 10.2, 10.4, 20.0])
    assert lloyd(values, 3).tolist() == pytest.approx([0.1, 10.2, 20.0])


def test_a_table_of_the_standard_space_has_these_sizes():
    assert table_bytes(TERNARY_2) == {
        "a byte for each cell": 177_147,
        "whole bytes for each operation": 39_366,
        "no gaps": 35_097,
    }
