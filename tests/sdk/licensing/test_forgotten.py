"""The mark removed or altered while its key is left: whoever relies on what it remembers refuses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import Model
from ternary_sdk._internal.doctor import doctor
from ternary_sdk._internal.doctor.doctor import Case
from ternary_sdk._internal.licensing import clock, installation, mark, state
from ternary_sdk._internal.licensing.clock import Clock
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Denial
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import LicenseError, Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _of_another_key(path: Path) -> None:
    other = clock.establish(path.parent / "other", NOW, signed=NOW)
    path.write_bytes(mark.mark_file(other).read_bytes())


def _into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _into_a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


DONE: dict[str, Callable[[Path], None]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_bytes(b"") and None,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]) and None,
    "made longer": lambda path: path.write_bytes(path.read_bytes() + b" " * 20_000) and None,
    "flipped": _flip,
    "another key's": _of_another_key,
    "a folder": _into_a_folder,
    "a link to nothing": _into_a_link_to_nothing,
}


@pytest.fixture
def place(vendor: KeyRing, tmp_path: Path) -> Path:
    """A state directory in which a newer trust file was relied on."""
    newer = replace(vendor.trust, version=2)
    clock.remember(state.for_vendor(vendor.trust.root.kid, tmp_path / "state"), newer, NOW, signed=NOW)
    return tmp_path / "state"


@pytest.fixture
def key(place: Path, vendor: KeyRing) -> Installation:
    found = installation.find(state.for_vendor(vendor.trust.root.kid, place))
    assert found is not None
    return found


def _check(key: Installation, *, strict: bool) -> None:
    watch = Clock(lambda: key.directory, signed=NOW, floor=NOW - DAY, strict=strict)
    watch.check(NOW)


def _permit(vendor: KeyRing, shipped: bytes, place: Path, **terms: object) -> Permit:
    identity = Package.read(shipped, vendor.trust).identity
    token = issue(vendor, package=identity, customer="I", now=NOW, license_id="L-1", **terms)  # type: ignore[arg-type]
    trust = replace(vendor.trust, version=3)
    return Permit(License.read(token, trust), identity, trust, state=place)


RELY: dict[str, Callable[[KeyRing, bytes, Path, Installation], object]] = {
    "mark.read": lambda vendor, shipped, place, key: mark.read(key),
    "mark.find": lambda vendor, shipped, place, key: mark.find(key.directory),
    "mark.change": lambda vendor, shipped, place, key: mark.change(key, lambda seen: seen),
    "mark.deny": lambda vendor, shipped, place, key: mark.deny(
        key, Denial(license="L-1", code=Reason.SUSPENDED, issued=NOW)
    ),
    "mark.forgive": lambda vendor, shipped, place, key: mark.forgive(key, "L-1"),
    "clock of a bound license": lambda vendor, shipped, place, key: _check(key, strict=True),
    "clock of a bearer license": lambda vendor, shipped, place, key: _check(key, strict=False),
    "clock.preview": lambda vendor, shipped, place, key: Clock(
        lambda: key.directory, signed=NOW, floor=NOW - DAY, strict=False
    ).preview(NOW),
    "clock.seen": lambda vendor, shipped, place, key: (
        Clock(lambda: key.directory, signed=NOW, floor=NOW - DAY, strict=False).seen
    ),
    "clock.remember": lambda vendor, shipped, place, key: clock.remember(
        key.directory, replace(vendor.trust, version=3), NOW, signed=NOW
    ),
    "check_remembered": lambda vendor, shipped, place, key: check_remembered(vendor.trust, place),
    "a newer trust file": lambda vendor, shipped, place, key: check_remembered(
        replace(vendor.trust, version=3), place
    ),
    "Model.open": lambda vendor, shipped, place, key: Model.open(
        shipped, trust=vendor.trust.data, state=place
    ),
    "a license that ends": lambda vendor, shipped, place, key: _permit(
        vendor, shipped, place, expires=NOW + DAY
    ).allow("sample", NOW),
    "a look at one": lambda vendor, shipped, place, key: _permit(
        vendor, shipped, place, expires=NOW + DAY
    ).preview("sample", NOW),
    "a license without end": lambda vendor, shipped, place, key: _permit(vendor, shipped, place).allow(
        "sample", NOW
    ),
}


@pytest.mark.parametrize("done", DONE)
@pytest.mark.parametrize("relying", RELY)
def test_memory_that_was_tampered_with_is_refused(
    vendor: KeyRing, shipped: bytes, place: Path, key: Installation, relying: str, done: str
) -> None:
    DONE[done](mark.mark_file(key))
    for _ in range(2):  # and nothing is put in its place that the next call would believe
        with pytest.raises(LicenseError) as refusal:
            RELY[relying](vendor, shipped, place, key)
        assert refusal.value.code is Reason.CLOCK_ROLLBACK
        assert str(refusal.value).startswith(
            f"{mark.mark_file(key)}: the highest time this installation has seen "
        )


@pytest.mark.parametrize("done", DONE)
def test_process_that_runs_refuses_its_next_call(key: Installation, done: str) -> None:
    watch = Clock(lambda: key.directory, signed=NOW, floor=NOW - DAY, strict=False)
    watch.check(NOW)
    DONE[done](mark.mark_file(key))
    with pytest.raises(LicenseError) as refusal:
        watch.check(NOW + DAY)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK


@pytest.mark.parametrize("done", DONE)
def test_doctor_names_it_for_trust_license_and_clock(
    vendor: KeyRing, shipped: bytes, place: Path, key: Installation, tmp_path: Path, done: str
) -> None:
    identity = Package.read(shipped, vendor.trust).identity
    sent = {
        "package": shipped,
        "license": issue(vendor, package=identity, customer="I", now=NOW, expires=None),
        "trust": vendor.trust.data,
    }
    for name, data in sent.items():
        (tmp_path / name).write_bytes(data)
    DONE[done](mark.mark_file(key))
    findings = doctor.examine(Case(**{name: tmp_path / name for name in sent}, state=place), NOW).findings
    wrong = [finding for finding in findings if not finding.ok and finding.name != "permissions"]
    assert [finding.name for finding in wrong] == ["trust", "license", "clock"]
    for finding in wrong:
        assert finding.found.startswith(f"CLOCK_ROLLBACK: {mark.mark_file(key)}: the highest time ")
        assert finding.remedy == "restore the file from a backup, or start a new installation"


def test_removing_the_key_too_starts_anew(vendor: KeyRing, place: Path, key: Installation) -> None:
    mark.mark_file(key).unlink()
    (key.directory / installation.FILE).unlink()
    check_remembered(vendor.trust, place)
