"""
The highest time this installation has seen, so that turning the clock back does not lengthen a license.

The mark is a token signed by the installation key; only licenses that end watch one. What still wins:
removing the mark together with the key (a bound license is lost with it; a bearer license is not),
setting the clock back before the first use, and never letting it go forward.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ternary_sdk._internal.clocks import lies_ahead
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing import mark as marks
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.mark import NONE_SEEN, Mark, Stamp, Versions
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason

INTERVAL: Final = timedelta(minutes=1)
"""How old the mark on disk may become while a process runs."""


class Clock:
    """Watches one installation's time. Safe among threads and after a fork: no lock outlives a call.

    Args:
        directory: Gives one vendor's part of the state directory; asked at the first check.
        signed: The newest moment that the vendor has signed and this client holds: of the license, the
            key set and the revocation list. After a clock that ran ahead, a newer one lowers the mark.
        floor: A moment that has certainly passed, since the vendor signed the trust file then.
        strict: Refuse where the mark cannot be kept, as a bound license does. Otherwise time is watched
            only while the process lives, so that a read-only system still works.
        versions: Of the trust file that is relied on, to be remembered with the time.
    """

    def __init__(
        self,
        directory: Callable[[], Path],
        *,
        signed: datetime,
        floor: datetime,
        strict: bool,
        versions: Versions = NONE_SEEN,
    ) -> None:
        self._directory = directory
        self._signed = signed
        self._floor = floor
        self._strict = strict
        self._versions = versions
        self._key: Installation | None = None
        self._mark: Mark | None = None
        self._stamp: Stamp | None = None
        self._saved: datetime | None = None

    def check(self, now: datetime) -> None:
        """Advance the mark to ``now``, or refuse. Takes microseconds; a disk write at most each minute.

        A mark that another process wrote is read again, so what it saw or was denied counts here at once.

        Raises:
            LicenseError: CLOCK_ROLLBACK, if ``now`` is more than 5 minutes before the mark, the mark was
                removed or altered, or ``now`` is before the trust file was signed.
            LedgerError: If the mark cannot be kept and must be.
            InputError: If ``now`` has no time zone.
        """
        if now.tzinfo is None:
            raise InputError(f"now: {now.isoformat()} has no time zone, expected UTC")
        mark = self._open(now) if self._mark is None else self._follow(self._mark)
        _compare(now, mark.time)
        if now > mark.time:
            self._advance(mark, now)

    def preview(self, now: datetime) -> None:
        """Refuse as ``check`` would, and leave nothing behind.

        Raises:
            LicenseError: CLOCK_ROLLBACK, as ``check``.
            LedgerError: If the mark cannot be read and must be.
        """
        self._check_floor(now)
        try:
            key = installation.find(self._directory())
            if key is not None:
                _compare(now, marks.read(key).resumed(now, self._signed).time)
        except LedgerError:
            if self._strict:
                raise

    @property
    def seen(self) -> Mark | None:
        """What this installation remembers; None where it remembers nothing, or that cannot be read.

        Raises:
            LicenseError: CLOCK_ROLLBACK, if that was removed or altered.
        """
        if self._mark is not None:
            return self._mark
        with suppress(LedgerError):
            return marks.find(self._directory())
        return None

    def _open(self, now: datetime) -> Mark:
        """Read the mark, or make the first one; a newer signed time lowers one that lies ahead."""
        self._check_floor(now)
        mark = Mark(time=now, signed=self._signed, versions=self._versions)
        try:
            self._key = installation.find(directory := self._directory())
            if self._key is None:
                self._key = establish(directory, now, signed=self._signed, versions=self._versions)
            mark = self._resume(self._key, now)
        except LedgerError:
            if self._strict:
                raise
        self._mark, self._saved = mark, mark.time
        return mark

    def _check_floor(self, now: datetime) -> None:
        if lies_ahead(self._floor, of=now):
            raise LicenseError(
                Reason.CLOCK_ROLLBACK,
                f"the clock says {_utc(now)}, and the vendor signed the trust file on {_utc(self._floor)}; "
                "set it right",
            )

    def _resume(self, key: Installation, now: datetime) -> Mark:
        return self._change(key, lambda found: self._merged(found.resumed(now, self._signed)))

    def _follow(self, mark: Mark) -> Mark:
        """The mark, read again if somebody changed its file since; a newer signed time may lower it."""
        if self._key is None or marks.stamp(self._key) == self._stamp:
            return mark
        try:
            found = self._read(self._key)
        except LedgerError:
            if self._strict:
                raise
            return mark
        ahead = found.signed <= mark.signed and found.time < mark.time
        self._mark = replace(found, time=mark.time) if ahead else found
        return self._mark

    def _advance(self, mark: Mark, now: datetime) -> None:
        """Move the mark to ``now``, on disk if that is more than a minute behind."""
        self._mark = replace(mark, time=now)
        if self._key is None or (self._saved is not None and now - self._saved < INTERVAL):
            return
        try:
            self._mark = self._change(
                self._key, lambda found: self._merged(replace(found, time=max(now, found.time)))
            )
        except LedgerError:
            if self._strict:
                raise
        self._saved = now

    def _merged(self, mark: Mark) -> Mark:
        """The mark with what this client holds and it does not know yet."""
        return replace(
            mark,
            signed=max(mark.signed, self._signed),
            versions=mark.versions.with_newer(self._versions),
        )

    def _read(self, key: Installation) -> Mark:
        stamp = marks.stamp(key)
        mark = marks.read(key)
        self._stamp = stamp
        return mark

    def _change(self, key: Installation, alter: Callable[[Mark], Mark]) -> Mark:
        stamp = marks.stamp(key)
        mark = marks.change(key, alter)
        self._stamp = stamp
        return mark


def establish(
    directory: Path,
    now: datetime,
    *,
    signed: datetime,
    versions: Versions = NONE_SEEN,
) -> Installation:
    """The installation in a directory, made together with its first mark where there is none.

    The mark comes first, so that nobody ever finds a key without one.

    Raises:
        LedgerError: If it cannot be written.
    """
    found = installation.find(directory)
    if found is not None:
        return found
    drafted = installation.draft(directory)
    marks.write(drafted, Mark(time=now, signed=signed, versions=versions))
    try:
        installation.keep(drafted)
    except LedgerError:
        _unlink(marks.mark_file(drafted))
        raise
    kept = installation.find(directory)
    if kept != drafted:
        _unlink(marks.mark_file(drafted))
    if kept is None:
        raise LedgerError(f"{directory / installation.FILE}: removed while it was being made")
    return kept


def _unlink(path: Path) -> None:
    """Remove the mark of a key that is in no file; left behind it would mean nothing to anybody."""
    with suppress(OSError):
        path.unlink()


def remember(directory: Path, trust: Trust, now: datetime, *, signed: datetime) -> None:
    """Keep which trust file is relied on, where the vendor has signed an earlier one.

    The first key set without a revocation list has no predecessor that could come back, so it is not
    kept. Where nothing can be kept, nothing is: a read-only system still works.

    Raises:
        LicenseError: CLOCK_ROLLBACK, if what was remembered before was removed or altered.
    """
    held = Versions.of(trust)
    if held == Versions(key_set=1):
        return
    with suppress(LedgerError):
        key = establish(directory, now, signed=signed, versions=held)
        marks.change(key, lambda seen: replace(seen, versions=seen.versions.with_newer(held)))


def _compare(now: datetime, mark: datetime) -> None:
    if lies_ahead(mark, of=now):
        raise LicenseError(
            Reason.CLOCK_ROLLBACK,
            f"the clock says {_utc(now)} and has been at {_utc(mark)} before; set it right, or if it ran "
            "ahead before, get a newer license or trust file from the vendor, whose signed date resets it",
        )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
