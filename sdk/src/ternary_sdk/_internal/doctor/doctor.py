"""
What is wrong with this installation, and what to type: everything that a call depends on is checked.

It leaves nothing behind and raises nothing of ours; what would raise becomes a finding with a remedy.
"""

import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, TypeVar

from ternary_sdk._internal.clocks import lies_ahead
from ternary_sdk._internal.doctor import permissions, trials
from ternary_sdk._internal.doctor.permissions import FaultError
from ternary_sdk._internal.doctor.remedies import NEW_LICENSE, REMEDIES
from ternary_sdk._internal.licensing import installation, machine, mark, renewal, state
from ternary_sdk._internal.licensing.claims import ACTIONS
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Mark
from ternary_sdk._internal.licensing.permit import denial_of, newest_signature
from ternary_sdk._internal.packages.package import MAX_PACKAGE, Package
from ternary_sdk._internal.signing.jws import MAX_TOKEN
from ternary_sdk._internal.source import read
from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import LedgerError, LicenseError, Reason, SignatureError, TernaryError

T = TypeVar("T")

_DISTRIBUTIONS: Final = ("ternary-sdk", "numpy", "onnxruntime", "cryptography")
_SIGNED_ANEW: Final = (
    "get the package again from the vendor; if its keys have changed, run 'ternary trust update FILE'"
)
_HOMELESS: Final = "nothing is kept: this user has no home directory, and the license needs no state"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at."""

    name: str
    """versions, trust, package, license, clock, machine, meter, permissions or disk."""
    ok: bool
    """Whether calls can rely on it."""
    found: str
    """What it is, or what is wrong with it."""
    remedy: str = ""
    """What to do or type; empty where nothing is wrong."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a program would open."""

    package: Path
    """The ``.ternary`` file."""
    license: Path
    """Its license."""
    trust: Path
    """The trust file."""
    machine_id: str | None = None
    """An explicit machine id, as in a container."""
    state: Path | None = None
    """The state directory; by default one in the user's data directory."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What was found, and what was verified on the way."""

    findings: tuple[Finding, ...]
    """One for each thing looked at, in their order."""
    trust: Trust | None
    """The trust file; None if it cannot be relied on, as a finding says."""
    license: License | None
    """The license; None if it cannot be read, as a finding says."""


def examine(case: Case, now: datetime) -> Examined:
    """Check everything, in the order in which a call depends on it; nothing stays written.

    Args:
        case: What a program would open.
        now: The present moment, timezone-aware.
    """
    patient = _Examination(case, now)
    looks: tuple[tuple[str, Callable[[], str], str], ...] = (
        ("versions", _versions, "install what is missing with pip"),
        ("trust", patient.look_at_trust, "get the vendor's trust file and pass it with --trust"),
        ("package", patient.look_at_package, "get the package again from the vendor"),
        ("license", patient.look_at_license, NEW_LICENSE),
        ("clock", patient.look_at_clock, "set the clock right"),
        ("machine", patient.look_at_machine, "send the vendor what 'ternary machine' prints"),
        ("meter", patient.look_at_meter, "restore the file from a backup, or ask the vendor"),
        ("permissions", patient.look_at_permissions, "make the files readable by their owner alone"),
        ("disk", patient.look_at_disk, "name a state directory on another disk with '--state DIR'"),
    )
    findings = tuple(_finding(*look, patient) for look in looks)
    return Examined(
        findings=findings,
        trust=_or_none(lambda: patient.trust),
        license=_or_none(lambda: patient.license),
    )


def _or_none(document: Callable[[], T]) -> T | None:
    try:
        return document()
    except TernaryError:
        return None


def _finding(name: str, look: Callable[[], str], remedy: str, patient: "_Examination") -> Finding:
    try:
        return Finding(name=name, ok=True, found=look())
    except FaultError as fault:
        return Finding(name=name, ok=False, found=str(fault), remedy=fault.remedy)
    except LicenseError as refusal:
        advice = REMEDIES.get(refusal.code, NEW_LICENSE)
        return Finding(name=name, ok=False, found=f"{refusal.code}: {refusal}", remedy=advice)
    except LedgerError as refusal:
        return Finding(name=name, ok=False, found=str(refusal), remedy=patient.remedy_of_state or remedy)
    except TernaryError as refusal:
        return Finding(name=name, ok=False, found=str(refusal), remedy=remedy)


