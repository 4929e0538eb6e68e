"""
A proved model under a license: how one is opened, what its license says, and what was counted under it.

Nothing here returns an operation that the license would have to grant; ``Model`` adds what does.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

from ternary_sdk._internal.licensing.claims import FEATURE, Action
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import MAX_PACKAGE, Package
from ternary_sdk._internal.source import Source, read
from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust
from ternary_sdk.errors import InputError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.proved import ProvedModel, ProvedPath

__all__ = ["LicensedModel"]

MAX_LICENSE: Final = 1 << 20


class LicensedModel(ProvedModel):
    """A proved model and the license that its calls are asked of; ``Model`` adds the calls."""

    def __init__(
        self,
        package: Package,
        trust: Trust,
        license: License | None,
        *,
        threads: int | None = None,
        machine_id: str | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prove a verified package; see ``open`` for what the arguments mean and what is refused."""
        self._trust, self._stored = trust, package
        self._machine_id, self._state = machine_id, state
        self._permit = self._permit_of(license) if license is not None else None
        self._clock = clock
        super().__init__(self._unlocked(self._permit), threads=threads)

    @classmethod
    def open(
        cls,
        file: Source,
        *,
        license: Source | None = None,
        trust: Source,
        threads: int | None = None,
        machine_id: str | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Open a package:

        1. read it once, capped; verify its signature, form and certificate against ``trust``;
        2. inspect the graphs, then load them from the verified bytes;
        3. prove again, on this machine, that every operation certified reachable is;
        4. verify the license's signature, if one is given.

        Whether the license allows a call is asked at each call. An encrypted package is decrypted with the
        license's key, and only while the license would allow some call here and now.

        Args:
            file: The ``.ternary`` package.
            license: The license; without one only what ``ProvedModel`` has can be used.
            trust: The trust file whose root key the caller relies on.
            threads: How many to compute with, by default as many as the process may use.
            machine_id: This machine's id where it has none of its own, as in a container.
            state: The state directory, as ``--state`` names it: each vendor's meter, clock mark and
                installation key are in a folder of it, made only where the license needs them. By default
                one in the user's data directory. A test with a clock of its own passes a temporary one.
            clock: Gives the present moment, timezone-aware. Under a license that ends, the latest moment it
                gave is kept in ``state``, by refused calls too, and one over 5 minutes before it is refused.
        Raises:
            InputError: If a file cannot be read.
            FormatError: If the package or the trust file is malformed.
            SignatureError: If one of them is not signed as it must be.
            ProofError: If the model does not do what its certificate says.
            LicenseError: If the trust file is older than one relied on before, the license is malformed, not
                properly signed, or revoked, or the package is encrypted and the license has no key for it
                or allows nothing here and now.
            LedgerError: If the package is encrypted, the license is bound, and its state cannot be read.
        """
        trusted = Trust.read(read(trust, MAX_TRUST))
        check_remembered(trusted, state)
        package = Package.read(read(file, MAX_PACKAGE), trusted)
        granted = License.read(read(license, MAX_LICENSE), trusted) if license is not None else None
        return cls(
            package, trusted, granted, threads=threads, machine_id=machine_id, state=state, clock=clock
        )

    @classmethod
    def evaluation(cls, *, threads: int | None = None) -> Self:
        """Open the model shipped inside the SDK, under a license that never ends and grants everything."""
        shipped = files("ternary_sdk").joinpath("evaluation")
        package, license, trust = (
            shipped.joinpath(f"evaluation.{kind}").read_bytes() for kind in ("ternary", "license", "trust")
        )
        return cls.open(package, license=license, trust=trust, threads=threads)

    @property
    def license(self) -> License | None:
        """The license that the next call is asked of; None if it was opened without one."""
        return self._permit.license if self._permit is not None else None

    def relicense(self, license: Source) -> None:
        """Go on under another license, such as a renewed one, without opening and proving again.

        Calls that run end under the license they began with, the next ones ask the new one. The trust file
        stays the one it was opened with: for a newer one, open the model again.

        Args:
            license: The license.
        Raises:
            InputError: If the file cannot be read.
            LicenseError: As ``open``; the present license stays then.
        """
        permit = self._permit_of(License.read(read(license, MAX_LICENSE), self._trust))
        self._unlocked(permit)
        self._permit = permit

    def expect_entitled(self, feature: str) -> None:
        """Refuse unless the license allows a feature of the vendor's own, for this package, here and now.

        For the vendor's program, before it does what only some customers have bought. Takes microseconds.

        Args:
            feature: Its name, ``x-…``, as the license lists it.
        Raises:
            InputError: If it is not such a name.
            LicenseError: NOT_FOUND, if there is no license; ENTITLEMENT_MISSING, if it does not list the
                feature; else as a call of ``sample``.
        """
        if not FEATURE.fullmatch(feature):
            raise InputError(f"feature: {feature[:80]!r}, expected a name such as x-export")
        self._allowed(feature)

    def drawn(self) -> OperationSet:
        """The operations of this model's space ever returned under its license on this machine, as metered.

        Where the license has packages of several spaces, ``drawn_in_all`` counts for its quota.

        Raises:
            InputError: If there is no license, or it has no quota, so that nothing is counted.
            LedgerError: If the meter cannot be read.
        """
        return self._counting().drawn()

    def drawn_in_all(self) -> int:
        """How many operations count for the license's quota on this machine, those of all spaces added up.

        Raises:
            InputError, LedgerError: As ``drawn``.
        """
        return self._counting().total()

    def _counting(self) -> Permit:
        permit = self._permit
        if permit is None or permit.license.unique_operations is None:
            raise InputError(
                "model: nothing is counted, since it was opened without a license that has a quota"
            )
        return permit

    def _permit_of(self, license: License) -> Permit:
        return Permit(
            license,
            self._stored.identity,
            self._trust,
            space=self._stored.signature.space,
            machine_id=self._machine_id,
            state=self._state,
        )

    def _unlocked(self, permit: Permit | None) -> Package:
        """The package with its graphs in the clear; those of an encrypted one by the license's key."""
        if not self._stored.locked:
            return self._stored
        if permit is None:
            raise LicenseError(
                Reason.NOT_FOUND,
                f"{self._stored.manifest.label} is encrypted and only its license has the key; "
                "pass license= or '--license FILE'",
            )
        return self._stored.unlock(permit.content_key(self._clock()))

    def _authorized(self, action: Action, path: str | None) -> tuple[Permit, tuple[str, ProvedPath]]:
        """Who allowed the call, and counts it; and the path it is about."""
        used = self._path(path)
        return self._allowed(action), used

    def _allowed(self, action: str) -> Permit:
        permit = self._permit
        if permit is None:
            raise LicenseError(
                Reason.NOT_FOUND,
                f"{action} needs a license and none was given; pass license= or '--license FILE'",
            )
        permit.allow(action, self._clock())
        return permit
