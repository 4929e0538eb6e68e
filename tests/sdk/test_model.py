import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ternary_sdk
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import CoverageError, InputError, LicenseError, Model, Reason, TernaryError, errors
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.model import PART
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Opener = Callable[..., Model]


@pytest.fixture
def opened(shipped: bytes, vendor: KeyRing, tmp_path: Path) -> Iterator[Opener]:
    """Opens the untrained package under a license of the given terms, at noon on 2026-03-01."""
    models: list[Model] = []
    identity = Package.read(shipped, vendor.trust).identity

    def open_(
        *, clock: Callable[[], datetime] = lambda: NOW, machine_id: str | None = None, **terms: object
    ) -> Model:
        granted = {
            "entitlements": ("encode", "decode", "sample"),
            "expires": NOW + timedelta(days=30),
            **terms,
        }
        token = issue(vendor, package=identity, customer="Initech", now=NOW - timedelta(days=1), **granted)  # type: ignore[arg-type]
        model = Model.open(
            shipped,
            license=token,
            trust=vendor.trust.data,
            machine_id=machine_id,
            state=tmp_path / "state",
            clock=clock,
        )
        models.append(model)
        return model

    yield open_
    for model in models:
        model.close()


def test_what_is_drawn_decodes_and_encodes_back(opened: Opener) -> None:
    model = opened()
    draw = model.sample(500, unique=True, seed=7)
    assert draw.operations.shape == (500, 9)
    assert (draw.operations.dtype, draw.index.dtype, draw.latents.dtype) == (np.int8, np.int32, np.float32)
    assert np.array_equal(model.decode(draw.latents), draw.operations)
    assert model.encode(draw.operations).shape == (500, 16)
    assert len(set(draw.index.tolist())) == 500


def test_everything_reachable_has_the_digest_that_the_certificate_states(opened: Opener) -> None:
    model = opened()
    for path in "AB":
        reached = model.reachable(path=path)
        draw = model.sample(len(reached), unique=True, seed=1, path=path)
        assert draw.digest == model.package.coverage(path).reachable.operations.digest == reached.digest


def test_one_more_than_reachable_is_refused_before_anything_is_counted(opened: Opener) -> None:
    model = opened(unique_operations=19_683)
    with pytest.raises(
        CoverageError, match="different operations were asked for, but the certified model reaches"
    ):
        model.sample(len(model.reachable()) + 1, unique=True)
    assert len(model._permit.ledger.drawn(model.license.id)) == 0  # type: ignore[union-attr]


def test_the_default_path_has_the_higher_certified_coverage(opened: Opener) -> None:
    model = opened()
    best = max(model.certificate.paths, key=lambda path: path.at(50_000).operations)
    assert model.default_path == model.sample(1, seed=1).path == best.path


def test_the_certificates_own_draws_can_be_counted_without_a_license(shipped: bytes, vendor: KeyRing) -> None:
    with Model.open(shipped, trust=vendor.trust.data) as model:
        certified = model.package.coverage("A")
        found = model.count(50_000, seed=certified.seed, path="A")
        near = sum(row < 50_000 for row in certified.near_ties)
        assert certified.at(50_000).operations <= found <= certified.at(50_000).operations + near


@pytest.mark.parametrize("action", ["encode", "decode", "sample"])
def test_without_a_license_every_call_is_refused(shipped: bytes, vendor: KeyRing, action: str) -> None:
    with Model.open(shipped, trust=vendor.trust.data) as model, pytest.raises(LicenseError) as refusal:
        getattr(model, action)(1)
    assert refusal.value.code is Reason.NOT_FOUND
    assert (
        str(refusal.value)
        == f"{action} needs a license and none was given; pass license= or '--license FILE'"
    )


def test_an_action_that_is_not_granted_is_refused(opened: Opener) -> None:
    model = opened(entitlements=("encode",))
    model.encode(TERNARY_2.tables[:3])
    for action in ("decode", "sample"):
        with pytest.raises(LicenseError) as refusal:
            getattr(model, action)(1)
        assert refusal.value.code is Reason.ENTITLEMENT_MISSING


def test_a_license_that_ends_while_the_model_is_open_refuses_the_next_call(opened: Opener) -> None:
    moments = [NOW]
    model = opened(clock=lambda: moments[0], expires=NOW + timedelta(hours=1))
    model.sample(1)
    moments[0] += timedelta(hours=2)
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.EXPIRED


