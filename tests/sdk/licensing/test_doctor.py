import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ternary_license_server.keys import keyring, keyset
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.doctor import doctor
from ternary_sdk._internal.doctor.doctor import Case, Finding
from ternary_sdk._internal.doctor.remedies import REMEDIES
from ternary_sdk._internal.licensing import clock, installation, mark, state
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Denial
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import Reason
from ternary_sdk.operations import OperationSet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ["versions", "trust", "package", "license", "clock", "machine", "meter", "permissions", "disk"]

FROM_STATE = ["license", "clock", "meter", "permissions"]

AsUser = Callable[[Callable[[], Any]], Any]
Setting = Callable[..., Case]


@pytest.fixture
def setting(shipped: bytes, vendor: KeyRing, tmp_path: Path) -> Setting:
    """Files as a customer has them, with a license of the given terms."""

    def lay(**terms: object) -> Case:
        identity = Package.read(shipped, vendor.trust).identity
        granted = {"now": NOW, "license_id": "L-17", **terms}
        files = {
            "acme.ternary": shipped,
            "acme.license": issue(vendor, package=identity, customer="Initech", **granted),  # type: ignore[arg-type]
            "acme.trust": vendor.trust.data,
        }
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        package, license, trust = (tmp_path / name for name in files)
        return Case(package=package, license=license, trust=trust, state=tmp_path / "state")

    return lay


def part(vendor: KeyRing, folder: Path) -> Path:
    return state.for_vendor(vendor.trust.root.kid, folder / "state")


def kept(case: Case) -> Path:
    """Where the case keeps what is the vendor's."""
    return state.for_vendor(Trust.read(case.trust.read_bytes()).root.kid, case.state)


def named(case: Case, name: str, now: datetime = NOW) -> Finding:
    findings = {finding.name: finding for finding in doctor.examine(case, now).findings}
    assert list(findings) == NAMES
    return findings[name]


def used(case: Case, now: datetime, *operations: int) -> None:
    """What a call at that time leaves behind."""
    trust = doctor._Examination(case, now).trust
    license = License.read(case.license.read_bytes(), trust)
    package = Package.read(case.package.read_bytes(), trust)
    permit = Permit(license, package.identity, trust, state=case.state)
    permit.allow("sample", now)
    permit.count(lambda: OperationSet.of(list(operations)))


def test_healthy_installation_is_found_healthy_and_left_untouched(setting: Setting, vendor: KeyRing) -> None:
    case = setting()
    findings = doctor.examine(case, NOW).findings
    assert [finding.name for finding in findings if not finding.ok] == []
    assert [finding.found for finding in findings[1:]] == [
        f"Acme Logic, root {vendor.trust.root.kid}, key set 1 of 2026-01-01, 0 licenses revoked",
        f"{Package.read(case.package.read_bytes(), vendor.trust).identity}, signed by Acme Logic",
        "L-17 for Initech, without end, allows decode, encode, sample",
        "2026-03-01 12:00 UTC, no mark kept yet",
        findings[5].found,
        "the license has no quota",
        "nothing is kept yet",
        f"{case.package.parent}: every call that the state needs works",
    ]
    assert sorted(path.name for path in case.package.parent.iterdir()) == [
        "acme.license",
        "acme.ternary",
        "acme.trust",
    ]
    assert case.state is not None
    assert not case.state.exists()


def test_used_installation_is_described(setting: Setting) -> None:
    case = setting(expires=NOW + 30 * DAY, unique_operations=5000)
    used(case, NOW, 1, 2, 3)
    findings = doctor.examine(case, NOW + DAY).findings
    assert [finding.ok for finding in findings] == [True] * 9
    assert findings[3].found == "L-17 for Initech, until 2026-03-31, allows decode, encode, sample"
    assert findings[4].found == "2026-03-02 12:00 UTC, highest seen 2026-03-01 12:00 UTC"
    assert findings[6].found == "3 of 5,000 operations drawn"
    assert findings[7].found == f"{kept(case)}: its owner's alone"


def test_missing_file_is_named_with_what_to_do(setting: Setting) -> None:
    case = setting()
    case.trust.unlink()
    assert named(case, "trust") == Finding(
        name="trust",
        ok=False,
        found=f"{case.trust}: cannot be read (No such file or directory)",
        remedy="get the vendor's trust file and pass it with --trust",
    )
    assert not named(case, "license").ok


def test_damaged_package_is_named(setting: Setting) -> None:
    case = setting()
    case.package.write_bytes(case.package.read_bytes()[:-1])
    finding = named(case, "package")
    assert (finding.ok, finding.remedy) == (False, "get the package again from the vendor")


