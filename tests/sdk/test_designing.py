"""Drawing by property, nearness and walks under a license that counts."""

from collections.abc import Callable, Iterator
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
from ternary_sdk._internal.licensing.claims import Action
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import CoverageError, InputError, LicenseError, Reason
from ternary_sdk.logic import balanced, commutative
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space

VAST = Signature(Space(4, 2), 16, ("A",))
LISTED = Signature(Space(2, 3), 8, ("A",))
WHERE = "commutative & balanced"
ALL: tuple[Action, ...] = ("decode", "encode", "sample")

Opener = Callable[..., Model]


def packed(build: Any, vendor: KeyRing) -> bytes:
    return package(build, name="acme", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))


@pytest.fixture(scope="module")
def perfect(vendor: KeyRing) -> bytes:
    """A package of a vast space whose every operation has a witness."""
    return packed(built(VAST, thresholds(VAST), draws=2000, operations=2000), vendor)


@pytest.fixture(scope="module")
def listed(vendor: KeyRing) -> bytes:
    return packed(built(LISTED, untrained_of(LISTED)), vendor)


@pytest.fixture(scope="module")
def evaluation() -> Iterator[Model]:
    with Model.evaluation() as model:
        yield model


@pytest.fixture
def opened(vendor: KeyRing, tmp_path: Path) -> Iterator[Opener]:
    """Opens a package under a license, by default with a quota."""
    models: list[Model] = []

    def open_(data: bytes, *, quota: int | None = 1 << 40, actions: tuple[Action, ...] = ALL) -> Model:
        terms = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))
        license = issue(
            vendor,
            package=[terms],
            customer="Initech",
            now=MOMENT,
            entitlements=actions,
            unique_operations=quota,
            license_id="L-17",
        )
        model = Model.open(
            data, license=license, trust=vendor.trust.data, state=tmp_path / "state", threads=2
        )
        models.append(model)
        return model

    yield open_
    for model in models:
        model.close()


