import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ternary_license_server.issue import issue
from ternary_license_server.keys import KeyRing
from ternary_sdk.documents.canonical import Json
from ternary_sdk.errors import LedgerError, LicenseError, Reason
from ternary_sdk.licensing import clock, installation, state
from ternary_sdk.licensing.identity import PackageIdentity
from ternary_sdk.licensing.license import License
from ternary_sdk.licensing.permit import Permit
from ternary_sdk.licensing.usage import Usage
from ternary_sdk.operations import OperationSet

DAY = timedelta(days=1)
Terms = Callable[..., Permit]


@pytest.fixture
def granted(ring: KeyRing, package: PackageIdentity, now: datetime, tmp_path: Path) -> Terms:
    """A permit under a license with the given terms, as a new process would make it."""

    def grant(*, machine_id: str | None = None, place: Path | None = None, **terms: object) -> Permit:
        token = issue(ring, package=package, customer="Initech", now=now, license_id="L-17", **terms)  # type: ignore[arg-type]
        license = License.read(token, ring.trust)
        directory = place or tmp_path / "state"
        return Permit(license, package, ring.trust, machine_id=machine_id, directory=directory)

    return grant


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
    Permit(license, package, ring.trust, directory=tmp_path / "state").allow("sample", now + DAY)


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


def test_bound_license_runs_where_its_key_is(granted: Terms, now: datetime, tmp_path: Path) -> None:
    ours = clock.establish(tmp_path / "state", now, signed=now)
    granted(bound_to=ours.public, expires=now + DAY).allow("sample", now)
    elsewhere = tmp_path / "elsewhere"
    assert refused(lambda: granted(bound_to=ours.public, place=elsewhere).allow("sample", now)) == (
        Reason.MACHINE_REQUIRED,
        f"license L-17 is bound to installation key {ours.kid}, this user has none; "
        "ask Acme Logic to issue it anew",
    )


def test_bound_license_is_refused_where_the_mark_cannot_be_kept(
    granted: Terms, now: datetime, tmp_path: Path
) -> None:
    ours = clock.establish(tmp_path / "state", now, signed=now)
    (tmp_path / "file").touch()
    permit = granted(bound_to=ours.public, expires=now + DAY, place=tmp_path / "file" / "state")
    with pytest.raises(LedgerError) as refusal:
        permit.allow("sample", now)
    assert str(refusal.value) == f"{tmp_path}/file/state/installation.json: cannot be read (Not a directory)"


def test_content_key_is_given_to_the_right_installation(
    granted: Terms, now: datetime, package: PackageIdentity, tmp_path: Path
) -> None:
    secret = bytes(range(32))
    keys = {"content_keys": {package.digest: secret}}
    assert granted(**keys).content_key() == secret
    ours = clock.establish(tmp_path / "state", now, signed=now)
    theirs = clock.establish(tmp_path / "theirs", now, signed=now)
    assert granted(bound_to=ours.public, **keys).content_key() == secret
    sentence = (
        f"license L-17 is bound to installation key {ours.kid}, which this user does not hold; "
        "ask Acme Logic to issue it anew"
    )
    for place, code in (
        (theirs.directory, Reason.MACHINE_MISMATCH),
        (tmp_path / "x", Reason.MACHINE_REQUIRED),
    ):
        permit = granted(bound_to=ours.public, place=place, **keys)
        assert refused(permit.content_key) == (code, sentence)


def test_encrypted_package_without_its_key_is_refused(granted: Terms) -> None:
    assert refused(granted().content_key) == (
        Reason.PACKAGE_MISMATCH,
        "license L-17 carries no key for acme 1.2.0 (sha256 abababababab…), which is encrypted; "
        "ask Acme Logic for a license that does",
    )


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


def test_usage_report_holds_what_was_counted(granted: Terms, now: datetime, tmp_path: Path) -> None:
    permit = granted(unique_operations=3)
    permit.count(some(1, 2))
    found = Usage.read(permit.usage(now))
    assert (found.license_id, found.operations) == ("L-17", some(1, 2)())
    held = installation.find(tmp_path / "state")
    assert held is not None
    assert found.installation == held.public


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
