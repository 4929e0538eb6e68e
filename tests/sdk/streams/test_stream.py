"""Both streams are checked against their generators written out from the papers, not against themselves."""

import shutil
import subprocess
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vectors.streams import MASK, WORDS, encrypt

from ternary_sdk._internal.streams.quantiles import quantiles
from ternary_sdk._internal.streams.stream import AES, CURRENT, PHILOX, STREAMS, Stream
from ternary_sdk.errors import FormatError, InputError

GOLDEN = {
    1: (
        "07a7074088b27abf1d1252bf4171913fe4012bbf9c25f53f6e2ac1bf85aa09bf"
        "0a31e73eece7f7be66745c3de17b4ebef82332be4e08023fd2194b3fed2b75be"
    ),
    2: (
        "85b9b23ed195afbea549b2bef65ca3bf7a76453f2769f4be75f814bf292586be"
        "23c1f63dde59a93d3fec9abf6776fd3d5f3990beb2ba55c061ab30beda0294bf"
    ),
}
"""Row 0 of seed 7 by version: sixteen little-endian float32."""

both = pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.generator)


def test_the_reference_is_aes() -> None:
    """FIPS 197, appendix C.1."""
    key, plain = bytes(range(16)), bytes(0x11 * i for i in range(16))
    assert encrypt(key, plain).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


@both
@given(st.integers(0, MASK), st.integers(0, 2), st.integers(0, 2**40))
def test_words_are_the_generators(stream: Stream, seed: int, domain: int, row: int) -> None:
    expected = WORDS[stream.version](seed, domain, row)
    assert stream.words(seed, domain, row, 1).tolist() == [expected]


@both
@given(st.integers(0, MASK), st.integers(0, 2**40))
def test_a_row_is_its_sixteen_numbers_looked_up(stream: Stream, seed: int, row: int) -> None:
    words = WORDS[stream.version](seed, 0, row)
    places = [(word >> shift) & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert np.array_equal(stream.prior(seed, row, 1)[0], quantiles()[places])


@both
def test_a_golden_row(stream: Stream) -> None:
    row = stream.prior(7, 0, 1)[0]
    assert row.tobytes().hex() == GOLDEN[stream.version]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command; install it")
def test_the_stock_tool_gives_the_same_words_as_the_formats_document_says() -> None:
    """Rows 5 and 6 of seed 7, domain 0."""
    key, counter = f"{7:016x}{0:016x}", f"{2 * 5:032x}"
    command = ["openssl", "enc", "-aes-128-ctr", "-K", key, "-iv", counter]
    made = subprocess.run(command, input=bytes(64), capture_output=True, check=True).stdout
    assert made == AES.words(7, 0, 5, 2).tobytes()


def test_new_certificates_speak_of_the_newest_stream() -> None:
    assert CURRENT is AES
    assert list(STREAMS.items()) == [(1, PHILOX), (2, AES)]


def test_the_table_holds_the_normal_quantiles() -> None:
    exact = [NormalDist().inv_cdf((u + 0.5) / 65536) for u in range(65536)]
    np.testing.assert_allclose(quantiles(), exact, rtol=1.2e-7)


def test_the_table_is_odd_and_ends_where_the_docs_say() -> None:
    table = quantiles()
    assert np.array_equal(table, -table[::-1])
    assert f"{table[-1]:.3f}" == "4.325"


@both
def test_blocks_can_be_made_alone_and_in_any_order(stream: Stream) -> None:
    whole = stream.prior(3, 0, 300)
    assert np.array_equal(whole[100:300], stream.prior(3, 100, 200))


@both
def test_a_reader_goes_on_where_it_stands(stream: Stream) -> None:
    read, parts = stream.prior_reader(3, 50), [np.empty((rows, 16), np.float32) for rows in (1, 70, 29)]
    for part in parts:
        read(part)
    assert np.array_equal(np.concatenate(parts), stream.prior(3, 50, 100))


def test_streams_seeds_and_domains_give_different_words() -> None:
    streams = {
        stream.words(s, d, 0, 1).tobytes()
        for stream in STREAMS.values()
        for s in (0, 1, MASK)
        for d in (0, 1, 2)
    }
    assert len(streams) == 18


@both
def test_rows_are_independent_standard_normal_deviates(stream: Stream) -> None:
    """Of 2^18 rows: moments, correlations between columns and between rows that follow each other."""
    rows = stream.prior(11, 0, 2**18).astype(np.float64)
    error = len(rows) ** -0.5
    assert np.abs(rows.mean(axis=0)).max() < 5 * error
    assert np.abs((rows**2).mean(axis=0) - 1).max() < 5 * 2**0.5 * error
    assert np.abs(np.corrcoef(rows.T) - np.eye(16)).max() < 5 * error
    assert np.abs((rows[1:] * rows[:-1]).mean(axis=0)).max() < 5 * error


@both
def test_numbers_of_numpy_are_numbers(stream: Stream) -> None:
    expected = stream.words(7, 0, 3, 2).tolist()
    assert stream.words(np.int64(7), 0, np.int64(3), 2).tolist() == expected  # type: ignore[arg-type]


@both
@pytest.mark.parametrize("start", [-1, 2**62 + 1])
def test_a_start_out_of_range_is_refused(stream: Stream, start: int) -> None:
    with pytest.raises(InputError, match=rf"^start: {start}, expected 0 to 2\^62$"):
        stream.prior(1, start, 1)
    assert stream.prior(1, 2**62, 1).shape == (1, 16)


@both
@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(stream: Stream, seed: int) -> None:
    with pytest.raises(InputError, match=rf"^seed: {seed}, expected 0 to 2\^64 - 1$"):
        stream.prior(seed, 0, 1)


@pytest.mark.parametrize("size", range(8, 65, 8))
@settings(max_examples=20)
@given(seed=st.integers(0, MASK), row=st.integers(0, 2**40))
def test_a_row_of_another_size_is_that_many_eighths_of_cipher_blocks(size: int, seed: int, row: int) -> None:
    """Row p of L latents is the cipher blocks p·L/8 onward, two bytes a latent."""
    key, blocks = seed.to_bytes(8, "big") + bytes(8), size // 8
    stream = b"".join(encrypt(key, (row * blocks + block).to_bytes(16, "big")) for block in range(blocks))
    places = np.frombuffer(stream, "<u2")
    assert np.array_equal(AES.of(size).prior(seed, row, 1)[0], quantiles()[places])


@pytest.mark.parametrize("size", [8, 24, 64])
def test_rows_of_another_size_are_read_on_as_they_are_read_at_once(size: int) -> None:
    stream = AES.of(size)
    read, parts = stream.prior_reader(3, 5), [np.empty((rows, size), np.float32) for rows in (1, 2048, 7)]
    for part in parts:
        read(part)
    assert np.array_equal(np.concatenate(parts), stream.prior(3, 5, 2056))


@given(seed=st.integers(0, MASK), domain=st.integers(1, 2), row=st.integers(0, 2**40))
def test_what_decides_does_not_depend_on_the_size(seed: int, domain: int, row: int) -> None:
    assert AES.of(64).words(seed, domain, row, 3).tolist() == AES.words(seed, domain, row, 3).tolist()


def test_version_1_has_rows_of_16_alone() -> None:
    assert PHILOX.of(16) == PHILOX
    with pytest.raises(FormatError) as refusal:
        PHILOX.of(8)
    assert str(refusal.value) == "latent stream: version 1 has rows of 16 latents, not of 8"