def test_ended_key_set_is_named_before_it_bites(setting: Setting, vendor: KeyRing) -> None:
    case = setting()
    root = vendor.signer(Role.ROOT)
    key_set = keyset.sign_key_set(
        root,
        vendor=vendor.vendor,
        version=2,
        keys=vendor.trust.keys.values(),
        revoked={},
        expires=NOW + DAY,
        now=NOW,
    )
    case.trust.write_bytes(keyset.trust_file(root.public, key_set, None).data)
    assert named(case, "trust", NOW + 2 * DAY) == Finding(
        name="trust",
        ok=False,
        found="the key set of Acme Logic ended on 2026-03-02: what came later is refused",
        remedy="get the vendor's newer trust file and run 'ternary trust update FILE'",
    )


def test_documents_of_a_newer_key_name_the_command_that_takes_the_newer_trust_file(
    setting: Setting, shipped: bytes, tmp_path: Path
) -> None:
    case, newer = setting(), keyring.create(tmp_path / "keys", "Acme Logic", NOW)
    case.trust.write_bytes(newer.trust.data)
    for name in ("package", "license"):
        assert "'ternary trust update FILE'" in named(case, name).found
        assert "'ternary trust update FILE'" in named(case, name).remedy


def test_expired_license_is_named_with_its_code(setting: Setting) -> None:
    finding = named(setting(expires=NOW + DAY), "license", NOW + 2 * DAY)
    assert (finding.ok, finding.remedy) == (False, "have the license renewed")
    assert finding.found.startswith("EXPIRED: license L-17 expired on 2026-03-02 12:00:00 UTC (now")


def test_clock_that_went_back_is_named(setting: Setting) -> None:
    case = setting(expires=NOW + 30 * DAY)
    used(case, NOW + 5 * DAY)
    assert named(case, "clock", NOW + DAY) == Finding(
        name="clock",
        ok=False,
        found="2026-03-02 12:00 UTC, and it has been at 2026-03-06 12:00 UTC before",
        remedy="set the clock right, or run 'ternary trust update FILE' with a newer trust file",
    )


def test_clock_behind_the_vendors_signature_is_named(setting: Setting) -> None:
    assert named(setting(), "clock", NOW - DAY) == Finding(
        name="clock",
        ok=False,
        found="2026-02-28 12:00 UTC, before the vendor signed the newest document (2026-03-01 12:00 UTC)",
        remedy="set the clock right",
    )


def test_removed_clock_mark_is_named(setting: Setting) -> None:
    case = setting(expires=NOW + 30 * DAY)
    used(case, NOW)
    held = installation.find(kept(case))
    assert held is not None
    mark.mark_file(held).unlink()
    finding = named(case, "clock")
    assert not finding.ok
    assert finding.found.startswith(f"CLOCK_ROLLBACK: {mark.mark_file(held)}: the highest time")


@pytest.fixture
def leased(setting: Setting, vendor: KeyRing, tmp_path: Path) -> Case:
    """A lease of an hour, with an hour of grace."""
    held = clock.establish(part(vendor, tmp_path), NOW, signed=NOW)
    return setting(bound_to=held.public, expires=NOW + 2 * HOUR, grace_from=NOW + HOUR)


def test_grace_is_told_with_its_end_and_what_to_type(leased: Case) -> None:
    assert named(leased, "license") == Finding(
        name="license",
        ok=True,
        found="L-17 for Initech, until 2026-03-01, allows decode, encode, sample",
    )
    assert named(leased, "license", NOW + HOUR) == Finding(
        name="license",
        ok=True,
        found="L-17 for Initech, until 2026-03-01, allows decode, encode, sample; on grace since "
        "2026-03-01 13:00 UTC, until 14:00 on 2026-03-01: run 'ternary renew'",
    )
    assert named(leased, "license", NOW + 3 * HOUR).remedy == (
        "run 'ternary activate' where the license server can be reached"
    )


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (Reason.SUSPENDED, "ask the vendor, then run 'ternary renew'"),
        (Reason.LEASE_LOST, "run 'ternary activate' again"),
    ],
)
def test_denied_license_is_named_with_the_servers_reason(leased: Case, code: Reason, remedy: str) -> None:
    held = installation.find(kept(leased))
    assert held is not None
    mark.deny(held, Denial(license="L-17", code=code, issued=NOW))
    finding = named(leased, "license")
    assert (finding.ok, finding.remedy) == (False, remedy)
    assert finding.found.startswith(f"{code}: license L-17: ")


def test_older_trust_file_in_the_place_of_a_newer_is_named(setting: Setting, vendor: KeyRing) -> None:
    case = setting()
    clock.remember(kept(case), replace(vendor.trust, version=2), NOW, signed=NOW)
    assert named(case, "trust") == Finding(
        name="trust",
        ok=False,
        found="TRUST_ROLLBACK: trust file: its key set has version 1, and version 2 was relied on here "
        "before; get the newest one from Acme Logic and run 'ternary trust update FILE'",
        remedy="get the vendor's newest trust file and run 'ternary trust update FILE'",
    )


def test_every_reason_that_a_client_meets_has_a_remedy_of_its_own() -> None:
    withdrawn = {Reason.KEY_REVOKED, Reason.REVOKED, Reason.NOT_FOUND, Reason.TOO_MANY_MACHINES}
    assert set(REMEDIES) == set(Reason) - withdrawn


