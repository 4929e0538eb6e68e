"""
Which package, license and trust file a command works with: options, else pins, else the evaluation package.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ternary_sdk
from ternary_cli import pins
from ternary_cli.documents import license_named, read_license, read_package, read_trust
from ternary_cli.files import read
from ternary_cli.pins import Pins
from ternary_cli.terminal import note
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, InputError, LicenseError, ProofError, SignatureError
from ternary_sdk.model import Model

EVALUATION: Final = (
    "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'"
)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was chosen, each file read once: what was compared with the pin is what is relied on."""

    name: str
    """Where the package was found, for messages."""
    package: bytes
    """The ``.ternary`` file."""
    license: bytes | None
    """The license file, where one was chosen."""
    license_name: str = "license"
    """Where the license was found, for messages."""
    trust: Trust
    """Whom to believe."""
    machine_id: str | None = None
    """This machine's explicit id, where it was given one."""
    state: Path | None = None
    """The state directory, where one was chosen."""

    def open(self) -> Model:
        """Verify and prove the package, under the license where there is one."""
        with self._named():
            return Model.open(
                self.package,
                license=self.license,
                trust=self.trust.data,
                machine_id=self.machine_id,
                state=self.state,
            )

    def read(self) -> Package:
        """Verify the package without proving it."""
        with self._named():
            return Package.read(self.package, self.trust)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which file a refusal is: it may be one that was pinned long ago."""
        try:
            yield
        except LicenseError as refusal:
            raise license_named(refusal, self.license_name) from None
        except (FormatError, SignatureError, ProofError) as refusal:
            raise type(refusal)(f"{self.name}: {refusal}") from None


def select(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None = None,
    *,
    state: Path | None,
) -> Selection:
    """Take each file from its option, else from the pins; with neither, the evaluation package.

    A line on standard error says so if it is the evaluation package. The pins are those of the chosen state
    directory.

    Raises:
        InputError: If some are given and the others are neither given nor pinned.
        SignatureError: If the pinned trust file no longer has the root that was pinned.
        FormatError: If the trust file is damaged.
        TernaryError: If a file cannot be read.
    """
    pinned = pins.load(state)
    if package is None and license is None and trust is None and pinned is None:
        return _evaluation(machine_id, state)
    package = package or (pinned.package if pinned else None)
    if package is None:
        raise InputError("a license or trust file was given without a package; name the package too")
    license = license or (pinned.license if pinned else None)
    return Selection(
        name=str(package),
        package=read_package(package),
        license=read_license(license) if license is not None else None,
        license_name=str(license),
        trust=_remembered(present_trust(trust, pinned), state),
        machine_id=machine_id or (pinned.machine_id if pinned else None),
        state=state,
    )


def select_to_verify(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    *,
    state: Path | None,
) -> Selection:
    """As ``select``, but the pinned license comes with the pinned package alone.

    With any other, perhaps of another vendor, it would be refused although nobody asked for it.
    """
    selection, pinned = select(package, license, trust, machine_id, state=state), pins.load(state)
    if license is not None or package is None or pinned is None:
        return selection
    same = package.resolve() == pinned.package.resolve()
    return selection if same else replace(selection, license=None)


def select_trust(trust: Path | None, *, state: Path | None) -> Trust:
    """Read the trust file of the option, else the pinned one; it may not be older than one relied on before.

    Raises:
        LicenseError: As ``check_remembered``.
        InputError, SignatureError, FormatError: As ``present_trust``.
    """
    return _remembered(present_trust(trust, pins.load(state)), state)


def _remembered(held: Trust, state: Path | None) -> Trust:
    check_remembered(held, state)
    return held


def present_trust(trust: Path | None, pinned: Pins | None) -> Trust:
    """Read the trust file of the option, else the pinned one, whose root must be the pinned one.

    Raises:
        InputError: If there is neither.
        SignatureError: If the pinned file has another root by now.
        FormatError: If it is damaged.
    """
    if trust is not None:
        return read_trust(trust)
    if pinned is None:
        raise InputError("no trust file: add --trust T, or pin one with 'ternary use'")
    held = read_trust(pinned.trust)
    if held.root.kid != pinned.root:
        raise SignatureError(
            f"{pinned.trust}: its root is {held.root.kid}, 'ternary use' pinned {pinned.root}; "
            "if the vendor confirms the new root, pin it with 'ternary use'"
        )
    return held


def _evaluation(machine_id: str | None, state: Path | None) -> Selection:
    note(EVALUATION)
    shipped = Path(ternary_sdk.__file__).parent / "evaluation"
    package, license, trust = (
        read(shipped / f"evaluation.{kind}")[0] for kind in ("ternary", "license", "trust")
    )
    return Selection(
        name="evaluation package",
        package=package,
        license=license,
        trust=_remembered(Trust.read(trust), state),
        machine_id=machine_id,
        state=state,
    )


def select_license(license: Path | None, trust: Path | None, *, state: Path | None) -> tuple[License, Trust]:
    """The license of the option, else the pinned one, else the evaluation package's, verified.

    Raises:
        InputError: If a license is given and no trust file is given or pinned.
        LicenseError: If it is malformed, not properly signed, or revoked.
    """
    if license is None:
        selection = select(None, None, trust, state=state)
        data, trusted, name = selection.license or b"", selection.trust, selection.license_name
    else:
        data, trusted, name = read_license(license), select_trust(trust, state=state), str(license)
    try:
        return License.read(data, trusted), trusted
    except LicenseError as refusal:
        raise license_named(refusal, name) from None
