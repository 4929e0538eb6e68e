import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import clock, installation, mark, state
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Denial, Versions
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Terms = Callable[..., Permit]


@pytest.fixture
def granted(ring: KeyRing, package: PackageIdentity, now: datetime, tmp_path: Path) -> Terms:
    """A permit under a license with the given terms, as a new process would make it."""

    def grant(
        *,
        machine_id: str | None = None,
        place: Path | None = None,
        trust: Trust = ring.trust,
        issued: datetime = now,
        **terms: object,
    ) -> Permit:
        token = issue(ring, package=package, customer="Initech", now=issued, license_id="L-17", **terms)  # type: ignore[arg-type]
        chosen = place or tmp_path / "state"
        return Permit(License.read(token, trust), package, trust, machine_id=machine_id, state=chosen)

    return grant


@pytest.fixture
def kept(ring: KeyRing, tmp_path: Path) -> Path:
    """Where such permits keep what is the vendor's."""
    return part(ring, tmp_path / "state")


def part(ring: KeyRing, chosen: Path) -> Path:
    return state.for_vendor(ring.trust.root.kid, chosen)


def refused(call: Callable[[], object]) -> tuple[Reason, str]:
    with pytest.raises(LicenseError) as refusal:
        call()
    return refusal.value.code, str(refusal.value)


def some(*indices: int) -> Callable[[], OperationSet]:
    return lambda: OperationSet.of(list(indices))


def test_plain_license_needs_no_state_at_all(granted: Terms, now: datetime, tmp_path: Path) -> None:
    permit = granted()
    permit.allow("sample", now)
    permit.allow("sample", now + 3650 * DAY)
    permit.allow("sample", now)
    permit.count(lambda: pytest.fail("asked for operations"))
    assert not (tmp_path / "state").exists()


def test_license_that_ends_watches_the_clock(granted: Terms, now: datetime) -> None:
    terms = {"expires": now + 30 * DAY}
    granted(**terms).allow("sample", now + 2 * DAY)
    code, _ = refused(lambda: granted(**terms).allow("sample", now + DAY))
    assert code is Reason.CLOCK_ROLLBACK


def test_looking_at_a_license_leaves_nothing_behind(granted: Terms, now: datetime, tmp_path: Path) -> None:
    permit = granted(expires=now + DAY)
    permit.preview("sample", now)
    code, _ = refused(lambda: permit.preview("sample", now + 2 * DAY))
    assert code is Reason.EXPIRED
    assert not (tmp_path / "state").exists()


def test_rollback_is_named_before_anything_it_would_hide(granted: Terms, now: datetime) -> None:
    terms = {"expires": now + 30 * DAY}
    code, _ = refused(lambda: granted(**terms).allow("sample", now + 40 * DAY))
    assert code is Reason.EXPIRED
    code, _ = refused(lambda: granted(**terms).allow("sample", now + 20 * DAY))
    assert code is Reason.CLOCK_ROLLBACK


def test_expiry_is_seen_by_a_process_that_lives_on(granted: Terms, now: datetime) -> None:
    permit = granted(expires=now + DAY)
    permit.allow("sample", now)
    code, _ = refused(lambda: permit.allow("sample", now + 2 * DAY))
    assert code is Reason.EXPIRED


def test_newer_license_resets_a_clock_that_ran_ahead(
    granted: Terms, now: datetime, ring: KeyRing, package: PackageIdentity, tmp_path: Path
) -> None:
    granted(expires=now + 1000 * DAY).allow("sample", now + 500 * DAY)
    assert refused(lambda: granted(expires=now + 1000 * DAY).allow("sample", now + DAY))[0] is (
        Reason.CLOCK_ROLLBACK
    )
    token = issue(ring, package=package, customer="Initech", now=now + DAY, expires=now + 99 * DAY)
    license = License.read(token, ring.trust)
    Permit(license, package, ring.trust, state=tmp_path / "state").allow("sample", now + DAY)


def test_quota_is_kept_and_only_what_is_returned_counts(granted: Terms, now: datetime) -> None:
    permit = granted(unique_operations=3)
    permit.count(some(1, 2))
    code, message = refused(lambda: granted(unique_operations=3).count(some(2, 3, 4)))
    assert code is Reason.QUOTA_EXHAUSTED
    assert message == (
        "license L-17 allows 3 different operations; 2 are drawn and this call would draw 2 more; "
        "ask for fewer, or ask the vendor for a larger quota"
    )
    assert granted(unique_operations=3).ledger.drawn("L-17") == some(1, 2)()


