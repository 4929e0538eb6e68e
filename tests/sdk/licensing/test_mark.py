from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing import clock, mark
from ternary_sdk._internal.licensing.clock import Clock
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.mark import MAX_DENIALS, Denial, Mark, Versions
from ternary_sdk.errors import LicenseError, Reason

SECOND = timedelta(seconds=1)


@pytest.fixture
def key(tmp_path: Path, now: datetime) -> Installation:
    return clock.establish(tmp_path / "state", now, signed=now)


def denial(license_id: str, issued: datetime, code: Reason = Reason.SUSPENDED) -> Denial:
    return Denial(license=license_id, code=code, issued=issued)


def test_everything_is_read_back_as_it_was_written(key: Installation, now: datetime) -> None:
    kept = Mark(
        time=now,
        signed=now - SECOND,
        versions=Versions(key_set=7, revocations=3),
        denials=(denial("L-1", now), denial("L-2", now, Reason.LEASE_LOST)),
    )
    mark.write(key, kept)
    assert mark.read(key) == kept == mark.find(key.directory)


def test_denial_meets_the_license_it_ended_and_earlier_ones(now: datetime) -> None:
    seen = Mark(time=now, signed=now).denying(denial("L-1", now))
    assert seen.denial("L-1", now) == seen.denial("L-1", now - SECOND) == denial("L-1", now)
    assert seen.denial("L-1", now + SECOND) is None
    assert seen.denial("L-2", now) is None


def test_later_denial_takes_the_place_of_the_earlier(now: datetime) -> None:
    first, last = denial("L-1", now), denial("L-1", now + SECOND, Reason.REVOKED)
    seen = Mark(time=now, signed=now).denying(first).denying(denial("L-2", now)).denying(last)
    assert seen.denials == (denial("L-2", now), last)


def test_latest_denials_are_kept_and_fit_the_file(key: Installation, now: datetime) -> None:
    for number in range(MAX_DENIALS + 3):
        mark.deny(key, denial(f"L-{number:062}", now, Reason.ENTITLEMENT_MISSING))
    kept = [one.license for one in mark.read(key).denials]
    assert kept == [f"L-{number:062}" for number in range(3, MAX_DENIALS + 3)]


def test_license_that_is_granted_again_is_forgiven(key: Installation, now: datetime) -> None:
    mark.deny(key, denial("L-1", now))
    mark.deny(key, denial("L-2", now))
    mark.forgive(key, "L-1")
    assert mark.read(key).denials == (denial("L-2", now),)
    before = mark.mark_file(key).read_bytes()
    mark.forgive(key, "L-1")
    assert mark.mark_file(key).read_bytes() == before


def test_versions_rise_one_by_one() -> None:
    older, other = Versions(key_set=3, revocations=1), Versions(key_set=2, revocations=5)
    assert older.with_newer(other) == other.with_newer(older) == Versions(key_set=3, revocations=5)


def test_stamp_changes_when_the_file_does(key: Installation, now: datetime) -> None:
    before = mark.stamp(key)
    assert mark.stamp(key) == before
    mark.write(key, replace(mark.read(key), time=now + SECOND))
    after = mark.stamp(key)
    mark.mark_file(key).unlink()
    assert len({before, after, mark.stamp(key)}) == 3


@pytest.mark.parametrize(
    "claims",
    [
        {"mark": 0, "signed": 0},
        {"mark": 0, "signed": 0, "key_set": 0, "revocations": 0, "denied": [{}]},
        {
            "mark": 0,
            "signed": 0,
            "key_set": 0,
            "revocations": 0,
            "denied": [{"license": "L-1", "code": "NO", "issued": 0}],
        },
    ],
)
def test_mark_of_another_shape_counts_as_altered(key: Installation, claims: dict[str, int]) -> None:
    mark.mark_file(key).write_bytes(key.sign_token(claims, typ=mark.TYP))
    with pytest.raises(LicenseError) as refusal:
        mark.read(key)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK
    assert str(refusal.value) == (
        f"{mark.mark_file(key)}: the highest time this installation has seen was altered; remove "
        f"{key.directory}/installation.json to start a new installation, and have a license that was bound "
        "to the old one issued again"
    )
    with pytest.raises(LicenseError, match="was altered"):
        mark.find(key.directory)


def test_no_installation_remembers_nothing(tmp_path: Path) -> None:
    assert mark.find(tmp_path) is None


@dataclass(frozen=True, kw_only=True)
class Interrupted(Installation):
    """A key whose owner is interrupted between reading the mark and writing it: it signs in between."""

    interrupt: Callable[[], None]

    def sign_token(self, claims: Json, *, typ: str) -> bytes:
        other = Thread(target=self.interrupt)
        other.start()
        other.join(0.3)  # enough to finish in, were it not kept out; it ends after this change
        object.__setattr__(self, "interrupt", other.join)
        return super().sign_token(claims, typ=typ)


@pytest.fixture
def interrupted(key: Installation, now: datetime) -> Interrupted:
    """The same key, interrupted by a denial of license L-9."""
    return Interrupted(
        directory=key.directory,
        public=key.public,
        private=key.private,
        interrupt=lambda: mark.deny(key, denial("L-9", now)),
    )


def test_denial_during_another_denial_is_kept(
    key: Installation, interrupted: Interrupted, now: datetime
) -> None:
    mark.deny(interrupted, denial("L-1", now))
    interrupted.interrupt()
    assert [one.license for one in mark.read(key).denials] == ["L-1", "L-9"]


def test_denial_while_another_license_is_forgiven_is_kept(
    key: Installation, interrupted: Interrupted, now: datetime
) -> None:
    mark.deny(key, denial("L-1", now))
    mark.forgive(interrupted, "L-1")
    interrupted.interrupt()
    assert [one.license for one in mark.read(key).denials] == ["L-9"]


def test_denial_while_time_goes_on_is_kept(
    key: Installation, interrupted: Interrupted, now: datetime
) -> None:
    watch = Clock(lambda: key.directory, signed=now, floor=now, strict=True)
    watch.check(now)
    watch._key = interrupted
    watch.check(now + 60 * SECOND)
    interrupted.interrupt()
    seen = mark.read(key)
    assert (seen.time, [one.license for one in seen.denials]) == (now + 60 * SECOND, ["L-9"])


def test_changes_of_many_threads_are_all_kept(key: Installation, ring: KeyRing, now: datetime) -> None:
    def once(number: int) -> None:
        mark.deny(key, denial(f"L-{number}", now))
        trust = replace(ring.trust, version=number + 2)
        clock.remember(key.directory, trust, now, signed=now)
        watch = Clock(
            lambda: key.directory, signed=now + number * SECOND, floor=now - 60 * SECOND, strict=True
        )
        watch.check(now + number * SECOND)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(once, range(MAX_DENIALS)))
    seen = mark.read(key)
    assert {one.license for one in seen.denials} == {f"L-{number}" for number in range(MAX_DENIALS)}
    assert seen.versions.key_set == MAX_DENIALS + 1
    assert seen.signed == now + (MAX_DENIALS - 1) * SECOND