@pytest.fixture
def another_license(shipped: bytes, vendor: KeyRing) -> Callable[..., bytes]:
    """Issues a license for the untrained package of the given terms, as ``opened`` does."""
    identity = Package.read(shipped, vendor.trust).identity

    def make(**terms: object) -> bytes:
        granted = {"entitlements": ("sample",), "expires": NOW + timedelta(days=60), **terms}
        return issue(vendor, package=identity, customer="Initech", now=NOW - timedelta(hours=1), **granted)  # type: ignore[arg-type]

    return make


def test_an_open_model_goes_on_under_a_renewed_license(
    opened: Opener, another_license: Callable[..., bytes]
) -> None:
    now = [NOW]
    model = opened(clock=lambda: now[0])
    now[0] += timedelta(days=31)
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.EXPIRED
    model.relicense(another_license(license_id="L-renewed"))
    assert len(model.sample(10, unique=True).index) == 10
    assert (model.license and model.license.id) == "L-renewed"
    now[0] += timedelta(days=31)
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.EXPIRED


def test_a_license_that_is_refused_leaves_the_present_one(
    opened: Opener, another_license: Callable[..., bytes]
) -> None:
    model = opened()
    before = model.license
    token = another_license()
    with pytest.raises(LicenseError) as refusal:
        model.relicense(token[:-4] + b"AAAA")
    assert refusal.value.code is Reason.SIGNATURE_INVALID
    assert model.license is before
    model.sample(1)


def test_a_call_is_counted_under_the_license_it_began_with(
    opened: Opener, another_license: Callable[..., bytes]
) -> None:
    new = another_license(unique_operations=5)
    model = opened(unique_operations=100, clock=lambda: (model.relicense(new), NOW)[1])
    before = model._permit
    drawn = model.sample(20, unique=True, seed=1)
    assert before.ledger.drawn(before.license.id).digest == drawn.digest  # type: ignore[union-attr]
    assert len(model.drawn()) == 0
    with pytest.raises(LicenseError) as refusal:
        model.sample(20, unique=True, seed=1)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED


def test_a_license_for_another_package_is_refused(shipped: bytes, vendor: KeyRing) -> None:
    identity = Package.read(shipped, vendor.trust).identity
    other = type(identity)(name=identity.name, version=identity.version, digest="0" * 64)
    token = issue(
        vendor,
        package=other,
        customer="Initech",
        now=NOW,
        expires=NOW + timedelta(days=1),
        entitlements=("sample",),
    )
    with Model.open(shipped, license=token, trust=vendor.trust.data, clock=lambda: NOW) as model:
        with pytest.raises(LicenseError) as refusal:
            model.sample(1)
        assert refusal.value.code is Reason.PACKAGE_MISMATCH


def test_a_license_for_another_machine_is_refused(opened: Opener) -> None:
    model = opened(machines=("m-" + "0" * 32,), machine_id="pod-7")
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.MACHINE_MISMATCH


def test_the_quota_counts_each_operation_once_and_refuses_a_call_whole(opened: Opener) -> None:
    model = opened(unique_operations=100)
    first = model.sample(60, unique=True, seed=1)
    model.sample(60, unique=True, seed=1)
    model.decode(first.latents)
    with pytest.raises(LicenseError) as refusal:
        model.sample(110, unique=True, seed=1)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert model._permit.ledger.drawn(model.license.id) == first.set  # type: ignore[union-attr]
    assert len(model.sample(100, unique=True, seed=1)) == 100


def test_a_license_without_a_quota_touches_no_ledger(opened: Opener, tmp_path: Path) -> None:
    model = opened()
    model.decode(model.sample(100).latents)
    assert not (tmp_path / "state" / "ledger.sqlite3").exists()


def test_a_license_without_an_end_or_a_quota_needs_no_state_at_all(opened: Opener, tmp_path: Path) -> None:
    model = opened(expires=None)
    model.decode(model.sample(100).latents)
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_goes_back_is_refused_by_a_running_process(opened: Opener) -> None:
    moments = iter([NOW, NOW + timedelta(days=2), NOW + timedelta(days=1)])
    model = opened(clock=lambda: next(moments))
    model.sample(1)
    model.sample(1)
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK


def test_no_rows_are_an_empty_result(opened: Opener) -> None:
    model = opened(unique_operations=1)
    for unique in (False, True):
        draw = model.sample(0, unique=unique)
        assert (len(draw), draw.operations.shape, draw.latents.shape) == (0, (0, 9), (0, 16))
        assert draw.digest == OperationSet.of([]).digest
    assert model.encode(np.zeros((0, 9))).shape == (0, 16)
    assert model.decode(np.zeros((0, 16))).shape == (0, 9)


