"""
Reading and verifying the package, license and trust file that a command works with (``chosen``).
"""

from dataclasses import dataclass
from pathlib import Path

from ternary_cli.chosen import Chosen, choose, or_evaluation
from ternary_cli.documents import license_named, read_package, read_trust, verified, verified_license
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, InputError, LicenseError, ProofError, SignatureError
from ternary_sdk.model import Model


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was chosen, each file read and verified once: what was compared with the pin is relied on."""

    name: str
    """Where the package was found, for messages."""
    package: Package
    """The package, verified and not proved."""
    size: int
    """Length of its file, in bytes."""
    license: Path | None
    """The license, where one was chosen; only what needs it reads it."""
    trust: Trust
    """Whom to believe."""
    machine_id: str | None = None
    """This machine's explicit id, where it was given one."""
    state: Path | None = None
    """The state directory, where one was chosen."""

    def open(self) -> Model:
        """Prove the package, under the license where there is one; it is verified here."""
        granted = None if self.license is None else verified_license(self.license, self.trust)
        try:
            return Model(self.package, self.trust, granted, machine_id=self.machine_id, state=self.state)
        except LicenseError as refusal:
            raise license_named(refusal, str(self.license)) from None
        except ProofError as refusal:
            named = ProofError(f"{self.name}: {refusal}")
            named.path = refusal.path
            raise named from None
        except (FormatError, SignatureError) as refusal:
            raise type(refusal)(f"{self.name}: {refusal}") from None


def select(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None = None,
    *,
    state: Path | None,
) -> Selection:
    """Verify what the options name, else what is pinned, else the evaluation package.

    Raises:
        InputError, SignatureError, FormatError, TernaryError: As ``selected``.
    """
    return selected(or_evaluation(choose(package, license, trust, machine_id, state=state)), state)


def selected(chosen: Chosen, state: Path | None) -> Selection:
    """Verify what was chosen.

    Raises:
        InputError, SignatureError, FormatError, TernaryError: As ``fetched``, and ``Fetched.verified``.
    """
    return fetched(chosen, state).verified()


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was chosen, with the package's bytes as they are: nothing of them is known yet."""

    chosen: Chosen
    """Where they were found."""
    name: str
    """The package's, for messages."""
    data: bytes
    """The package's bytes."""
    trust: Trust
    """Whom to believe."""
    state: Path | None
    """The state directory, where one was chosen."""

    def verified(self) -> Selection:
        """Verify the package.

        Raises:
            FormatError: If it is damaged.
            SignatureError: If it is not signed as it must be.
        """
        return Selection(
            name=self.name,
            package=verified(self.data, self.name, self.trust),
            size=len(self.data),
            license=self.chosen.license,
            trust=self.trust,
            machine_id=self.chosen.machine_id,
            state=self.state,
        )


def fetched(chosen: Chosen, state: Path | None) -> Fetched:
    """Read what was chosen, and verify the trust file.

    Raises:
        InputError: If some files are given and the others are neither given nor pinned.
        SignatureError: If the pinned trust file no longer has the root that was pinned.
        FormatError: If the trust file is damaged.
        TernaryError: If a file cannot be read.
    """
    if chosen.package is None:
        raise InputError("a license or trust file was given without a package; name the package too")
    name = "evaluation package" if chosen.evaluation else str(chosen.package)
    data, trusted = read_package(chosen.package), remembered_trust(chosen, state)
    return Fetched(chosen=chosen, name=name, data=data, trust=trusted, state=state)


def select_trust(trust: Path | None, *, state: Path | None) -> Trust:
    """Read the trust file of the option, else the pinned one.

    Raises:
        LicenseError, InputError, SignatureError, FormatError: As ``remembered_trust``.
    """
    return remembered_trust(choose(trust=trust, state=state), state)


def remembered_trust(chosen: Chosen, state: Path | None) -> Trust:
    """Read a trust file, which may not be older than one relied on before.

    Raises:
        LicenseError: As ``check_remembered``.
        InputError, SignatureError, FormatError: As ``present_trust``.
    """
    held = present_trust(chosen)
    check_remembered(held, state)
    return held


def present_trust(chosen: Chosen) -> Trust:
    """Read a trust file; a pinned one must still have the root that was pinned.

    Raises:
        InputError: If there is none.
        SignatureError: If the pinned file has another root by now.
        FormatError: If it is damaged.
    """
    if chosen.trust is None:
        raise InputError("no trust file: add --trust T, or pin one with 'ternary use'")
    held = read_trust(chosen.trust)
    if chosen.root is not None and held.root.kid != chosen.root:
        raise SignatureError(
            f"{chosen.trust}: its root is {held.root.kid}, 'ternary use' pinned {chosen.root}; "
            "if the vendor confirms the new root, pin it with 'ternary use'"
        )
    return held


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A verified license, and what it is asked with."""

    license: License
    """What was granted."""
    trust: Trust
    """Whom to believe."""
    machine_id: str | None
    """This machine's explicit id, where it was given one."""


def select_license(
    license: Path | None, trust: Path | None, machine_id: str | None = None, *, state: Path | None
) -> Granted:
    """The license of the option, else the pinned one, else the evaluation package's, verified.

    Raises:
        InputError: If only one of license and trust file is given, and the other is not pinned.
        LicenseError: If it is malformed, not properly signed, or revoked.
    """
    chosen = or_evaluation(choose(None, license, trust, machine_id, state=state))
    if chosen.license is None:
        raise InputError("no license: name one, or pin one with 'ternary use'")
    trusted = remembered_trust(chosen, state)
    held = verified_license(chosen.license, trusted)
    return Granted(license=held, trust=trusted, machine_id=chosen.machine_id)