class _Examination:
    """The files of a case, each read when first looked at; what cannot be read raises at each look."""

    def __init__(self, case: Case, now: datetime) -> None:
        self.case = case
        self.now = now

    @cached_property
    def trust(self) -> Trust:
        return Trust.read(read(self.case.trust, MAX_TRUST))

    @cached_property
    def package(self) -> Package:
        return Package.read(read(self.case.package, MAX_PACKAGE), self.trust)

    @cached_property
    def license(self) -> License:
        return License.read(read(self.case.license, MAX_TOKEN), self.trust)

    @property
    def directory(self) -> Path | None:
        """This vendor's part of the state directory; None where there is none and the license needs none."""
        if self.case.state is None and state.default() is None and not self._keeps_something():
            return None
        return state.for_vendor(self.trust.root.kid, self.case.state)

    def _needed_directory(self) -> Path:
        return state.for_vendor(self.trust.root.kid, self.case.state)

    def _seen(self) -> Mark | None:
        """What this installation remembers; None if it cannot be read and the license does not need it."""
        try:
            return mark.find(self.directory) if self.directory is not None else None
        except LicenseError as refusal:
            raise FaultError(
                f"{refusal.code}: {refusal}", "restore the file from a backup, or start a new installation"
            ) from None
        except LedgerError:
            if self._keeps_something():
                raise
            return None

    def look_at_trust(self) -> str:
        with suppress(LedgerError):
            self._seen()  # a mark that was altered has a remedy of its own
        renewal.check_remembered(self.trust, self.case.state)
        end = self.trust.expires
        if end is not None and self.now > end:
            raise FaultError(
                f"the key set of {self.trust.vendor} ended on {end:%Y-%m-%d}: what came later is refused",
                "get the vendor's newer trust file and run 'ternary trust update FILE'",
            )
        revoked = len(self.trust.revoked_licenses)
        return (
            f"{self.trust.vendor}, root {self.trust.root.kid}, key set {self.trust.version} of "
            f"{self.trust.issued:%Y-%m-%d}, {revoked} licenses revoked"
        )

    def look_at_package(self) -> str:
        try:
            return f"{self.package.identity}, signed by {self.trust.vendor}"
        except SignatureError as refusal:
            raise FaultError(str(refusal), _SIGNED_ANEW) from None

    def look_at_license(self) -> str:
        for action in ACTIONS:
            if action in self.license.entitlements:
                self.license.check(
                    action,
                    package=self.package.identity,
                    machine=lambda: self.machine.id,
                    installation=lambda: held.kid if (held := self._installation()) else None,
                    now=self.now,
                )
        denial = denial_of(self.license, self._seen())
        if denial is not None:
            raise denial
        end = f"until {self.license.expires:%Y-%m-%d}" if self.license.expires else "without end"
        allowed = ", ".join(sorted(self.license.entitlements))
        return f"{self.license.id} for {self.license.customer}, {end}, allows {allowed}{self._grace()}"

    def _installation(self) -> Installation | None:
        return installation.find(self._needed_directory())

    def _grace(self) -> str:
        license = self.license
        if license.grace_from is None or not license.in_grace(self.now):
            return ""
        return (
            f"; on grace since {license.grace_from:%Y-%m-%d %H:%M} UTC, until {license.expires:%H:%M} on "
            f"{license.expires:%Y-%m-%d}: run 'ternary renew'"
        )

    def look_at_clock(self) -> str:
        signed = newest_signature(self.license, self.trust)
        if lies_ahead(signed, of=self.now):
            raise FaultError(
                f"{self.now:%Y-%m-%d %H:%M} UTC, before the vendor signed the newest document "
                f"({signed:%Y-%m-%d %H:%M} UTC)",
                "set the clock right",
            )
        seen = self._seen()
        if seen is None:
            return f"{self.now:%Y-%m-%d %H:%M} UTC, no mark kept yet"
        if self.license.expires is not None and lies_ahead(seen.resumed(self.now, signed).time, of=self.now):
            raise FaultError(
                f"{self.now:%Y-%m-%d %H:%M} UTC, and it has been at {seen.time:%Y-%m-%d %H:%M} UTC before",
                REMEDIES[Reason.CLOCK_ROLLBACK],
            )
        return f"{self.now:%Y-%m-%d %H:%M} UTC, highest seen {seen.time:%Y-%m-%d %H:%M} UTC"

    @cached_property
    def machine(self) -> machine.Machine:
        return machine.identify(self.trust.root.kid, explicit=self.case.machine_id)

    def look_at_machine(self) -> str:
        try:
            return f"{self.machine.id}, from {self.machine.source}"
        except LicenseError:
            if self.license.machines is None:
                return "no id, and the license needs none"
            raise

    def look_at_meter(self) -> str:
        quota = self.license.unique_operations
        if quota is None:
            return "the license has no quota"
        ledger = Ledger(self._needed_directory() / state.LEDGER)
        drawn = sum(ledger.totals(self.license.id, owner=self.license.customer).values())
        return f"{drawn:,} of {quota:,} operations drawn"

    def look_at_permissions(self) -> str:
        if self.directory is None:
            return _HOMELESS
        return permissions.examine(self.directory, needed=self._keeps_something())

    def look_at_disk(self) -> str:
        if self.directory is None:
            return _HOMELESS
        return trials.examine(self.directory, needed=self._keeps_something())

    def _keeps_something(self) -> bool:
        """Whether calls are refused where nothing can be kept; a license that cannot be read has none."""
        try:
            return self.license.bound_to is not None or self.license.unique_operations is not None
        except TernaryError:
            return False

    @property
    def remedy_of_state(self) -> str:
        """What to do if this user cannot use the state; empty otherwise."""
        try:
            directory = self._needed_directory()
        except LedgerError:
            return "name a directory of this user's own with '--state DIR'"
        return permissions.give_back(directory) if permissions.is_closed(directory) else ""


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in _DISTRIBUTIONS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            remedy = pip_install(name) if name == "ternary-sdk" else f"pip install {name}"
            raise FaultError(f"{name} is not installed", remedy) from None
    return ", ".join(found)