@pytest.mark.parametrize(
    "rows", [1, PART, PART + 1, 2 * PART + 5], ids=["one row", "one part", "a row more", "three parts"]
)
def test_in_parts_a_draw_has_the_rows_it_has_as_a_whole(opened: Opener, rows: int) -> None:
    model = opened()
    whole = model.sample(rows, seed=3, path="A", explore=0.3, temperature=1.2)
    parts = list(model.sample_in_parts(rows, seed=3, path="A", explore=0.3, temperature=1.2))
    assert [len(part) for part in parts[:-1]] == [PART] * ((rows - 1) // PART)
    assert np.array_equal(np.concatenate([part.index for part in parts]), whole.index)
    assert np.array_equal(np.concatenate([part.latents for part in parts]), whole.latents)
    assert {(part.seed, part.path) for part in parts} == {(3, "A")}


def test_no_rows_are_one_empty_part(opened: Opener) -> None:
    (part,) = opened(unique_operations=1).sample_in_parts(0)
    assert (len(part), part.latents.shape) == (0, (0, 16))


def test_parts_are_counted_together_before_the_first_is_given(opened: Opener) -> None:
    model = opened(unique_operations=19_683)
    whole = OperationSet.of(model.sample(3 * PART, seed=4).index)
    before = model.drawn()
    parts = model.sample_in_parts(3 * PART, seed=5)
    counted = model.drawn()
    drawn = OperationSet.of(np.concatenate([part.index for part in parts]))
    assert counted == before | drawn
    assert counted != before == whole


def test_parts_that_would_exceed_the_quota_are_refused_at_once_and_whole(opened: Opener) -> None:
    model = opened(unique_operations=100)
    with pytest.raises(LicenseError) as refusal:
        model.sample_in_parts(3 * PART, seed=5)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert len(model.drawn()) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 10_000_001}, "n: 10000001, expected 0 to 10,000,000"),
        ({"n": 1, "seed": -1}, "seed: -1, expected 0 to 18,446,744,073,709,551,615"),
        ({"n": 1, "path": "C"}, "path: 'C', expected A or B"),
        ({"n": 1, "temperature": 0}, "temperature: 0, expected 0.01 to 100"),
    ],
)
def test_in_parts_an_argument_out_of_range_is_refused_at_once(
    opened: Opener, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        opened().sample_in_parts(**arguments)
    assert str(refusal.value) == message


def test_the_same_seed_gives_the_same_rows_and_no_seed_fresh_ones_that_can_be_repeated(
    opened: Opener,
) -> None:
    model = opened()
    fresh, other = model.sample(50), model.sample(50)
    assert fresh.seed != other.seed
    assert np.array_equal(model.sample(50, seed=fresh.seed).latents, fresh.latents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n: -1, expected 0 to 10,000,000"),
        ({"n": 10_000_001}, "n: 10000001, expected 0 to 10,000,000"),
        ({"n": 1.0}, "n: 1.0, expected an integer"),
        ({"n": True}, "n: True, expected 0 to 10,000,000"),
        ({"n": 1, "seed": -1}, "seed: -1, expected 0 to 18,446,744,073,709,551,615"),
        ({"n": 1, "path": "C"}, "path: 'C', expected A or B"),
        ({"n": 1, "path": ""}, "path: '', expected A or B"),
        ({"n": 1, "path": []}, "path: [], expected A or B"),
        ({"n": 1, "explore": "x"}, "explore: 'x', expected a number from 0 to 1"),
        ({"n": 1, "explore": 2}, "explore: 2, expected 0 to 1"),
        ({"n": 1, "offset": -5}, "offset: -5, expected 0 to 4,611,686,018,427,387,904"),
        (
            {"n": 1, "unique": True, "offset": 1},
            "offset: 1 with unique=True, expected 0, since uniqueness is per call",
        ),
    ],
)
def test_an_argument_out_of_range_is_refused(
    opened: Opener, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        opened().sample(**arguments)
    assert str(refusal.value) == message


def test_numpy_integers_are_integers(opened: Opener) -> None:
    assert len(opened().sample(np.int64(3), seed=np.uint8(1))) == 3


@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_model_closed_by_another_thread_during_a_call_says_so(opened: Opener, rows: int) -> None:
    """The clock is asked in the middle of the call: that is where the other thread closes the model."""
    closing: list[Model] = []

    def clock() -> datetime:
        for model in closing:
            thread = threading.Thread(target=model.close)
            thread.start()
            thread.join()
        return NOW

    model = opened(clock=clock)
    closing.append(model)
    with pytest.raises(InputError) as refusal:
        model.sample(rows, seed=1)
    assert str(refusal.value) == "model: it was closed, open it again"


def test_a_closed_model_refuses(opened: Opener) -> None:
    model = opened()
    model.close()
    with pytest.raises(InputError, match=r"^model: it was closed, open it again$"):
        model.sample(1)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path, vendor: KeyRing) -> None:
    missing = tmp_path / "none.ternary"
    with pytest.raises(InputError) as refusal:
        Model.open(missing, trust=vendor.trust.data)
    assert str(refusal.value) == f"{missing}: cannot be read (No such file or directory)"


