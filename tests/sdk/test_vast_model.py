"""Models of a vast space at work: drawn, drawn uniquely, and drawn anew, under a license that counts."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builds import MOMENT, built
from tests.networks import thresholds, untrained_of

from ternary_export.packaging import package
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import Model
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Floats, Workers
from ternary_sdk._internal.inference.vast_proof import Replayed
from ternary_sdk._internal.streams.stream import EXPLORATION
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import CoverageError, InputError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

VAST = Space(4, 2)
SIGNATURE = Signature(VAST, 16, ("A",))
ODD = Signature(Space(3, 3), 32, ("A",))
"""At a low temperature all its draws are of one operation, that of the middle value."""
LISTED = Signature(Space(2, 3), 8, ("A",))


def packed(build: Any, vendor: KeyRing) -> bytes:
    return package(build, name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))


@pytest.fixture(scope="module")
def perfect(vendor: KeyRing) -> bytes:
    """A package whose every operation has a witness, and whose draws are as good as uniform."""
    return packed(built(SIGNATURE, thresholds(SIGNATURE), draws=100_000, operations=2000), vendor)


@pytest.fixture(scope="module")
def odd(vendor: KeyRing) -> bytes:
    return packed(built(ODD, thresholds(ODD), draws=2000, operations=2000), vendor)


@pytest.fixture(scope="module")
def without_encoder(vendor: KeyRing) -> bytes:
    return packed(built(ODD, thresholds(ODD), encoders=False, draws=2000), vendor)


@pytest.fixture(scope="module")
def listed(vendor: KeyRing) -> bytes:
    return packed(built(LISTED, untrained_of(LISTED)), vendor)


Opener = Callable[..., Model]


@pytest.fixture
def opened(vendor: KeyRing, tmp_path: Path) -> Iterator[Opener]:
    """Opens a package under a license with a quota."""
    models: list[Model] = []

    def open_(data: bytes, *, quota: int | None = 1 << 40) -> Model:
        model = Model.open(
            data,
            license=licensed(vendor, quota),
            trust=vendor.trust.data,
            state=tmp_path / "state",
            threads=2,
        )
        models.append(model)
        return model

    yield open_
    for model in models:
        model.close()


def licensed(vendor: KeyRing, quota: int | None) -> bytes:
    terms = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))
    return issue(
        vendor, package=[terms], customer="Initech", now=MOMENT, unique_operations=quota, license_id="L-17"
    )


def refusal_of(kind: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as refusal:
        call()
    return str(refusal.value)


def test_what_is_drawn_decodes_encodes_back_and_is_metered(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    draw = model.sample(3000, seed=7)
    assert (draw.index.dtype, draw.operations.shape) == (np.int64, (3000, 16))
    assert np.array_equal(model.decode(draw.latents), draw.operations)
    assert np.array_equal(model.decode(model.encode(draw.operations)), draw.operations)
    again = [model.sample(n, seed=7, offset=start) for n, start in ((1000, 0), (2000, 1000))]
    assert np.array_equal(np.concatenate([part.index for part in again]), draw.index)
    assert model.drawn() == draw.set
    assert model.count(3000, seed=7) == len(draw.set) == model.drawn_in_all()
    parts = list(model.sample_in_parts(3000, seed=7))
    assert np.array_equal(np.concatenate([part.index for part in parts]), draw.index)
    assert model.drawn() == draw.set


def test_explored_rows_are_the_posterior_means_of_uniform_operations(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    plain, explored = model.sample(5000, seed=3), model.sample(5000, seed=3, explore=0.3)
    stream = model.package.coverage("A").stream
    words = stream.words(3, EXPLORATION, 0, 5000)
    chosen = (words[:, 0] >> np.uint64(11)) * 2.0**-53 < 0.3
    wanted = (words[:, 1] % np.uint64(VAST.size)).astype(np.int64)
    assert np.array_equal(explored.index, np.where(chosen, wanted, plain.index))
    assert np.array_equal(explored.latents[~chosen], plain.latents[~chosen])


def test_explored_operation_without_a_witness_leaves_the_prior_draw(vendor: KeyRing, opened: Opener) -> None:
    model = opened(packed(built(SIGNATURE, untrained_of(SIGNATURE), draws=2000, operations=2000), vendor))
    plain, explored = model.sample(2048, seed=3), model.sample(2048, seed=3, explore=1.0)
    assert np.array_equal(explored.index, plain.index)


def test_unique_rows_are_first_occurrences_and_then_uniform_operations(odd: bytes, opened: Opener) -> None:
    """A temperature at which draws repeat: the search ends with the first block, which brings one."""
    model, dial = opened(odd), {"seed": 5, "temperature": 0.01}
    draw = model.sample(4000, unique=True, **dial)
    assert len(draw.set) == 4000
    drawn = model.sample(BLOCK, **dial).index
    _, first = np.unique(drawn, return_index=True)
    prior = drawn[np.sort(first)]
    assert len(prior) < BLOCK / 10
    stream = model.package.coverage("A").stream
    uniform = stream.uniform(5, 0, 4000 - len(prior), ODD.space)
    assert np.array_equal(draw.index, [*prior, *uniform])
    assert np.array_equal(ODD.space.to_index(model.decode(draw.latents)), draw.index)
    fewer = model.sample(2500, unique=True, **dial)
    assert np.array_equal(fewer.index, draw.index[:2500])


def test_unique_draws_repeat_nothing_where_the_stream_repeats(opened: Opener, vendor: KeyRing) -> None:
    signature = Signature(Space(8, 1), 8, ("A",))
    build = built(signature, thresholds(signature), draws=2000, operations=2000)
    model = opened(packed(build, vendor))
    rows = model.sample(200_000, seed=2)
    unique = model.sample(150_000, unique=True, seed=2)
    assert len(rows.set) < 199_500
    clear = rows.index[margins(model, rows.latents, signature) >= 0.0005]
    assert len(clear) < len(rows.index)
    _, first = np.unique(clear, return_index=True)
    assert np.array_equal(unique.index, clear[np.sort(first)][:150_000])
    assert unique.index.dtype == np.int32


def margins(model: Model, latents: Floats, signature: Signature) -> Floats:
    with Workers(1) as workers:
        decoder = Decoder(model.package.graphs["decoder_A.onnx"], "decoder", workers, signature)
        return decoder.decode(latents).margin


@pytest.mark.parametrize("new", [False, True])
def test_no_unique_row_is_a_near_tie(perfect: bytes, odd: bytes, opened: Opener, new: bool) -> None:
    """So each of them decodes to its operation on another machine too; rows are what the stream gives."""
    model, asked = opened(perfect), {"new": True} if new else {"unique": True}
    assert margins(model, model.sample(20_000, seed=7).latents, SIGNATURE).min() < 0.0005
    assert margins(model, model.sample(20_000, seed=7, **asked).latents, SIGNATURE).min() >= 0.0005
    model = opened(odd)
    appended = model.sample(4000, seed=5, temperature=0.01, **asked)
    assert margins(model, appended.latents, ODD).min() >= 0.0005


def test_draws_that_are_all_near_ties_give_way_to_uniform_operations(perfect: bytes, opened: Opener) -> None:
    """At the least temperature most latents are close to the cut at 0."""
    model, dial = opened(perfect), {"seed": 5, "temperature": 0.01}
    clear = margins(model, model.sample(BLOCK, **dial).latents, SIGNATURE) >= 0.0005
    assert 0 < np.count_nonzero(clear) < BLOCK
    draw = model.sample(3000, unique=True, **dial)
    assert len(draw.set) == 3000
    assert margins(model, draw.latents, SIGNATURE).min() >= 0.0005


def test_draws_that_run_dry_without_an_encoder_are_refused_before_anything_is_counted(
    without_encoder: bytes, opened: Opener
) -> None:
    model = opened(without_encoder)
    assert len(model.sample(3000, unique=True, seed=5).set) == 3000
    before = model.drawn()
    sentence = "different operations: the draws ran dry, and the path has no encoder to make others from"
    assert (
        refusal_of(CoverageError, lambda: model.sample(3000, unique=True, seed=5, temperature=0.01))
        == sentence
    )
    explored = "explore: the path has no encoder, so no operation can be given a latent"
    assert refusal_of(CoverageError, lambda: model.sample(10, explore=0.5)) == explored
    assert model.drawn() == before


def test_draws_and_uniform_operations_that_run_dry_are_refused(vendor: KeyRing, opened: Opener) -> None:
    model = opened(packed(built(SIGNATURE, untrained_of(SIGNATURE), draws=2000, operations=2000), vendor))
    told = refusal_of(CoverageError, lambda: model.sample(9000, unique=True, temperature=0.01))
    assert told == (
        "different operations: the draws ran dry, and of the last 65,536 uniform operations only 0 are "
        "others that have a witness"
    )
    assert len(model.drawn()) == 0


def test_quota_refuses_a_vast_draw_before_anything_is_counted(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect, quota=100)
    with pytest.raises(LicenseError) as refusal:
        model.sample(101, unique=True)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert len(model.drawn()) == 0


@pytest.mark.parametrize("what", ["reachable", "margins"])
def test_what_only_a_listed_space_has_is_refused(perfect: bytes, opened: Opener, what: str) -> None:
    model = opened(perfect)
    assert refusal_of(InputError, getattr(model, what)) == (
        f"{what}: 4,2 is a vast space of 4,294,967,296 operations, which are not listed one by one; "
        "its certificate states the share of them that is reachable"
    )


def test_more_draws_than_a_set_is_kept_of_are_refused(perfect: bytes, opened: Opener) -> None:
    assert refusal_of(InputError, lambda: opened(perfect).count(10_000_001, seed=1)) == (
        "draws: 10,000,001 of the vast space 4,2, expected at most 10,000,000, whose set is kept in memory; "
        "'ternary verify --recount' counts more"
    )


def test_certified_draws_are_replayed_in_whole_or_in_blocks(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    assert model.replay() == Replayed(blocks=2, counted=True)
    assert model.replay(blocks=1) == Replayed(blocks=1, counted=False)
    assert refusal_of(InputError, lambda: model.replay(blocks=3)) == "blocks: 3, expected 0 to 2"


def test_listed_spaces_are_not_replayed_in_blocks(listed: bytes, opened: Opener) -> None:
    assert refusal_of(InputError, lambda: opened(listed).replay(blocks=1)) == (
        "blocks: 1 of the listed space 2,3, which is replayed whole"
    )


def test_new_draws_differ_from_all_that_was_returned(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    first = model.sample(3000, seed=4)
    new = model.sample(2000, new=True, seed=4)
    assert (len(new.set), len(new.set & first.set)) == (2000, 0)
    rows = model.sample(1500, seed=4, offset=3000)
    clear = rows.index[margins(model, rows.latents, SIGNATURE) >= 0.0005]
    assert np.array_equal(new.index[:1000], clear[:1000])
    assert np.array_equal(VAST.to_index(model.decode(new.latents)), new.index)
    assert len(model.sample(0, new=True)) == 0


def test_new_draws_of_one_seed_go_on_after_the_draws_ran_dry(odd: bytes, opened: Opener) -> None:
    model, dial = opened(odd), {"seed": 5, "temperature": 0.01, "new": True}
    drawn = [model.sample(40_000, **dial).index for _ in range(3)]
    uniform = model.package.coverage("A").stream.uniform(5, 0, 119_999, ODD.space)
    assert np.array_equal(np.concatenate(drawn)[1:], uniform)


def test_new_draws_of_a_listed_space_end_when_everything_was_returned(listed: bytes, opened: Opener) -> None:
    model = opened(listed)
    reached = len(model.reachable())
    first = model.sample(reached - 5, new=True, seed=1)
    assert refusal_of(CoverageError, lambda: model.sample(6, new=True)) == (
        f"6 new operations were asked for, but of the {reached} that the certified model reaches "
        f"{reached - 5} were returned before"
    )
    last = model.sample(5, new=True, seed=1)
    assert first.set | last.set == model.reachable()
    assert not first.set & last.set


@pytest.mark.parametrize("name", ["perfect", "listed"])
def test_new_draws_without_a_meter_are_refused(
    name: str, opened: Opener, request: pytest.FixtureRequest
) -> None:
    model = opened(request.getfixturevalue(name), quota=None)
    assert refusal_of(InputError, lambda: model.sample(1, new=True)) == (
        "license L-17: has no quota, so it keeps no meter, and which operations it has returned is not known"
    )


def test_new_draws_do_not_begin_elsewhere(perfect: bytes, opened: Opener) -> None:
    assert refusal_of(InputError, lambda: opened(perfect).sample(1, new=True, offset=7)) == (
        "offset: 7 with new=True, expected 0, since uniqueness is per call"
    )


def test_what_another_process_had_first_is_drawn_again(
    perfect: bytes, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between drawing and committing, another process returns some of the same operations, twice."""
    model, other = opened(perfect), opened(perfect)
    permit = model._permit
    assert permit is not None
    count_new, taken = permit.count_new, list[OperationSet]()

    def raced(operations: OperationSet) -> OperationSet:
        if len(taken) < 2:
            taken.append(other.sample(400, seed=9, offset=300 * len(taken)).set)
        return count_new(operations)

    monkeypatch.setattr(permit, "count_new", raced)
    draw = model.sample(500, new=True, seed=9)
    expected = other.sample(500, seed=9, offset=700).index
    assert np.array_equal(draw.index, expected)
    assert not draw.set & (taken[0] | taken[1])


def draw_new(given: tuple[bytes, bytes, bytes, str, int]) -> list[int]:
    data, license, trust, state, rows = given
    with Model.open(data, license=license, trust=trust, state=Path(state), threads=1) as model:
        return [int(i) for _ in range(4) for i in model.sample(rows, new=True, seed=1).index]


def test_two_processes_that_draw_new_ones_at_once_share_none(
    listed: bytes, perfect: bytes, vendor: KeyRing, tmp_path: Path
) -> None:
    """Both ask for the rows of one seed, again and again, first of a listed space and then of a vast one."""
    license, trust = licensed(vendor, 1 << 40), vendor.trust.data
    each = [(listed, license, trust, str(tmp_path), 5), (perfect, license, trust, str(tmp_path), 300)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for given in each:
            one, other = pool.map(draw_new, [given, given])
            assert len({*one, *other}) == len(one) + len(other) == 8 * given[-1]
