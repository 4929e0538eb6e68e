"""
A license at work: one open package, one machine, one clock, one meter.

``License`` says what was granted and touches nothing; this brings it together with this user's state, and
only as much of it as the license needs. One that never ends keeps no clock mark, one without a quota no
meter, one for any machine asks for no id.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import clock, installation, machine
from ternary_sdk._internal.licensing.claims import ACTIONS, ContentKey
from ternary_sdk._internal.licensing.clock import Clock
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Mark, Versions
from ternary_sdk._internal.licensing.state import LEDGER, for_vendor
from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, InputError, LedgerError, LicenseError, Reason, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

if TYPE_CHECKING:
    from ternary_sdk._internal.licensing.ledger import Ledger
    from ternary_sdk._internal.licensing.usage import Report


class Permit(ProcessBound):
    """Allows or refuses each call on an open package. Safe among threads and after a fork.

    Args:
        license: What was granted.
        package: The package that is open.
        trust: The trust file the license was read with.
        space: What the open package's operations are of; None where no package is open.
        machine_id: This machine's id where it has none of its own, as in a container.
        state: The state directory, by default one in the user's data directory.
    """

    def __init__(
        self,
        license: License,
        package: PackageIdentity,
        trust: Trust,
        *,
        space: Space | None = None,
        machine_id: str | None = None,
        state: Path | None = None,
    ) -> None:
        self.license = license
        self._space = space
        self.package = package
        self._trust = trust
        self._machine_id = machine_id
        self._state = state
        self._clock = Clock(
            lambda: self._directory,
            signed=newest_signature(license, trust),
            floor=newest_list(trust),
            strict=license.bound_to is not None,
            versions=Versions.of(trust),
        )
        self._remembered = False
        self._machine_here: str | None = None
        self._installation_here: installation.Installation | None = None
        if license.unique_operations is not None:
            _ledger_class()  # now, since a child forked while another thread imports it could never do so

    def allow(self, action: str, now: datetime) -> None:
        """Allow one call, or refuse it with the first reason. Takes microseconds; ask before every call.

        1. the clock has not gone back, if the license ends;
        2. what the license grants covers this call;
        3. no license server has denied it since it was issued, and its seat was not given back.

        Args:
            action: What is about to be done.
            now: The present moment, timezone-aware.
        Raises:
            LicenseError: CLOCK_ROLLBACK, as ``License.check``, or with the reason of the denial.
            LedgerError: If the license is bound and this user's state cannot be read or kept.
        """
        if self.license.expires is None:
            self._remember(now)
        self._ask(action, now, self._clock.check)

    def preview(self, action: str, now: datetime) -> None:
        """Refuse as ``allow`` would, and leave nothing behind: for looking at a license.

        Raises:
            LicenseError, LedgerError: As ``allow``.
        """
        self._ask(action, now, self._clock.preview)

    def _ask(self, action: str, now: datetime, watch: Callable[[datetime], None]) -> None:
        try:
            if self.license.expires is not None:
                watch(now)
            self._check(action, now)
        except LicenseError as refusal:
            raise _first([refusal, *self._denials()]) from None
        for denial in self._denials():
            raise denial

    def _check(self, action: str, now: datetime) -> None:
        self.license.check(
            action,
            package=self.package,
            machine=lambda: self._machine,
            installation=lambda: self._installation.kid if self._installation else None,
            now=now,
        )

    def _denials(self) -> list[LicenseError]:
        if self.license.expires is None:
            return []
        try:
            found = denial_of(self.license, self._clock.seen)
        except LicenseError as refusal:  # what would say so was removed or altered
            found = refusal
        return [] if found is None else [found]

    def _remember(self, now: datetime) -> None:
        """Keep which trust file is relied on; a license that ends keeps it with its time."""
        if not self._remembered:
            with suppress(LedgerError):
                clock.remember(self._directory, self._trust, now, signed=newest_list(self._trust))
            self._remembered = True

    def count(self, operations: Callable[[], OperationSet]) -> None:
        """Count operations that are about to be returned; on return they are on disk.

        Args:
            operations: Gives them; not asked under a license without a quota.
        Raises:
            LicenseError: QUOTA_EXHAUSTED, if they would exceed the quota; none may be returned then.
            LedgerError: If the meter cannot be kept; none may be returned then.
        """
        if self.license.unique_operations is not None:
            self.ledger.record(
                self.license.id,
                self.license.unique_operations,
                operations(),
                lease=self.license.lease,
                owner=self.license.customer,
            )

    def count_new(self, operations: OperationSet) -> OperationSet:
        """Count operations as ``count`` does if not one of them was returned before under this license; else
        none.

        Returns:
            Those that were returned before; empty if all are counted now.
        Raises:
            InputError: If the license has no quota, so that no meter is kept.
            LicenseError, LedgerError: As ``count``.
        """
        self.expect_meter()
        return self.ledger.record_new(
            self.license.id,
            self.license.unique_operations or 0,
            operations,
            lease=self.license.lease,
            owner=self.license.customer,
        )

    def lacking(self, operations: OperationSet) -> OperationSet:
        """Those of some operations that were never returned under this license on this machine.

        Raises:
            InputError: If the license has no quota, so that no meter is kept.
            LedgerError: If the meter cannot be read.
        """
        self.expect_meter()
        return self.ledger.lacking(self.license.id, operations)

    def expect_meter(self) -> None:
        """Refuse a license that keeps no meter.

        Raises:
            InputError: If it has no quota.
        """
        if self.license.unique_operations is None:
            raise InputError(
                f"license {self.license.id}: has no quota, so it keeps no meter, and which operations it has "
                "returned is not known"
            )

    def content_key(self, now: datetime) -> bytes:
        """The 32 bytes that decrypt the package, if the license would allow any call at all on it now.

        Leaves nothing behind, as ``preview``.

        Args:
            now: The present moment, timezone-aware.
        Raises:
            LicenseError: PACKAGE_MISMATCH, if the license carries no key for it, or as ``allow``: the first
                reason that applies.
            LedgerError: As ``allow``.
        """
        key = next((key for key in self.license.content_keys if key.digest == self.package.digest), None)
        found = [] if key is not None else [self._keyless()]
        try:
            self.preview(next(action for action in ACTIONS if action in self.license.entitlements), now)
        except LicenseError as refusal:
            found.append(refusal)
        if key is None or found:
            raise _first(found) from None
        return self._open(key)

    def _keyless(self) -> LicenseError:
        return LicenseError(
            Reason.PACKAGE_MISMATCH,
            f"license {self.license.id} carries no key for {self.package}, which is encrypted; "
            f"ask {self.license.vendor} for a license that does",
        )

    def _open(self, key: ContentKey) -> bytes:
        if key.clear is not None:
            return key.clear
        held = cast("installation.Installation", self._installation)  # a bound license was just checked
        try:
            return key.open(held)
        except (FormatError, SignatureError) as refusal:
            raise LicenseError(Reason.MALFORMED, f"license {self.license.id}: {refusal}") from None

    @property
    def ledger(self) -> "Ledger":
        """The meter of this vendor's licenses; nothing is opened before its first use.

        Raises:
            LedgerError: If this user has no home directory.
        """
        return _ledger_class()(self._directory / LEDGER)

    def usage(self, now: datetime, *, space: Space | None = None) -> "Iterator[Report]":
        """Signed reports of what was returned so far under the license's lease, for the vendor: one, or for
        a vast space as many as the server needs.

        See ``ternary_sdk._internal.licensing.usage``.

        Args:
            now: The present moment, timezone-aware.
            space: As ``drawn``.
        Raises:
            InputError: As ``drawn``.
            LedgerError: If the meter or the installation key cannot be read or made.
        """
        of = space or self._counted_space()
        from ternary_sdk._internal.licensing import usage

        held, license = self.established(now), self.license
        counted = self.ledger.counted(license.id, lease=license.lease, owner=license.customer, space=of)
        return usage.reports(license.id, counted, held, now)

    def established(self, now: datetime) -> installation.Installation:
        """This user's installation, made where there is none yet.

        Args:
            now: The present moment, timezone-aware.
        Raises:
            LedgerError, LicenseError: If it cannot be read or made.
        """
        return clock.establish(self._directory, now, signed=newest_signature(self.license, self._trust))

    def drawn(self, *, space: Space | None = None) -> OperationSet:
        """The operations that count for the quota on this machine: those ever returned to its customer.

        Args:
            space: What they are operations of; by default the package's, or the only one counted.
        Raises:
            InputError: If no package is open and operations of several spaces were counted.
            LedgerError: If the meter cannot be read.
        """
        of = space or self._counted_space()
        return self.ledger.drawn(self.license.id, space=of, owner=self.license.customer)

    def totals(self) -> dict[Space, int]:
        """How many operations of each space count for the quota on this machine, ascending by space.

        Raises:
            LedgerError: If the meter cannot be read.
        """
        return self.ledger.totals(self.license.id, owner=self.license.customer)

    def total(self) -> int:
        """How many operations count for the quota on this machine, those of all spaces added up.

        Raises:
            LedgerError: If the meter cannot be read.
        """
        return sum(self.totals().values())

    def _counted_space(self) -> Space:
        """The package's space; without a package the one in which anything was counted."""
        if self._space is not None:
            return self._space
        found = tuple(self.totals())
        if len(found) > 1:
            counted = " and ".join(map(str, found))
            raise InputError(
                f"license {self.license.id}: operations of the spaces {counted} were counted under it; "
                "say which with '--space'"
            )
        return found[0] if found else TERNARY_2

    @property
    def _directory(self) -> Path:
        return for_vendor(self._trust.root.kid, self._state)

    # Python 3.11's cached_property holds a lock while it computes, which a forked child would find taken.
    @property
    def _machine(self) -> str:
        if self._machine_here is None:
            self._machine_here = machine.identify(self._trust.root.kid, explicit=self._machine_id).id
        return self._machine_here

    @property
    def _installation(self) -> installation.Installation | None:
        if self._installation_here is None:
            self._installation_here = installation.find(self._directory)
        return self._installation_here


