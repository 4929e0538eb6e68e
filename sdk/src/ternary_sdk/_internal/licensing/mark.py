"""
What an installation has seen and does not forget: the highest time, the newest trust file, denied licenses.

It is one token signed by the installation key, made together with that key, so that going back on any of
it means to alter or remove the file, which is noticed. Whoever restores a backup of the whole state
directory goes back with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from ternary_sdk._internal.clocks import lies_ahead
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing import installation, locks, state
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.state import UnreadableError
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, LicenseError, Reason, SignatureError

TYP: Final = "ternary-clock+jwt"
MAX_FILE: Final = 16_384
MAX_DENIALS: Final = 50
"""Licenses whose denial is remembered; of more, the latest. Each would have ended by itself by then."""

Stamp = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Which key set and which revocation list; both numbers only rise."""

    key_set: int = 0
    """The key set's version; 0 if none was seen."""
    revocations: int = 0
    """The revocation list's version; 0 if none was seen."""

    @classmethod
    def of(cls, trust: Trust) -> "Versions":
        """What a trust file holds."""
        listed = trust.revocations.version if trust.revocations else 0
        return cls(key_set=trust.version, revocations=listed)

    def with_newer(self, other: "Versions") -> "Versions":
        """The newer of each."""
        return Versions(
            key_set=max(self.key_set, other.key_set), revocations=max(self.revocations, other.revocations)
        )


NONE_SEEN: Final = Versions()


@dataclass(frozen=True, kw_only=True)
class Denial:
    """That a license server said no, or that this installation gave its seat back."""

    license: str
    """The license."""
    code: Reason
    """Why."""
    issued: datetime
    """When the license was issued that this ended: no copy of it holds, nor of an earlier one."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Everything that is remembered."""

    time: datetime
    """The highest time seen."""
    signed: datetime
    """The newest moment signed by the vendor that was known then."""
    versions: Versions = NONE_SEEN
    """The newest trust file relied on."""
    denials: tuple[Denial, ...] = ()
    """The latest of each license, the oldest first."""

    def resumed(self, now: datetime, signed: datetime) -> "Mark":
        """The mark that a clock is held to: a newer signed time lowers one that lies ahead of the clock.

        Args:
            now: What the clock says.
            signed: The newest moment signed by the vendor that is known now.
        """
        lowered = signed > self.signed and lies_ahead(self.time, of=now)
        return replace(self, time=signed) if lowered else self

    def denial(self, license_id: str, issued: datetime) -> Denial | None:
        """What denies a license that was issued then; None if nothing does."""
        found = (one for one in self.denials if one.license == license_id and issued <= one.issued)
        return next(found, None)

    def denying(self, denial: Denial) -> "Mark":
        """The same with one more denial, which takes the place of the license's earlier one."""
        return replace(self, denials=(*self.forgiving(denial.license).denials, denial)[-MAX_DENIALS:])

    def forgiving(self, license_id: str) -> "Mark":
        """The same without the denial of a license."""
        return replace(self, denials=tuple(one for one in self.denials if one.license != license_id))


def mark_file(key: Installation) -> Path:
    """Where the mark of an installation is kept."""
    return key.directory / f"clock-{key.kid}.jws"


def stamp(key: Installation) -> Stamp:
    """What changes whenever another process writes or removes the mark."""
    try:
        found = mark_file(key).stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(key: Installation) -> Mark:
    """The mark of an installation.

    Raises:
        LicenseError: CLOCK_ROLLBACK, if the mark was removed or altered, or it alone cannot be read.
        LedgerError: If the state cannot be read.
    """
    path = mark_file(key)
    try:
        data = state.read(path, MAX_FILE)
    except UnreadableError as refusal:
        installation.find(key.directory)  # raises if none of the state can be read, not the mark alone
        raise _broken(path, str(refusal).removeprefix(f"{path}: "), key) from None
    if data is None:
        raise _broken(path, "was removed", key)
    try:
        return _read_claims(Fields(key.read_token(data, typ=TYP, what="clock mark"), "clock mark"))
    except (FormatError, SignatureError):
        raise _broken(path, "was altered", key) from None


def find(directory: Path) -> Mark | None:
    """The mark in a directory, or None where there is no installation, so that nothing was ever remembered.

    Raises:
        LicenseError, LedgerError: As ``read``; LedgerError too if the installation key cannot be read.
    """
    key = installation.find(directory)
    return None if key is None else read(key)


def write(key: Installation, mark: Mark) -> None:
    """Replace the mark of an installation.

    Raises:
        LedgerError: If it cannot be written.
    """
    claims: dict[str, Json] = {
        "mark": int(mark.time.timestamp()),
        "signed": int(mark.signed.timestamp()),
        "key_set": mark.versions.key_set,
        "revocations": mark.versions.revocations,
        "denied": [
            {"license": one.license, "code": str(one.code), "issued": int(one.issued.timestamp())}
            for one in mark.denials
        ],
    }
    state.write(mark_file(key), key.sign_token(claims, typ=TYP))


def change(key: Installation, alter: Callable[[Mark], Mark]) -> Mark:
    """Replace the mark by what becomes of it, with no other change in between, and return it.

    Raises:
        LicenseError: CLOCK_ROLLBACK, if the mark was removed or altered.
        LedgerError: If it cannot be kept.
    """
    with locks.locked(key.directory / installation.FILE):
        before = read(key)
        after = alter(before)
        if after != before:
            write(key, after)
    return after


def deny(key: Installation, denial: Denial) -> None:
    """Remember that a license no longer holds on this installation, in whatever copy.

    Raises:
        LicenseError, LedgerError: As ``change``.
    """
    change(key, lambda seen: seen.denying(denial))


def forgive(key: Installation, license_id: str) -> None:
    """Forget a license's denial, since its server has just granted it again.

    Raises:
        LicenseError, LedgerError: As ``change``.
    """
    change(key, lambda seen: seen.forgiving(license_id))


def _read_claims(fields: Fields) -> Mark:
    mark = Mark(
        time=fields.moment("mark"),
        signed=fields.moment("signed"),
        versions=Versions(key_set=fields.integer("key_set"), revocations=fields.integer("revocations")),
        denials=fields.items("denied", _read_denial, most=MAX_DENIALS),
    )
    fields.end()
    return mark


def _read_denial(fields: Fields) -> Denial:
    code = fields.text("code")
    if code not in list(Reason):
        raise fields.wrong("code", code, "a reason code")
    denial = Denial(
        license=fields.text("license", pattern=LICENSE_ID), code=Reason(code), issued=fields.moment("issued")
    )
    fields.end()
    return denial


def _broken(path: Path, how: str, key: Installation) -> LicenseError:
    return LicenseError(
        Reason.CLOCK_ROLLBACK,
        f"{path}: the highest time this installation has seen {how}; remove "
        f"{key.directory / installation.FILE} to start a new installation, and have a license that was bound "
        "to the old one issued again",
    )