@pytest.mark.parametrize("wrong", [{"file": 5}, {"license": 5}, {"trust": None}])
def test_what_is_neither_a_path_nor_bytes_is_refused(
    shipped: bytes, vendor: KeyRing, wrong: dict[str, Any]
) -> None:
    (found,) = wrong.values()
    with pytest.raises(InputError) as refusal:
        Model.open(**{"file": shipped, "trust": vendor.trust.data, **wrong})
    assert str(refusal.value) == f"{found!r}: expected a file's path or its bytes"


def test_a_clock_that_ran_ahead_is_remembered_though_nothing_was_granted(opened: Opener) -> None:
    with pytest.raises(LicenseError) as refusal:
        opened(clock=lambda: NOW + timedelta(days=5000)).sample(1)
    assert refusal.value.code is Reason.EXPIRED
    with pytest.raises(LicenseError) as refusal:
        opened().sample(1)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK


def test_every_refusal_can_be_imported_from_the_package() -> None:
    kinds = {
        name for name, kind in vars(errors).items() if getattr(kind, "__module__", "") == errors.__name__
    }
    assert kinds <= set(ternary_sdk.__all__)
    assert all(getattr(ternary_sdk, name) is getattr(errors, name) for name in kinds)


@pytest.mark.parametrize("kept", [0, 1, 100, 5000, -1])
def test_a_truncated_package_is_refused(shipped: bytes, vendor: KeyRing, kept: int) -> None:
    with pytest.raises(TernaryError):
        Model.open(shipped[:kept], trust=vendor.trust.data)


def test_a_file_swapped_after_opening_changes_nothing(
    shipped: bytes, vendor: KeyRing, tmp_path: Path
) -> None:
    file = tmp_path / "acme-1.0.0.ternary"
    file.write_bytes(shipped)
    with Model.open(file, trust=vendor.trust.data) as model:
        before = model.count(1000, seed=1)
        file.write_bytes(b"something else")
        assert model.count(1000, seed=1) == before


def test_many_threads_draw_what_one_would(opened: Opener) -> None:
    model = opened(unique_operations=19_683)
    alone = {seed: model.sample(5000, seed=seed).digest for seed in range(6)}
    found: dict[int, str] = {}

    def work(seed: int) -> None:
        found[seed] = model.sample(5000, seed=seed).digest

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_a_forked_child_draws_the_same_and_counts_on_the_same_meter(opened: Opener) -> None:
    model = opened(unique_operations=19_683)
    first = model.sample(5000, seed=1)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(model.sample(5000, seed=2).digest))
    child.start()
    assert receiver.poll(60)
    found = receiver.recv()
    child.join(60)
    assert child.exitcode == 0
    counted = model.drawn()
    second = model.sample(5000, seed=2)
    assert found == second.digest
    assert counted == OperationSet.of([*first.index, *second.index])


def drawn_by_the_evaluation_model(seed: int) -> str:
    with Model.evaluation() as model:
        return model.sample(15_000, unique=True, seed=seed).digest


def test_a_spawned_process_draws_the_same() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(drawn_by_the_evaluation_model, 7).result(timeout=120)
    assert found == drawn_by_the_evaluation_model(7)


def test_a_draw_shows_itself(opened: Opener) -> None:
    draw = opened().sample(20, unique=True, seed=3)
    assert repr(draw).startswith("<Draw of 20 rows, 20 different operations of 19,683, path ")
    html = draw._repr_html_()
    assert html.count("<tr>") == 11
    assert "… and 10 more" in html


def test_the_trust_of_another_vendor_is_refused(shipped: bytes, tmp_path: Path) -> None:
    from ternary_license_server.keys import keyring

    other = keyring.create(tmp_path / "keys", "Acme Logic", NOW)
    with pytest.raises(TernaryError, match="is not in the key set of Acme Logic"):
        Model.open(shipped, trust=other.trust.data)
    assert Trust.read(other.trust.data).vendor == "Acme Logic"