def _ledger_class() -> "type[Ledger]":
    from ternary_sdk._internal.licensing.ledger import (
        Ledger,  # SQLite, which a license without a quota does without
    )

    return Ledger


def _first(refusals: Sequence[LicenseError]) -> LicenseError:
    """Of several reasons that apply, the one that is told."""
    return min(refusals, key=lambda one: list(Reason).index(one.code))


def denial_of(license: License, seen: Mark | None) -> LicenseError | None:
    """Why a lease no longer holds, though it has not ended: its server's denial, or a release.

    Args:
        license: What was granted; one that is bound to no installation knows no server.
        seen: What this installation remembers.
    """
    denial = seen.denial(license.id, license.issued) if seen is not None else None
    if denial is None or license.bound_to is None:
        return None
    sentence = (
        "this machine's seat was lost or given back; run 'ternary activate' again"
        if denial.code is Reason.LEASE_LOST
        else f"{license.vendor}'s license server denied it; ask {license.vendor}, then run 'ternary renew'"
    )
    return LicenseError(denial.code, f"license {license.id}: {sentence}")


def newest_signature(license: License, trust: Trust) -> datetime:
    """The newest moment the vendor has signed, as far as this client holds it: time has come that far."""
    return max(license.issued, newest_list(trust))


def newest_list(trust: Trust) -> datetime:
    """When the newer of the trust file's key set and revocation list was signed."""
    return max(trust.issued, trust.revocations.issued) if trust.revocations else trust.issued
