"""
The highest time this installation has seen, so that turning the clock back does not lengthen a license.

The mark is a token signed by the installation key; only licenses that end keep one. What still wins:
removing the mark together with the key (a bound license is lost with it; a bearer license is not),
setting the clock back before the first use, and never letting it go forward.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ternary_sdk.documents.canonical import Json
from ternary_sdk.documents.fields import Fields
from ternary_sdk.errors import FormatError, InputError, LedgerError, LicenseError, Reason, SignatureError
from ternary_sdk.licensing import installation, state
from ternary_sdk.licensing.installation import Installation

TYP: Final = "ternary-clock+jwt"
TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock may go back: honest clocks are corrected by less."""
INTERVAL: Final = timedelta(minutes=1)
"""How old the mark on disk may become while a process runs."""
MAX_FILE: Final = 4096


class Clock:
    """Watches one installation's time. Safe among threads and after a fork: it holds no lock.

    Args:
        directory: Gives one vendor's part of the state directory; asked at the first check.
        signed: The newest moment that the vendor has signed and this client holds: of the license, the
            key set and the revocation list. After a clock that ran ahead, a newer one lowers the mark.
        floor: A moment that has certainly passed, since the vendor signed the trust file then.
        strict: Refuse where the mark cannot be kept, as a bound license does. Otherwise time is watched
            only while the process lives, so that a read-only system still works.
    """

    def __init__(
        self, directory: Callable[[], Path], *, signed: datetime, floor: datetime, strict: bool
    ) -> None:
        self._directory = directory
        self._signed = signed
        self._floor = floor
        self._strict = strict
        self._key: Installation | None = None
        self._mark: datetime | None = None
        self._saved: datetime | None = None

    def check(self, now: datetime) -> None:
        """Advance the mark to ``now``, or refuse. Takes a microsecond; a disk write at most each minute.

        Raises:
            LicenseError: CLOCK_ROLLBACK, if ``now`` is more than 5 minutes before the mark, the mark was
                removed or altered, or ``now`` is before the trust file was signed.
            LedgerError: If the mark cannot be kept and must be.
            InputError: If ``now`` has no time zone.
        """
        if now.tzinfo is None:
            raise InputError(f"now: {now.isoformat()} has no time zone, expected UTC")
        mark = self._mark if self._mark is not None else self._open(now)
        _compare(now, mark)
        if now > mark:
            self._advance(now)

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
                mark, signed = peek(key)
                _compare(now, self._signed if self._signed > signed and now < mark else mark)
        except LedgerError:
            if self._strict:
                raise

    def _open(self, now: datetime) -> datetime:
        """Read the mark, or make the first one; a newer signed time lowers one that lies ahead."""
        self._check_floor(now)
        mark = now
        try:
            self._key = installation.find(directory := self._directory())
            if self._key is None:
                self._key = establish(directory, now, signed=self._signed)
                self._saved = now
            else:
                mark = self._resume(self._key, now)
        except LedgerError:
            if self._strict:
                raise
        self._mark = mark
        return mark

    def _check_floor(self, now: datetime) -> None:
        if now < self._floor - TOLERANCE:
            raise LicenseError(
                Reason.CLOCK_ROLLBACK,
                f"the clock says {_utc(now)}, and the vendor signed the trust file on {_utc(self._floor)}; "
                "set it right",
            )

    def _resume(self, key: Installation, now: datetime) -> datetime:
        mark, signed = peek(key)
        if self._signed > signed:
            if now < mark - TOLERANCE:
                mark = self._signed
            _write(key, mark, self._signed)
        self._signed = max(self._signed, signed)
        self._saved = mark
        return mark

    def _advance(self, now: datetime) -> None:
        """Move the mark to ``now``, or to a later time that another process has seen."""
        self._mark = now
        if self._key is None or (self._saved is not None and now - self._saved < INTERVAL):
            return
        try:
            seen, signed = peek(self._key)
            self._mark, self._signed = max(now, seen), max(self._signed, signed)
            _write(self._key, self._mark, self._signed)
        except LedgerError:
            if self._strict:
                raise
        self._saved = self._mark


def establish(directory: Path, now: datetime, *, signed: datetime) -> Installation:
    """The installation in a directory, made together with its first mark where there is none.

    The mark comes first, so that nobody ever finds a key without one.

    Raises:
        LedgerError: If it cannot be written.
    """
    found = installation.find(directory)
    if found is not None:
        return found
    drafted = installation.draft(directory)
    _write(drafted, now, signed)
    kept = installation.keep(drafted)
    if kept != drafted:
        mark_file(drafted).unlink(missing_ok=True)
    return kept


def peek(key: Installation) -> tuple[datetime, datetime]:
    """The highest time an installation has seen, and the newest signed moment known then.

    Raises:
        LicenseError: CLOCK_ROLLBACK, if the mark was removed or altered.
        LedgerError: If it cannot be read.
    """
    path = mark_file(key)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE)
    except FileNotFoundError:
        raise _broken(path, "was removed", key) from None
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        fields = Fields(key.read_token(data, typ=TYP, what="clock mark"), "clock mark")
        mark, signed = fields.moment("mark"), fields.moment("signed")
        fields.end()
    except (FormatError, SignatureError):
        raise _broken(path, "was altered", key) from None
    return mark, signed


def mark_file(key: Installation) -> Path:
    """Where the mark of an installation is kept."""
    return key.directory / f"clock-{key.kid}.jws"


def _compare(now: datetime, mark: datetime) -> None:
    if now < mark - TOLERANCE:
        raise LicenseError(
            Reason.CLOCK_ROLLBACK,
            f"the clock says {_utc(now)} and has been at {_utc(mark)} before; set it right, or if it ran "
            "ahead before, get a newer license or trust file from the vendor, whose signed date resets it",
        )


def _write(key: Installation, mark: datetime, signed: datetime) -> None:
    claims: Json = {"mark": int(mark.timestamp()), "signed": int(signed.timestamp())}
    state.write(mark_file(key), key.sign_token(claims, typ=TYP))


def _broken(path: Path, how: str, key: Installation) -> LicenseError:
    return LicenseError(
        Reason.CLOCK_ROLLBACK,
        f"{path}: the highest time this installation has seen {how}; remove "
        f"{key.directory / installation.FILE} to start a new installation, and have a license that was bound "
        "to the old one issued again",
    )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
