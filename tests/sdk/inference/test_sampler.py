"""On an untrained model, which reaches a part of the space: what holds there holds for any model."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.proof import Witnesses
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Encoder, Workers
from ternary_sdk._internal.inference.sampler import Sampler
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

State = dict[str, npt.NDArray[np.float32]]

PLAIN = Dial()
DIALS = [PLAIN, Dial(explore=0.3), Dial(temperature=1.4), Dial(explore=1.0, temperature=0.5)]


def sampler(state: State, threads: int = 2) -> Sampler:
    graph, workers = decoder_graph(state, "A"), Workers(threads)
    encoder = Encoder(encoder_graph(state, "A"), "encoder_A.onnx", workers)
    decoder = Decoder(graph, "decoder_A.onnx", workers)
    claim = proof.certify("A", encoder, decoder, digest=hashlib.sha256(graph).hexdigest())
    return Sampler(decoder, proof.reprove(claim, encoder, decoder), claim.stream)


@pytest.fixture
def partial(untrained: Callable[[int], State]) -> Sampler:
    return sampler(untrained(1))


@pytest.mark.parametrize("dial", DIALS)
def test_every_row_carries_the_latent_that_decodes_to_it(partial: Sampler, dial: Dial) -> None:
    for rows in (partial.rows(5000, seed=1, dial=dial), partial.unique(1000, seed=1, dial=dial)):
        assert np.array_equal(partial._decoder.index(rows.latents), rows.index)


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize(("offset", "count"), [(0, 1), (1, 3000), (BLOCK, BLOCK), (BLOCK - 1, 2), (5, 0)])
def test_a_request_may_be_split_anywhere(partial: Sampler, dial: Dial, offset: int, count: int) -> None:
    whole = partial.rows(3 * BLOCK, seed=9, dial=dial)
    part = partial.rows(count, seed=9, dial=dial, offset=offset)
    assert np.array_equal(part.index, whole.index[offset : offset + count])
    assert np.array_equal(part.latents, whole.latents[offset : offset + count])


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(untrained: Callable[[int], State], partial: Sampler, threads: int) -> None:
    other = sampler(untrained(1), threads)
    dial = Dial(explore=0.2)
    for draw in ("rows", "unique"):
        one, two = (getattr(s, draw)(900, seed=4, dial=dial) for s in (partial, other))
        assert np.array_equal(one.index, two.index)
        assert np.array_equal(one.latents, two.latents)
    assert partial.count(100_000, seed=4, dial=dial) == other.count(100_000, seed=4, dial=dial)


def test_the_prior_is_the_stream_of_the_formats_document(partial: Sampler) -> None:
    rows = partial.rows(100, seed=12, dial=PLAIN)
    assert np.array_equal(rows.latents, CURRENT.prior(12, 0, 100))


@pytest.mark.parametrize("draws", [0, 1, BLOCK, 8 * BLOCK + 3, 300_000])
def test_counting_gives_the_set_that_the_rows_hold(partial: Sampler, draws: int) -> None:
    rows = partial.rows(draws, seed=2, dial=PLAIN)
    assert partial.count(draws, seed=2, dial=PLAIN) == OperationSet.of(rows.index)


@pytest.mark.parametrize("dial", DIALS)
def test_unique_rows_differ_pairwise_up_to_everything_reached(partial: Sampler, dial: Dial) -> None:
    reached = partial._witnesses.operations
    for count in (0, 1, 10, len(reached) - 1, len(reached)):
        rows = partial.unique(count, seed=3, dial=dial)
        assert len(rows.index) == len(set(rows.index.tolist())) == count
    assert OperationSet.of(rows.index) == reached


def test_one_more_than_reached_is_refused_with_the_number_reached(partial: Sampler) -> None:
    reached = len(partial._witnesses.operations)
    with pytest.raises(CoverageError) as refusal:
        partial.unique(reached + 1, seed=3, dial=PLAIN)
    assert str(refusal.value) == (
        f"{reached + 1:,} different operations were asked for, but the certified model reaches {reached:,}"
    )


def test_a_smaller_unique_draw_begins_a_larger_one(partial: Sampler) -> None:
    everything = partial.unique(len(partial._witnesses.operations), seed=8, dial=PLAIN)
    for count in (1, 500, 2000):
        assert np.array_equal(partial.unique(count, seed=8, dial=PLAIN).index, everything.index[:count])


def test_unique_rows_come_from_the_prior_in_order_of_first_occurrence(partial: Sampler) -> None:
    prior = partial.rows(20_000, seed=5, dial=PLAIN).index.tolist()
    certified = partial._witnesses.operations
    expected = [operation for operation in dict.fromkeys(prior) if operation in certified][:300]
    assert partial.unique(300, seed=5, dial=PLAIN).index.tolist() == expected


def test_two_seeds_order_the_last_operations_differently(partial: Sampler) -> None:
    reached = len(partial._witnesses.operations)
    ends = [partial.unique(reached, seed=seed, dial=PLAIN).index[-50:].tolist() for seed in (1, 2)]
    assert ends[0] != ends[1]


def test_full_exploration_draws_witnesses_uniformly(partial: Sampler) -> None:
    reached = partial._witnesses.operations
    rows = partial.rows(40 * len(reached), seed=6, dial=Dial(explore=1.0))
    counts = np.bincount(rows.index, minlength=TERNARY_2.size)[reached.indices]
    assert counts.sum() == 40 * len(reached)
    # Poisson counts of mean 40: chi-square per degree of freedom is 1 within a few percent.
    assert np.mean((counts - 40) ** 2 / 40) == pytest.approx(1, abs=0.15)


def test_the_share_explored_is_the_dial(partial: Sampler) -> None:
    plain = partial.rows(20_000, seed=6, dial=PLAIN).latents
    explored = partial.rows(20_000, seed=6, dial=Dial(explore=0.25)).latents
    assert np.mean((plain != explored).any(axis=1)) == pytest.approx(0.25, abs=0.015)


def test_exploring_a_model_that_reaches_nothing_is_refused(partial: Sampler) -> None:
    nothing = Witnesses(
        operations=OperationSet.of([]), latents=np.zeros((TERNARY_2.size, CURRENT.latent_size), np.float32)
    )
    with pytest.raises(CoverageError, match=r"^explore: the certified model reaches no operation"):
        Sampler(partial._decoder, nothing, CURRENT).rows(1, seed=1, dial=Dial(explore=1.0))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"explore": -0.1}, "explore: -0.1, expected 0 to 1"),
        ({"explore": float("nan")}, "explore: nan, expected 0 to 1"),
        ({"temperature": 0.0}, "temperature: 0.0, expected 0.01 to 100"),
        ({"temperature": 1e-320}, "temperature: 1e-320, expected 0.01 to 100"),
        ({"temperature": 0.0099}, "temperature: 0.0099, expected 0.01 to 100"),
        ({"temperature": float("nan")}, "temperature: nan, expected 0.01 to 100"),
        ({"temperature": float("inf")}, "temperature: inf, expected 0.01 to 100"),
        ({"explore": "x"}, "explore: 'x', expected a number from 0 to 1"),
        ({"explore": None}, "explore: None, expected a number from 0 to 1"),
        ({"explore": True}, "explore: True, expected a number from 0 to 1"),
        ({"temperature": [1]}, "temperature: [1], expected a number from 0.01 to 100"),
        ({"temperature": True}, "temperature: True, expected a number from 0.01 to 100"),
    ],
)
def test_a_dial_out_of_range_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Dial(**setting)
    assert str(refusal.value) == message