def test_machine_is_asked_only_where_the_license_lists_some(granted: Terms, now: datetime) -> None:
    bound = granted(machines=["x-1"], machine_id="rack 7")
    code, message = refused(lambda: bound.allow("sample", now))
    assert code is Reason.MACHINE_MISMATCH
    found = message.split("this machine is ")[1].split(";")[0]
    granted(machines=[found], machine_id="rack 7").allow("sample", now)


def test_bound_license_runs_where_its_key_is(
    granted: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    ours = clock.establish(kept, now, signed=now)
    granted(bound_to=ours.public, expires=now + DAY).allow("sample", now)
    elsewhere = tmp_path / "elsewhere"
    assert refused(lambda: granted(bound_to=ours.public, place=elsewhere).allow("sample", now)) == (
        Reason.MACHINE_REQUIRED,
        f"license L-17 is bound to installation key {ours.kid}, this user has none; "
        "ask Acme Logic to issue it anew",
    )


def test_bound_license_is_refused_where_the_mark_cannot_be_kept(
    granted: Terms, now: datetime, ring: KeyRing, tmp_path: Path, kept: Path
) -> None:
    ours = clock.establish(kept, now, signed=now)
    (tmp_path / "file").touch()
    permit = granted(bound_to=ours.public, expires=now + DAY, place=tmp_path / "file" / "state")
    with pytest.raises(LedgerError) as refusal:
        permit.allow("sample", now)
    place = part(ring, tmp_path / "file" / "state")
    assert str(refusal.value) == f"{place}/installation.json: cannot be read (Not a directory)"


@pytest.fixture
def leased(granted: Terms, now: datetime, tmp_path: Path, kept: Path) -> Callable[..., Permit]:
    """A permit under a lease for an hour, as a new process with a copy of the file would make it."""

    def grant(issued: timedelta = timedelta(0)) -> Permit:
        ours = clock.establish(kept, now, signed=now)
        return granted(bound_to=ours.public, expires=now + HOUR, issued=now + issued)

    return grant


def deny(directory: Path, issued: datetime, code: Reason = Reason.SUSPENDED) -> None:
    """What a signed denial leaves behind."""
    held = installation.find(directory)
    assert held is not None
    mark.deny(held, Denial(license="L-17", code=code, issued=issued))


def test_denial_ends_a_running_process_and_every_copy_of_the_license(
    leased: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    running = leased()
    running.allow("sample", now)
    deny(kept, now)
    refusal = (
        Reason.SUSPENDED,
        "license L-17: Acme Logic's license server denied it; ask Acme Logic, then run 'ternary renew'",
    )
    for permit in (running, leased()):
        assert refused(lambda permit=permit: permit.allow("sample", now)) == refusal  # type: ignore[misc]
        assert refused(lambda permit=permit: permit.preview("sample", now)) == refusal  # type: ignore[misc]


def test_seat_given_back_takes_every_copy_of_the_license_with_it(
    leased: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    leased()
    deny(kept, now, Reason.LEASE_LOST)
    assert refused(lambda: leased().allow("sample", now)) == (
        Reason.LEASE_LOST,
        "license L-17: this machine's seat was lost or given back; run 'ternary activate' again",
    )


def test_license_that_was_granted_after_the_denial_holds(
    leased: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    leased()
    deny(kept, now)
    leased(issued=timedelta(seconds=1)).allow("sample", now + timedelta(seconds=1))


def test_denial_cannot_be_removed_without_losing_the_installation(
    leased: Terms, granted: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    ours = clock.establish(kept, now, signed=now)
    copy = leased()
    deny(kept, now)
    mark.mark_file(ours).unlink()
    assert refused(lambda: copy.allow("sample", now))[0] is Reason.CLOCK_ROLLBACK
    (kept / "installation.json").unlink()
    again = granted(bound_to=ours.public, expires=now + HOUR)
    assert refused(lambda: again.allow("sample", now))[0] is Reason.MACHINE_MISMATCH


@pytest.mark.parametrize(
    ("code", "moment", "expected"),
    [
        (Reason.REVOKED, -DAY, Reason.REVOKED),
        (Reason.LEASE_LOST, -DAY, Reason.CLOCK_ROLLBACK),
        (Reason.SUSPENDED, DAY, Reason.SUSPENDED),
        (Reason.LEASE_LOST, DAY, Reason.EXPIRED),
    ],
)
def test_denial_takes_its_place_in_the_precedence(
    leased: Terms,
    now: datetime,
    tmp_path: Path,
    kept: Path,
    code: Reason,
    moment: timedelta,
    expected: Reason,
) -> None:
    leased().allow("sample", now)
    deny(kept, now, code)
    assert refused(lambda: leased().allow("sample", now + moment))[0] is expected


def test_trust_file_with_a_predecessor_is_remembered_by_every_license(
    granted: Terms, now: datetime, ring: KeyRing, tmp_path: Path, kept: Path
) -> None:
    granted().allow("sample", now)
    assert not (tmp_path / "state").exists()
    for number, terms in enumerate(({}, {"expires": now + DAY}), 2):
        trust = replace(ring.trust, version=number)
        granted(trust=trust, **terms).allow("sample", now)
        seen = mark.find(kept)
        assert seen is not None
        assert seen.versions == Versions(key_set=number)
    granted().allow("sample", now)
    assert mark.find(kept) == seen


def test_read_only_system_remembers_no_trust_file_and_a_license_without_end_goes_on(
    granted: Terms, now: datetime, ring: KeyRing, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    newer = replace(ring.trust, version=2)
    granted(trust=newer, place=tmp_path / "file" / "state").allow("sample", now)


def test_content_key_is_given_to_the_right_installation(
    granted: Terms, now: datetime, ring: KeyRing, package: PackageIdentity, tmp_path: Path, kept: Path
) -> None:
    secret = bytes(range(32))
    keys = {"content_keys": {package.digest: secret}}
    assert granted(**keys).content_key(now) == secret
    ours = clock.establish(kept, now, signed=now)
    theirs = clock.establish(part(ring, tmp_path / "theirs"), now, signed=now)
    assert granted(bound_to=ours.public, **keys).content_key(now) == secret
    for place, code, found in (
        (tmp_path / "theirs", Reason.MACHINE_MISMATCH, f"'s is {theirs.kid}"),
        (tmp_path / "x", Reason.MACHINE_REQUIRED, " has none"),
    ):
        permit = granted(bound_to=ours.public, place=place, **keys)
        assert refused(partial(permit.content_key, now)) == (
            code,
            f"license L-17 is bound to installation key {ours.kid}, this user{found}; "
            "ask Acme Logic to issue it anew",
        )


def test_content_key_is_given_only_while_the_license_allows_something(
    granted: Terms, now: datetime, package: PackageIdentity, tmp_path: Path
) -> None:
    keys = {"content_keys": {package.digest: bytes(32)}, "expires": now + DAY, "machine_id": "rack 7"}
    assert granted(**keys, entitlements=["decode"]).content_key(now) == bytes(32)
    assert refused(lambda: granted(**keys).content_key(now + 2 * DAY)) == (
        Reason.EXPIRED,
        "license L-17 expired on 2026-03-02 12:00:00 UTC (now 2026-03-03 12:00:00 UTC); "
        "ask Acme Logic to renew it",
    )
    code, _ = refused(lambda: granted(**keys, machines=["m-1"]).content_key(now))
    assert code is Reason.MACHINE_MISMATCH
    assert not (tmp_path / "state").exists()


def test_encrypted_package_without_its_key_is_refused(granted: Terms, now: datetime) -> None:
    assert refused(lambda: granted().content_key(now)) == (
        Reason.PACKAGE_MISMATCH,
        "license L-17 carries no key for acme 1.2.0 (sha256 abababababab…), which is encrypted; "
        "ask Acme Logic for a license that does",
    )


def test_of_several_reasons_the_first_is_told_of_an_encrypted_package(granted: Terms, now: datetime) -> None:
    ended = granted(expires=now + DAY)
    assert refused(lambda: ended.content_key(now + 2 * DAY))[0] is Reason.EXPIRED
    elsewhere = granted(machines=["m-1"], machine_id="rack 7")
    assert refused(lambda: elsewhere.content_key(now))[0] is Reason.PACKAGE_MISMATCH


def test_state_of_each_vendor_lives_apart_by_default(
    ring: KeyRing,
    package: PackageIdentity,
    now: datetime,
    claims: dict[str, Json],
    sign: Callable[[Json], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    license = replace(License.read(sign(claims), ring.trust), unique_operations=1)
    Permit(license, package, ring.trust).count(some(1))
    assert (state.for_vendor(ring.trust.root.kid) / "ledger.sqlite3").is_file()


def test_usage_report_holds_what_was_counted(
    granted: Terms, now: datetime, tmp_path: Path, kept: Path
) -> None:
    permit = granted(unique_operations=3)
    permit.count(some(1, 2))
    found = Usage.read(next(permit.usage(now)).document)
    assert (found.license_id, found.operations) == ("L-17", some(1, 2)())
    held = installation.find(kept)
    assert held is not None
    assert found.installation == held.public


def test_each_space_that_was_counted_can_be_asked_for(granted: Terms, now: datetime) -> None:
    permit = granted(unique_operations=9)
    assert tuple(permit.totals()) == ()
    boolean, ternary = OperationSet.of([7, 8], Space(2, 3)), OperationSet.of([7])
    permit.count(lambda: boolean)
    assert (tuple(permit.totals()), permit.drawn()) == ((Space(2, 3),), boolean)
    permit.count(lambda: ternary)
    assert (tuple(permit.totals()), permit.total()) == ((Space(2, 3), TERNARY_2), 3)
    assert (permit.drawn(space=Space(2, 3)), permit.drawn(space=TERNARY_2)) == (boolean, ternary)
    assert permit.drawn(space=Space(5, 1)) == OperationSet.of([], Space(5, 1))
    assert Usage.read(next(permit.usage(now, space=Space(2, 3))).document).operations == boolean
    for unclear in (permit.drawn, lambda: permit.usage(now)):
        with pytest.raises(InputError) as refusal:
            unclear()
        assert str(refusal.value) == (
            "license L-17: operations of the spaces 2,3 and 3,2 were counted under it; "
            "say which with '--space'"
        )


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_permit_used_before_fork_works_in_parent_and_child(granted: Terms, now: datetime) -> None:
    permit = granted(expires=now + DAY, unique_operations=3)
    permit.allow("sample", now)
    permit.count(some(1))
    child = os.fork()
    if child == 0:
        try:
            permit.allow("sample", now + timedelta(minutes=2))
            permit.count(some(2))
            os._exit(0)
        finally:
            os._exit(1)
    permit.allow("sample", now + timedelta(minutes=3))
    permit.count(some(3))
    assert os.waitpid(child, 0)[1] == 0
    assert permit.ledger.drawn("L-17") == some(1, 2, 3)()


def test_threads_share_a_permit(granted: Terms, now: datetime) -> None:
    permit = granted(expires=now + DAY, unique_operations=20)

    def call(index: int) -> None:
        permit.allow("sample", now + timedelta(seconds=10 * index))
        permit.count(some(index))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(20)))
    assert len(permit.ledger.drawn("L-17")) == 20


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_read_only_state_stops_a_quota_but_not_the_clock_of_a_bearer_license(
    granted: Terms, now: datetime, ring: KeyRing, place: Path, as_user: Callable[[Callable[[], str]], str]
) -> None:
    directory = part(ring, place)
    terms = {"place": place, "expires": now + 30 * DAY, "unique_operations": 5}
    used = granted(**terms)
    used.allow("sample", now)
    used.count(some(1))
    directory.chmod(0o500)

    def later() -> str:
        permit = granted(**terms)
        permit.allow("sample", now + DAY)
        with pytest.raises(LedgerError) as refusal:
            permit.count(some(2))
        return str(refusal.value)

    assert as_user(later) == (
        f"{directory}/ledger.sqlite3: the meter cannot be used (attempt to write a readonly database)"
    )


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_empty_read_only_state_stops_a_quota_and_a_bound_license(
    granted: Terms,
    now: datetime,
    ring: KeyRing,
    tmp_path: Path,
    place: Path,
    as_user: Callable[[Callable[[], str]], str],
) -> None:
    held = clock.establish(tmp_path / "elsewhere", now, signed=now)
    directory = part(ring, place)
    directory.mkdir(mode=0o500)

    def sentence(call: Callable[[], object]) -> str:
        with pytest.raises(LedgerError) as refusal:
            call()
        return str(refusal.value)

    metered = granted(place=place, unique_operations=5)
    bound = granted(place=place, expires=now + DAY, bound_to=held.public)
    assert as_user(lambda: sentence(lambda: metered.count(some(1)))) == (
        f"{directory}/ledger.sqlite3: cannot be made (Permission denied)"
    )
    unwritten = as_user(lambda: sentence(lambda: bound.allow("sample", now)))
    assert re.sub(r"clock-[\w-]{43}", "clock-KID", unwritten) == (
        f"{directory}/clock-KID.jws: cannot be written (Permission denied)"
    )
