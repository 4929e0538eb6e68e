"""
Which files a command works with: each from its option, else from the pins; without either, the evaluation's.

This is decided here alone. ``selection`` reads and verifies what is chosen.
"""

from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from ternary_cli import pins
from ternary_cli.pins import Pins
from ternary_cli.terminal import note

EVALUATION: Final = (
    "no package chosen: this is the SDK's evaluation package; choose with options or 'ternary use'"
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Where the files are; what is neither given nor pinned is None."""

    package: Path | None
    """The ``.ternary`` file."""
    license: Path | None
    """The license."""
    trust: Path | None
    """The trust file."""
    root: str | None
    """Thumbprint of the root key that the trust file must have; None where an option names the file."""
    machine_id: str | None
    """This machine's explicit id."""
    evaluation: bool = False
    """Whether these are the SDK's own files."""


def choose(
    package: Path | None = None,
    license: Path | None = None,
    trust: Path | None = None,
    machine_id: str | None = None,
    *,
    state: Path | None,
) -> Chosen:
    """Take each from its option, else from the pins of the state directory.

    Raises:
        TernaryError: As ``pins.load``.
    """
    return _merged(package, license, trust, machine_id, pins.load(state))


def choose_to_verify(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    *,
    state: Path | None,
) -> Chosen:
    """As ``choose``, but the pinned license comes with the pinned package alone.

    With any other, perhaps of another vendor, it would be refused although nobody asked for it.
    """
    pinned = pins.load(state)
    chosen = _merged(package, license, trust, machine_id, pinned)
    if license is not None or package is None or pinned is None:
        return chosen
    same = package.resolve() == pinned.package.resolve()
    return chosen if same else replace(chosen, license=None)


def or_evaluation(chosen: Chosen) -> Chosen:
    """The same, or the evaluation package's files if no file is given or pinned.

    A line on standard error says so if it is the evaluation package.
    """
    if chosen.package is not None or chosen.license is not None or chosen.trust is not None:
        return chosen
    note(EVALUATION)
    shipped = Path(str(files("ternary_sdk") / "evaluation"))
    return replace(
        chosen,
        package=shipped / "evaluation.ternary",
        license=shipped / "evaluation.license",
        trust=shipped / "evaluation.trust",
        evaluation=True,
    )


def _merged(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    pinned: Pins | None,
) -> Chosen:
    if pinned is None:
        return Chosen(package=package, license=license, trust=trust, root=None, machine_id=machine_id)
    return Chosen(
        package=package or pinned.package,
        license=license or pinned.license,
        trust=trust or pinned.trust,
        root=pinned.root if trust is None else None,
        machine_id=machine_id or pinned.machine_id,
    )
