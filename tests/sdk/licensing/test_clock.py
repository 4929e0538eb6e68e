from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.clock import Clock
from ternary_sdk._internal.licensing.mark import mark_file
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def start(tmp_path: Path, now: datetime) -> Callable[..., Clock]:
    """A process's clock over the same state; by default the vendor signed everything ten days ago."""

    def begin(signed: timedelta = -10 * DAY, strict: bool = True) -> Clock:
        return Clock(lambda: tmp_path / "state", signed=now + signed, floor=now - 100 * DAY, strict=strict)

    return begin


def refusal_of(clock: Clock, now: datetime) -> str:
    with pytest.raises(LicenseError) as refusal:
        clock.check(now)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK
    return str(refusal.value)


def test_time_that_goes_on_is_fine(start: Callable[..., Clock], now: datetime) -> None:
    clock = start()
    for step in range(10):
        clock.check(now + step * MINUTE)
    start().check(now + DAY)


def test_five_minutes_back_are_a_correction_and_more_is_a_rollback(
    start: Callable[..., Clock], now: datetime
) -> None:
    clock = start()
    clock.check(now)
    for process in (clock, start()):
        process.check(now - 5 * MINUTE)
        assert refusal_of(process, now - 5 * MINUTE - timedelta(seconds=1)) == (
            "the clock says 2026-03-01 11:54:59 UTC and has been at 2026-03-01 12:00:00 UTC before; set it "
            "right, or if it ran ahead before, get a newer license or trust file from the vendor, whose "
            "signed date resets it"
        )


def test_mark_survives_the_process_to_the_minute(start: Callable[..., Clock], now: datetime) -> None:
    clock = start()
    for second in range(0, 600, 10):
        clock.check(now + timedelta(seconds=second))
    refusal_of(start(), now + 3 * MINUTE)


def test_disk_is_written_once_a_minute(start: Callable[..., Clock], now: datetime, tmp_path: Path) -> None:
    clock, seen = start(), set()
    for second in range(120):
        clock.check(now + timedelta(seconds=second))
        key = installation.find(tmp_path / "state")
        assert key is not None
        seen.add(mark_file(key).read_bytes())
    assert len(seen) == 2


def test_what_another_process_has_seen_counts_at_once(start: Callable[..., Clock], now: datetime) -> None:
    idle = start()
    idle.check(now)
    start().check(now + DAY)
    refusal_of(idle, now + MINUTE)
    idle.check(now + DAY)
    refusal_of(start(), now + MINUTE)


def test_clock_that_ran_ahead_is_reset_by_a_newer_signed_time_alone(
    start: Callable[..., Clock], now: datetime
) -> None:
    start().check(now + 365 * DAY)
    refusal_of(start(), now)
    refusal_of(start(signed=-11 * DAY), now)
    start(signed=-DAY).check(now)
    start(signed=-10 * DAY).check(now)


def test_signed_time_lowers_the_mark_once(start: Callable[..., Clock], now: datetime) -> None:
    start().check(now)
    start(signed=-DAY).check(now + MINUTE)
    start().check(now + DAY)
    refusal_of(start(signed=-DAY), now)


def test_mark_is_never_lowered_below_the_signed_time(start: Callable[..., Clock], now: datetime) -> None:
    start().check(now + 365 * DAY)
    refusal_of(start(signed=-DAY), now - 2 * DAY)


def test_first_use_makes_the_key_and_the_mark(
    start: Callable[..., Clock], now: datetime, tmp_path: Path
) -> None:
    start().check(now)
    key = installation.find(tmp_path / "state")
    assert key is not None
    assert sorted((tmp_path / "state").iterdir()) == [mark_file(key), tmp_path / "state/installation.json"]


def test_processes_that_begin_at_once_share_one_key_and_one_mark(
    start: Callable[..., Clock], now: datetime, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda clock: clock.check(now), [start() for _ in range(16)]))
    start().check(now)
    key = installation.find(tmp_path / "state")
    assert key is not None
    assert sorted((tmp_path / "state").iterdir()) == [mark_file(key), tmp_path / "state/installation.json"]


