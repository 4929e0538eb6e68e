"""
What ``ternary use`` pinned for this user: a package, its license, its trust file and the root to expect.

The thumbprint is what makes it a pin: a trust file that is later replaced by one with another root is
refused, while one with a newer key set of the same root is taken.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_cli.refusals import FileError, because, check_name
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.licensing import state
from ternary_sdk._internal.signing import jws
from ternary_sdk.errors import FormatError, InputError, TernaryError

FORMAT: Final = "ternary-pins/1"
FILE: Final = "pins.json"
MAX_FILE: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Pins:
    """What was pinned."""

    package: Path
    """Absolute path of the package."""
    license: Path
    """Absolute path of its license."""
    trust: Path
    """Absolute path of the trust file."""
    root: str
    """Thumbprint of the vendor's root key."""
    machine_id: str | None = None
    """This machine's explicit id, where it was given one."""

    def to_bytes(self) -> bytes:
        """The pins as a document."""
        members: dict[str, canonical.Json] = {
            "format": FORMAT,
            "license": str(self.license),
            "package": str(self.package),
            "root": self.root,
            "trust": str(self.trust),
        }
        if self.machine_id is not None:
            members["machine_id"] = self.machine_id
        return canonical.encode(members)

    @classmethod
    def read(cls, data: bytes) -> "Pins":
        """Read what ``to_bytes`` wrote.

        Raises:
            FormatError: If it is anything else.
            InputError: If no file can have a name in it.
        """
        fields = Fields(canonical.decode(data, "pins"), "pins")
        fields.exactly("format", FORMAT)
        pins = cls(
            package=Path(fields.text("package")),
            license=Path(fields.text("license")),
            trust=Path(fields.text("trust")),
            root=fields.text("root", pattern=jws.KID),
            machine_id=fields.optional("machine_id", fields.text),
        )
        fields.end()
        for path in (pins.package, pins.license, pins.trust):
            check_name(path)
        return pins


def load(chosen: Path | None) -> Pins | None:
    """The pins, or None if there are none; a user without a home directory has none.

    Args:
        chosen: The state directory that ``--state`` names.
    Raises:
        LedgerError: If they cannot be read.
        TernaryError: If they are damaged; the sentence says how to pin anew.
    """
    path = _location(chosen)
    data = state.read(path, MAX_FILE) if path is not None else None
    if data is None:
        return None
    try:
        return Pins.read(data)
    except (FormatError, InputError) as refusal:
        raise TernaryError(f"{path}: {refusal}; run 'ternary use' again") from None


def save(pins: Pins, chosen: Path | None) -> None:
    """Replace the pins.

    Raises:
        InputError: If a name is not Unicode, as other programs and code pages can make one.
        LedgerError: If they cannot be written.
    """
    for path in (pins.package, pins.license, pins.trust):
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{path}: this name is not Unicode here and cannot be pinned; rename it, or set PYTHONUTF8=1"
            ) from None
    state.write(state.directory(chosen) / FILE, pins.to_bytes())


def forget(chosen: Path | None) -> None:
    """Remove the pins; without them the evaluation package answers.

    Raises:
        TernaryError: If they cannot be removed.
    """
    path = _location(chosen)
    if path is None:
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from None


def _location(chosen: Path | None) -> Path | None:
    """Where the pins are kept; None where there is no place for any."""
    directory = state.default() if chosen is None else state.directory(chosen)
    return None if directory is None else directory / FILE
