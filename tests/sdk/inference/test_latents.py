"""The stream is checked against Philox written out from the paper, not against itself."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk.errors import InputError
from ternary_sdk.inference import latents

MASK = 2**64 - 1

GOLDEN = (
    "07a7074088b27abf1d1252bf4171913fe4012bbf9c25f53f6e2ac1bf85aa09bf"
    "0a31e73eece7f7be66745c3de17b4ebef82332be4e08023fd2194b3fed2b75be"
)
"""Row 0 of seed 7: sixteen little-endian float32."""


def philox(counter: int, key: tuple[int, int]) -> list[int]:
    """Philox 4x64 with 10 rounds; constants and round function of Salmon et al., 2011, section 3.3."""
    c0, c1, c2, c3 = ((counter >> shift) & MASK for shift in (0, 64, 128, 192))
    k0, k1 = key
    for _ in range(10):
        low = 0xD2E7470EE14C6C93 * c0
        high = 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (high >> 64) ^ c1 ^ k0, high & MASK, (low >> 64) ^ c3 ^ k1, low & MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return [c0, c1, c2, c3]


@given(st.integers(0, MASK), st.integers(0, 2), st.integers(0, 2**40))
def test_words_are_philox_with_the_row_as_counter(seed: int, domain: int, row: int) -> None:
    assert latents.words(seed, domain, row, 1).tolist() == [philox(row + 1, (seed, domain))]


@given(st.integers(0, MASK), st.integers(0, 2**40))
def test_a_row_is_its_sixteen_numbers_looked_up(seed: int, row: int) -> None:
    words = philox(row + 1, (seed, 0))
    numbers = [(word >> shift) & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert np.array_equal(latents.prior(seed, row, 1)[0], latents.quantiles()[numbers])


def test_a_golden_row() -> None:
    row = latents.prior(7, 0, 1)[0]
    assert row.tobytes().hex() == GOLDEN


def test_the_table_holds_the_normal_quantiles() -> None:
    exact = [NormalDist().inv_cdf((u + 0.5) / 65536) for u in range(65536)]
    np.testing.assert_allclose(latents.quantiles(), exact, rtol=1.2e-7)


def test_the_table_is_odd_and_ends_where_the_docs_say() -> None:
    table = latents.quantiles()
    assert np.array_equal(table, -table[::-1])
    assert f"{table[-1]:.3f}" == "4.325"


def test_blocks_can_be_made_alone_and_in_any_order() -> None:
    whole = latents.prior(3, 0, 300)
    assert np.array_equal(whole[100:300], latents.prior(3, 100, 200))


def test_seeds_and_domains_give_different_streams() -> None:
    streams = {latents.words(s, d, 0, 1).tobytes() for s in (0, 1, MASK) for d in (0, 1, 2)}
    assert len(streams) == 9


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=rf"^seed: {seed}, expected 0 to 2\^64 - 1$"):
        latents.prior(seed, 0, 1)