def test_removed_mark_is_noticed(start: Callable[..., Clock], now: datetime, tmp_path: Path) -> None:
    start().check(now)
    key = installation.find(tmp_path / "state")
    assert key is not None
    mark_file(key).unlink()
    assert refusal_of(start(), now) == (
        f"{mark_file(key)}: the highest time this installation has seen was removed; remove "
        f"{tmp_path}/state/installation.json to start a new installation, and have a license that was bound "
        "to the old one issued again"
    )


def test_running_process_notices_at_its_next_call_that_the_mark_was_removed(
    start: Callable[..., Clock], now: datetime, tmp_path: Path
) -> None:
    clock = start()
    clock.check(now)
    clock.check(now)
    key = installation.find(tmp_path / "state")
    assert key is not None
    mark_file(key).unlink()
    for _ in range(2):
        assert "was removed; remove" in refusal_of(clock, now)


def test_altered_mark_is_noticed(start: Callable[..., Clock], now: datetime, tmp_path: Path) -> None:
    start().check(now)
    key = installation.find(tmp_path / "state")
    assert key is not None
    forged = installation.draft(tmp_path).sign_token(
        {"mark": 0, "signed": 0, "key_set": 0, "revocations": 0, "denied": []}, typ="ternary-clock+jwt"
    )
    for data in (forged, b"", mark_file(key).read_bytes()[:-1]):
        mark_file(key).write_bytes(data)
        assert "was altered; remove" in refusal_of(start(), now)


def test_removing_key_and_mark_starts_anew(
    start: Callable[..., Clock], now: datetime, tmp_path: Path
) -> None:
    """Documented in the threat model: it costs a bound license, and nothing else."""
    start().check(now)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    start().check(now - DAY)


def test_read_only_system_stops_a_bound_license_and_no_other(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refusal:
        Clock(lambda: tmp_path / "file" / "state", signed=now, floor=now, strict=True).check(now)
    assert str(refusal.value) == f"{tmp_path}/file/state/installation.json: cannot be read (Not a directory)"
    clock = Clock(lambda: tmp_path / "file" / "state", signed=now, floor=now, strict=False)
    clock.check(now)
    clock.check(now + DAY)
    refusal_of(clock, now)


def test_preview_refuses_as_a_check_would_and_leaves_nothing_behind(
    start: Callable[..., Clock], now: datetime, tmp_path: Path
) -> None:
    start().preview(now)
    assert not (tmp_path / "state").exists()
    start().check(now + DAY)
    kept = {path: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    start().preview(now + 2 * DAY)
    with pytest.raises(LicenseError) as refusal:
        start().preview(now)
    assert refusal.value.code is Reason.CLOCK_ROLLBACK
    start(signed=-DAY).preview(now)
    assert {path: path.read_bytes() for path in (tmp_path / "state").iterdir()} == kept


@pytest.mark.parametrize("signed", [-DAY, MINUTE, 10 * MINUTE], ids=str)
@pytest.mark.parametrize("back", [DAY, 6 * MINUTE, 5 * MINUTE, MINUTE], ids=str)
def test_preview_and_check_say_the_same_of_a_clock_that_went_back_under_a_newer_document(
    start: Callable[..., Clock], now: datetime, signed: timedelta, back: timedelta
) -> None:
    def answer(ask: Callable[[datetime], None]) -> str:
        try:
            ask(now - back)
        except LicenseError as refusal:
            return str(refusal)
        return "allowed"

    start().check(now)
    before = answer(start(signed=signed).preview)
    assert before == answer(start(signed=signed).check)


def test_time_before_the_trust_file_was_signed_is_refused_without_any_state(
    tmp_path: Path, now: datetime
) -> None:
    clock = Clock(lambda: tmp_path / "state", signed=now, floor=now, strict=False)
    assert refusal_of(clock, now - DAY) == (
        "the clock says 2026-02-28 12:00:00 UTC, and the vendor signed the trust file on "
        "2026-03-01 12:00:00 UTC; set it right"
    )
    clock.check(now - 5 * MINUTE)


def test_moment_without_a_time_zone_is_refused(start: Callable[..., Clock], now: datetime) -> None:
    with pytest.raises(InputError) as refusal:
        start().check(now.replace(tzinfo=None))
    assert str(refusal.value) == "now: 2026-03-01T12:00:00 has no time zone, expected UTC"
