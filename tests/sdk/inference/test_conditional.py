"""Draws by property, on models that reach a part of a space and on one that reaches all of a vast one."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.networks import thresholds, untrained_of

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.conditional import ConditionalDraws
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.drawing import Draws
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.inference.sampler import Sampler
from ternary_sdk._internal.inference.vast_sampler import VastSampler
from ternary_sdk._internal.logic.choice import Choice
from ternary_sdk._internal.logic.classes import Group, representatives
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.errors import CoverageError, InputError
from ternary_sdk.logic import balanced, commutative, counted, monotone, parse_condition
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space

State = dict[str, npt.NDArray[np.float32]]
PLAIN = Dial()
VAST = Signature(Space(3, 3), 32, ("A",))


@pytest.fixture
def partial(untrained: Callable[[int], State]) -> Sampler:
    state, workers = untrained(1), Workers(2)
    graph = decoder_graph(state, "A")
    encoder = Encoder(encoder_graph(state, "A"), "encoder_A.onnx", workers)
    decoder = Decoder(graph, "decoder_A.onnx", workers)
    claim = proof.certify("A", encoder, decoder, digest=hashlib.sha256(graph).hexdigest())
    return Sampler(decoder, proof.reprove(claim, encoder, decoder), claim.stream)


def of_vast(state: State, *, encoder: bool = True) -> VastSampler:
    workers = Workers(2)
    encoding = Encoder(encoder_graph(state, "A", VAST), "encoder_A.onnx", workers, VAST) if encoder else None
    decoding = Decoder(decoder_graph(state, "A", VAST), "decoder_A.onnx", workers, VAST)
    return VastSampler(decoding, encoding, CURRENT.of(VAST.latent_size))


@pytest.fixture(scope="module")
def vast() -> VastSampler:
    return of_vast(thresholds(VAST))


def draws(path: Draws, where: Any = None, up_to: str | None = None) -> ConditionalDraws:
    choice = Choice.of(path.space, where, None, up_to)
    assert choice is not None
    return ConditionalDraws(path, choice)


def refusal_of(kind: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as refusal:
        call()
    return str(refusal.value)


def decoded(path: Draws, latents: npt.NDArray[np.float32]) -> Any:
    return path._decoder.index(latents)


def test_all_that_are_reached_are_drawn_and_one_more_is_refused(partial: Sampler) -> None:
    chosen = draws(partial, balanced)
    expected = OperationSet(balanced.holds(TERNARY_2.tables, TERNARY_2)) & partial.reached
    assert 0 < len(expected) < 1680
    assert (chosen.matching.operations, chosen.matching.reachable) == (1680, len(expected))
    rows = chosen.unique(len(expected), seed=3, dial=PLAIN)
    assert OperationSet.of(rows.index) == expected
    assert np.array_equal(decoded(partial, rows.latents), rows.index)
    assert refusal_of(CoverageError, lambda: chosen.unique(len(expected) + 1, seed=3, dial=PLAIN)) == (
        f"{len(expected) + 1:,} different operations were asked for, but 1,680 operations are balanced; "
        f"{len(expected):,} of them are certified reachable"
    )


def test_smaller_draw_is_the_beginning_of_a_larger_one(partial: Sampler, vast: VastSampler) -> None:
    for chosen, most in ((draws(partial, balanced), 200), (draws(vast, "self-dual"), 5000)):
        rows = chosen.unique(most, seed=8, dial=PLAIN)
        for count in (0, 1, 77):
            fewer = chosen.unique(count, seed=8, dial=PLAIN)
            assert np.array_equal(fewer.index, rows.index[:count])
            assert np.array_equal(fewer.latents, rows.latents[:count])


def test_seeds_draw_differently(partial: Sampler) -> None:
    first, second = (draws(partial, balanced).unique(20, seed=seed, dial=PLAIN) for seed in (1, 2))
    assert first.index.tolist() != second.index.tolist()


def test_rows_with_repeats_are_uniform(partial: Sampler) -> None:
    chosen = draws(partial, balanced)
    reached = chosen.matching.reachable
    assert reached is not None
    counts = np.bincount(chosen.rows(100 * reached, seed=4, dial=PLAIN).index)
    assert np.count_nonzero(counts) == reached
    # Counts of mean 100: chi-square per degree of freedom is 1 within a few percent.
    assert ((counts[counts > 0] - 100) ** 2 / 100).mean() == pytest.approx(1, abs=0.2)


def test_all_symmetric_three_input_operations_are_drawn(vast: VastSampler) -> None:
    chosen, space = draws(vast, "symmetric"), VAST.space
    assert str(chosen.matching) == "59,049 operations are commutative"
    rows = chosen.unique(59_049, seed=1, dial=PLAIN)
    everything = counted(space, commutative)
    expected = OperationSet.of(everything.unrank(np.arange(everything.size)), space)
    assert OperationSet.of(rows.index, space) == expected
    assert np.array_equal(decoded(vast, rows.latents), rows.index)


def test_repeats_in_a_vast_space_are_members_with_their_latents(vast: VastSampler) -> None:
    rows = draws(vast, "balanced").rows(3000, seed=2, dial=PLAIN)
    assert parse_condition("balanced").holds(VAST.space.from_index(rows.index), VAST.space).all()
    assert np.array_equal(decoded(vast, rows.latents), rows.index)


@pytest.mark.parametrize("group", list(Group))
def test_one_of_each_class_is_drawn_and_one_more_is_refused(partial: Sampler, group: Group) -> None:
    chosen = draws(partial, balanced, group)
    classes = chosen.matching.classes
    assert classes is not None
    rows = chosen.unique(classes, seed=3, dial=PLAIN)
    found = representatives(rows.index, TERNARY_2, group)
    assert len(np.unique(found)) == classes
    assert balanced.holds(TERNARY_2.from_index(rows.index), TERNARY_2).all()
    assert np.array_equal(decoded(partial, rows.latents), rows.index)
    fewer = chosen.rows(5, seed=3, dial=PLAIN)
    assert np.array_equal(fewer.index, rows.index[:5])
    assert refusal_of(CoverageError, lambda: chosen.unique(classes + 1, seed=3, dial=PLAIN)) == (
        f"{classes + 1:,} operations of different classes were asked for, but {chosen.matching}"
    )


def test_classes_are_chosen_uniformly_and_then_their_members(partial: Sampler) -> None:
    chosen = draws(partial, commutative & balanced, "values")
    classes = chosen.matching.classes
    assert classes is not None
    assert classes > 1
    firsts = np.concatenate([chosen.unique(1, seed=seed, dial=PLAIN).index for seed in range(900)])
    _, counts = np.unique(representatives(firsts, TERNARY_2, Group.VALUES), return_counts=True)
    mean = 900 / classes
    assert ((counts - mean) ** 2 / mean).sum() < 16
    assert len(np.unique(firsts)) == chosen.matching.reachable


def test_classes_of_a_vast_space_are_drawn(vast: VastSampler) -> None:
    chosen = draws(vast, "symmetric", "npn")
    assert str(chosen.matching) == "59,049 operations are commutative, in 14,965 classes up to npn"
    rows = chosen.unique(14_965, seed=1, dial=PLAIN)
    assert len(np.unique(representatives(rows.index, VAST.space, Group.NPN))) == 14_965


def test_new_rows_leave_out_what_was_returned(partial: Sampler) -> None:
    chosen = draws(partial, balanced)
    before = chosen.unique(50, seed=1, dial=PLAIN)
    returned = OperationSet.of(before.index[:30])
    source = chosen.new(20, seed=1, dial=PLAIN, lacking=lambda operations: operations - returned)
    assert np.array_equal(source.take(20).index, before.index[30:])
    reached = chosen.matching.reachable
    assert reached is not None
    assert refusal_of(
        CoverageError,
        lambda: chosen.new(reached, seed=1, dial=PLAIN, lacking=lambda operations: operations - returned),
    ) == (f"{reached:,} new operations were asked for, but {chosen.matching}; 30 were returned before")


def test_condition_that_nothing_meets_is_refused(partial: Sampler) -> None:
    chosen, none = draws(partial, monotone & ~monotone), "no operation is monotone & not monotone"
    assert refusal_of(CoverageError, lambda: chosen.rows(1, seed=1, dial=PLAIN)) == none
    assert refusal_of(CoverageError, lambda: chosen.unique(1, seed=1, dial=PLAIN)) == (
        f"1 different operation was asked for, but {none}"
    )
    assert len(chosen.rows(0, seed=1, dial=PLAIN)) == len(chosen.unique(0, seed=1, dial=PLAIN)) == 0


def test_vast_operations_without_a_witness_are_left_out_until_they_run_dry() -> None:
    chosen = draws(of_vast(untrained_of(VAST)), "symmetric")
    assert refusal_of(CoverageError, lambda: chosen.unique(5, seed=1, dial=PLAIN)) == (
        "59,049 operations are commutative; 0 have a witness"
    )
    assert refusal_of(CoverageError, lambda: chosen.rows(5, seed=1, dial=PLAIN)) == (
        "59,049 operations are commutative; of the last 65,536 that were tried, 0 have a witness"
    )


def test_path_without_an_encoder_is_refused() -> None:
    chosen = draws(of_vast(thresholds(VAST), encoder=False), "symmetric")
    for call in (chosen.unique, chosen.rows):
        assert refusal_of(CoverageError, lambda call=call: call(5, seed=1, dial=PLAIN)) == (  # type: ignore[misc]
            "where: the path has no encoder, so no operation can be given a latent"
        )


@pytest.mark.parametrize(
    ("dial", "message"),
    [
        (Dial(explore=0.5), "explore: 0.5, expected 0"),
        (Dial(temperature=2.0), "temperature: 2.0, expected 1"),
    ],
)
def test_dials_of_the_prior_are_refused(partial: Sampler, dial: Dial, message: str) -> None:
    chosen = draws(partial, balanced)
    for call in (chosen.unique, chosen.rows):
        assert refusal_of(InputError, lambda call=call: call(1, seed=1, dial=dial)) == (  # type: ignore[misc]
            f"{message} where operations are chosen by property: their choice is uniform, and no prior is "
            "drawn from"
        )


def test_offset_is_refused(partial: Sampler) -> None:
    assert refusal_of(InputError, lambda: draws(partial, balanced).rows(1, seed=1, dial=PLAIN, offset=3)) == (
        "offset: 3, expected 0 where operations are chosen by property"
    )