def test_machine_that_the_license_does_not_list_is_named(setting: Setting) -> None:
    case = replace(setting(machines=["x-1"]), machine_id="rack 7")
    finding = named(case, "license")
    assert (finding.ok, finding.remedy) == (False, "send the vendor what 'ternary machine' prints")
    assert named(case, "machine").found.endswith(", from the id given by the embedding program")


def test_damaged_meter_is_named(setting: Setting) -> None:
    case = setting(unique_operations=5)
    used(case, NOW, 1)
    path = Ledger(kept(case) / "ledger.sqlite3").path
    path.write_bytes(b"x" * 4096)
    assert named(case, "meter") == Finding(
        name="meter",
        ok=False,
        found=f"{path}: the meter cannot be used (file is not a database)",
        remedy="restore the file from a backup, or ask the vendor",
    )


def test_file_that_others_can_read_is_named(setting: Setting) -> None:
    case = setting(expires=NOW + 30 * DAY)
    used(case, NOW)
    path = kept(case) / "installation.json"
    path.chmod(0o644)
    assert named(case, "permissions") == Finding(
        name="permissions", ok=False, found=f"{path}: others can read it", remedy=f"chmod 600 {path}"
    )


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_state_closed_to_this_user_is_named_and_everything_else_still_looked_at(
    setting: Setting, tmp_path: Path, place: Path, as_user: AsUser
) -> None:
    case = moved(setting(unique_operations=5), tmp_path, place)
    directory = kept(case)
    directory.mkdir(mode=0, parents=True)
    findings = as_user(lambda: doctor.examine(case, NOW).findings)
    assert [finding.name for finding in findings] == NAMES
    assert [finding.name for finding in findings if not finding.ok] == FROM_STATE
    assert findings[7] == Finding(
        name="permissions",
        ok=False,
        found=f"{directory}: cannot be read (Permission denied)",
        remedy=given_back(directory),
    )
    assert {finding.remedy for finding in findings if not finding.ok} == {given_back(directory)}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("terms", [{"unique_operations": 5}, {"bound_to": None}])
def test_read_only_state_is_named_where_the_license_needs_it(
    setting: Setting, vendor: KeyRing, tmp_path: Path, place: Path, as_user: AsUser, terms: dict[str, Any]
) -> None:
    held = clock.establish(part(vendor, tmp_path), NOW, signed=NOW)
    terms = {name: value or held.public for name, value in terms.items()}
    case = moved(setting(expires=NOW + 30 * DAY, **terms), tmp_path, place)
    directory = kept(case)
    directory.chmod(0o500)
    findings = as_user(lambda: doctor.examine(case, NOW).findings)
    assert [finding for finding in findings if not finding.ok] == [
        Finding(
            name="permissions",
            ok=False,
            found=f"{directory}: cannot be written, and the license needs it",
            remedy=given_back(directory),
        )
    ]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_read_only_state_is_told_where_the_license_goes_on_without(
    setting: Setting, vendor: KeyRing, tmp_path: Path, place: Path, as_user: AsUser
) -> None:
    clock.establish(part(vendor, tmp_path), NOW, signed=NOW)
    case = moved(setting(expires=NOW + 30 * DAY), tmp_path, place)
    kept(case).chmod(0o500)
    findings = as_user(lambda: doctor.examine(case, NOW).findings)
    assert [finding.ok for finding in findings] == [True] * 9
    assert findings[7].found == f"{kept(case)}: cannot be written, and the license does not need it"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_state_that_cannot_be_made_is_named(
    setting: Setting, tmp_path: Path, place: Path, as_user: AsUser
) -> None:
    case = moved(setting(unique_operations=5), tmp_path, place)
    place.chmod(0o500)
    findings = as_user(lambda: doctor.examine(case, NOW).findings)
    assert [finding for finding in findings if not finding.ok] == [
        Finding(
            name="permissions",
            ok=False,
            found=f"{kept(case)}: cannot be made, {place} cannot be written, and the license needs it",
            remedy=given_back(kept(case)),
        )
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_state_of_another_user_is_named(setting: Setting) -> None:
    case = setting(expires=NOW + 30 * DAY)
    used(case, NOW)
    path = kept(case) / "installation.json"
    os.chown(path, 12345, 12345)
    assert named(case, "permissions") == Finding(
        name="permissions",
        ok=False,
        found=f"{path}: belongs to user 12345, this runs as user 0",
        remedy=given_back(kept(case)),
    )


def given_back(directory: Path) -> str:
    return (
        f"have {directory} on a disk that can be written and given to the user who runs this "
        "('chown -R', 'chmod -R u+rwX')"
    )


def moved(case: Case, source: Path, place: Path) -> Case:
    """The same case in a place that another user can reach."""
    shutil.copytree(source, place, dirs_exist_ok=True)
    files = {name: place / getattr(case, name).name for name in ("package", "license", "trust", "state")}
    return replace(case, **files)