def refusal_of(kind: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as refusal:
        call()
    return str(refusal.value)


def test_all_commutative_balanced_operations_are_drawn_by_text_and_by_object(evaluation: Model) -> None:
    draw = evaluation.sample(36, unique=True, where=WHERE, seed=7)
    expected = (commutative & balanced).holds(TERNARY_2.tables, TERNARY_2)
    assert draw.set == OperationSet(expected)
    assert np.array_equal(evaluation.decode(draw.latents), draw.operations)
    again = evaluation.sample(36, unique=True, where=commutative & balanced, seed=7)
    assert np.array_equal(again.index, draw.index)
    assert np.array_equal(evaluation.sample(9, unique=True, where=WHERE, seed=7).index, draw.index[:9])


def test_draws_by_property_are_uniform(evaluation: Model) -> None:
    """Chi-square of 36 cells with 1,000 draws each; 66.6 is exceeded once in a thousand seeds."""
    draw = evaluation.sample(36_000, where=WHERE, seed=1)
    counts = np.unique(draw.index, return_counts=True)[1]
    assert len(counts) == 36
    assert ((counts - 1000) ** 2 / 1000).sum() < 66.6


def test_how_many_there_are_is_known_before(evaluation: Model) -> None:
    assert str(evaluation.matching(WHERE)) == (
        "36 operations are commutative & balanced; 36 of them are certified reachable"
    )
    assert str(evaluation.matching(like="-,?,+ / ?,0,? / ?,?,-", distinct_up_to="npn")).startswith(
        "243 operations are like(-,?,+/?,0,?/?,?,-); 243 of them are certified reachable, in "
    )
    assert str(evaluation.matching()) == (
        "19,683 operations are of the space 3,2; 19,683 of them are certified reachable"
    )
    assert refusal_of(CoverageError, lambda: evaluation.sample(37, unique=True, where=WHERE)) == (
        "37 different operations were asked for, but 36 operations are commutative & balanced; 36 of them "
        "are certified reachable"
    )


def test_classes_of_a_whole_space_are_drawn(evaluation: Model) -> None:
    assert len(evaluation.sample(84, distinct_up_to="values").set) == 84
    assert refusal_of(CoverageError, lambda: evaluation.sample(85, distinct_up_to="values")) == (
        "85 operations of different classes were asked for, but 19,683 operations are of the space 3,2; "
        "19,683 of them are certified reachable, in 84 classes up to values"
    )


def test_only_what_is_returned_is_counted(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect, quota=100)
    draw = model.sample(60, unique=True, where="commutative", seed=1)
    assert commutative.holds(draw.operations, VAST.space).all()
    assert model.drawn() == draw.set
    with pytest.raises(LicenseError) as refusal:
        model.sample(101, unique=True, where="latin", seed=1)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert model.drawn() == draw.set
    assert refusal_of(CoverageError, lambda: model.sample(577, unique=True, where="latin")) == (
        "577 different operations were asked for, but 576 operations are latin"
    )
    assert model.drawn() == draw.set


def test_new_draws_by_property_exhaust_the_set(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    first = model.sample(200, new=True, where="latin", seed=1)
    second = model.sample(376, new=True, where="latin", seed=1)
    assert len(first.set | second.set) == 576
    assert np.array_equal(
        model.sample(576, unique=True, where="latin", seed=1).index, [*first.index, *second.index]
    )
    assert refusal_of(CoverageError, lambda: model.sample(1, new=True, where="latin", seed=1)) == (
        "576 operations are latin; 0 have a witness, and 576 were returned before"
    )


def test_new_draws_of_a_listed_space_say_how_many_were_returned(listed: bytes, opened: Opener) -> None:
    model = opened(listed)
    matching = model.matching("balanced")
    reached = matching.reachable
    assert reached is not None
    assert 1 < reached < matching.operations == 70
    first = model.sample(1, new=True, where="balanced", seed=1)
    rest = model.sample(reached - 1, new=True, where="balanced", seed=2)
    assert len(first.set | rest.set) == reached
    assert refusal_of(CoverageError, lambda: model.sample(1, new=True, where="balanced")) == (
        f"1 new operation was asked for, but {matching}; {reached} were returned before"
    )


def test_new_draws_without_a_meter_are_refused(evaluation: Model) -> None:
    assert refusal_of(InputError, lambda: evaluation.sample(1, new=True, where=WHERE)) == (
        "license evaluation: has no quota, so it keeps no meter, and which operations it has returned is not "
        "known"
    )


def test_draw_by_property_without_the_right_to_sample_is_refused_first(
    perfect: bytes, opened: Opener
) -> None:
    model = opened(perfect, actions=("encode",))
    with pytest.raises(LicenseError) as refusal:
        model.sample(1, where="no such property")
    assert refusal.value.code is Reason.ENTITLEMENT_MISSING


def test_nearest_by_latent_are_those_of_a_search_through_all(evaluation: Model) -> None:
    latents = evaluation.encode(TERNARY_2.tables).astype(np.float64)
    middle = 15_633
    distances = np.linalg.norm(latents - latents[middle], axis=1)
    order = [one for one in np.argsort(distances, kind="stable") if one != middle]
    found = evaluation.near("MIN", 500)
    assert found.latent is not None
    assert (found.of, found.compared, len(found)) == (middle, 19_682, 500)
    assert found.index.tolist() == order[:500]
    assert np.array_equal(found.latent, distances[found.index])
    differ = TERNARY_2.tables[found.index] != TERNARY_2.tables[middle]
    assert found.hamming.tolist() == differ.sum(axis=1).tolist()


def test_nearest_in_a_vast_space_are_among_those_that_differ_in_two_cells(
    perfect: bytes, opened: Opener
) -> None:
    model = opened(perfect)
    found = model.near(12_345, 1128)
    assert found.compared == 16 * 3 + 120 * 9
    assert set(found.hamming.tolist()) == {1, 2}
    assert refusal_of(CoverageError, lambda: model.near(12_345, 1129)) == (
        "k: 1,129, but the model reaches only 1,128 other operations that differ in at most 2 cells"
    )


def test_nearness_counts_nothing_and_needs_the_right_to_encode(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect, quota=1, actions=("encode",))
    assert len(model.near(0, 20)) == 20
    assert model.drawn_in_all() == 0
    model = opened(perfect, actions=("decode", "sample"))
    with pytest.raises(LicenseError) as refusal:
        model.near(0)
    assert refusal.value.code is Reason.ENTITLEMENT_MISSING


def test_operation_that_is_not_reached_has_no_neighbours(listed: bytes, opened: Opener) -> None:
    model = opened(listed)
    missing = int(np.argmin(model.reachable().mask))
    message = f"operation {missing}: the model does not reach it, so it has no latent"
    assert refusal_of(CoverageError, lambda: model.near(missing)) == message
    assert refusal_of(CoverageError, lambda: model.walk(missing, missing)) == message


def test_walk_leads_from_the_one_to_the_other(evaluation: Model) -> None:
    walk = evaluation.walk("MIN", "ZRP", steps=200)
    ends = evaluation.encode(TERNARY_2.tables[[15_633, 19_569]])
    assert (walk.start, walk.end, walk.path) == (15_633, 19_569, evaluation.default_path)
    assert (walk.index[0], walk.index[-1]) == (15_633, 19_569)
    assert (walk.t[0], walk.t[-1]) == (0, 1)
    assert (np.diff(walk.t) > 0).all()
    assert (np.diff(walk.index) != 0).all()
    assert np.array_equal(walk.latents[[0, -1]], ends)
    assert np.allclose(walk.latents, (1 - walk.t)[:, None] * ends[0] + walk.t[:, None] * ends[1], atol=1e-6)
    assert np.array_equal(evaluation.decode(walk.latents), walk.operations)
    assert (walk.from_start[0], walk.from_start[-1], walk.to_end[-1]) == (0, 6, 0)
    assert walk.from_start.tolist() == (walk.operations != walk.operations[0]).sum(axis=1).tolist()
    assert walk.to_end.tolist() == (walk.operations != walk.operations[-1]).sum(axis=1).tolist()


def test_walk_from_an_operation_to_itself_is_one_row(evaluation: Model) -> None:
    walk = evaluation.walk("MIN", "MIN", steps=1)
    assert (walk.index.tolist(), walk.t.tolist(), walk.to_end.tolist()) == ([15_633], [0.0], [0])


def test_walk_is_counted_and_needs_the_rights_to_encode_and_decode(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect)
    walk = model.walk(0, VAST.space.size - 1, steps=50)
    assert model.drawn() == OperationSet.of(walk.index, VAST.space)
    for actions in (("encode",), ("decode",)):
        with pytest.raises(LicenseError) as refusal:
            opened(perfect, actions=actions).walk(0, 1)
        assert refusal.value.code is Reason.ENTITLEMENT_MISSING


def test_walk_over_the_quota_counts_nothing(perfect: bytes, opened: Opener) -> None:
    model = opened(perfect, quota=1)
    with pytest.raises(LicenseError) as refusal:
        model.walk(0, VAST.space.size - 1)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert model.drawn_in_all() == 0


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (0, "steps: 0, expected 1 to 1,000,000"),
        (1_000_001, "steps: 1000001, expected 1 to 1,000,000"),
        (1.5, "steps: 1.5, expected an integer"),
    ],
)
def test_steps_out_of_range_are_refused(evaluation: Model, steps: Any, message: str) -> None:
    assert refusal_of(InputError, lambda: evaluation.walk(0, 1, steps=steps)) == message
