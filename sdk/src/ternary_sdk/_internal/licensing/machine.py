"""
What this machine is called in licenses: a salted hash of an id that the operating system keeps.

Changing how an id is made cuts every customer with a machine-bound license off. Ids are no secret and a
determined user can forge one; a license that must not be copied is bound to an installation key instead.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_sdk._internal.documents import legible
from ternary_sdk._internal.licensing import machine_sources
from ternary_sdk.errors import InputError, LicenseError, Reason

_CONTAINER_MARKS: Final = (".dockerenv", "run/.containerenv", "run/secrets/kubernetes.io")
"""Of Docker, Podman and Kubernetes. Not of LXC or systemd-nspawn, whose systems keep an id of their own."""
_LINUX_FILES: Final = ("etc/machine-id", "var/lib/dbus/machine-id")
_IOREG: Final = ("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
_REGISTRY_KEY: Final = r"SOFTWARE\Microsoft\Cryptography"
_MACHINE_GUID: Final = rf"HKLM\{_REGISTRY_KEY}\MachineGuid"
_MAX_EXPLICIT: Final = 200
_TIMEOUT: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Machine:
    """This machine's id for one vendor, and what it rests on."""

    id: str
    """``m-`` and 32 hex digits from the operating system, ``x-`` and 32 from an explicit id."""
    source: str
    """Where the id came from."""
    may_change: str
    """What would give this machine another id."""


def identify(vendor: str, *, explicit: str | None = None, root: Path = Path("/")) -> Machine:
    """Name this machine.

    The id is the first 128 bits of SHA-256 over a label, the vendor's root thumbprint (so that two
    vendors cannot compare customers) and the source's value. Sources, the first that answers:

    - ``explicit``, for containers and other places that have no identity of their own. Its ids begin
      with ``x-``, so a license for a real machine is never met by a text that somebody chose; the
      vendor sees the difference and decides whether to accept it;
    - Linux: ``/etc/machine-id``, else ``/var/lib/dbus/machine-id``, but not in a container, whose file
      belongs to the image and is the same everywhere;
    - macOS: ``IOPlatformUUID``; Windows: ``MachineGuid``.

    Nothing random is ever made up in place of a missing source.

    Args:
        vendor: The root key's thumbprint, ``trust.root.kid``.
        explicit: An id of the caller's choosing, 1 to 200 printable characters.
        root: The file system to look in.
    Raises:
        LicenseError: MACHINE_REQUIRED, if no source answers; the sentence says what to pass.
        InputError: If ``explicit`` is empty, too long or not printable.
    """
    if explicit is not None:
        if not legible.is_name(explicit, _MAX_EXPLICIT):
            found = legible.shown(repr(explicit[:60]))
            raise InputError(f"machine id: {found}, expected 1 to {_MAX_EXPLICIT} printable characters")
        return Machine(
            id=f"x-{_hash('explicit', vendor, explicit)}",
            source="the id given by the embedding program",
            may_change="another id is given",
        )
    value, source, may_change = _sources(root)
    return Machine(id=f"m-{_hash('machine', vendor, value)}", source=source, may_change=may_change)


def _sources(root: Path) -> tuple[str, str, str]:
    find: Callable[[Path], tuple[str, str, str]] = {"darwin": _macos, "win32": _windows}.get(
        sys.platform, _linux
    )
    return find(root)


def _linux(root: Path) -> tuple[str, str, str]:
    for mark in _CONTAINER_MARKS:
        if _exists(root / mark):
            raise _unknown(f"this is a container ({root / mark} exists), which has no identity of its own")
    for name in _LINUX_FILES:
        value = machine_sources.linux_machine_id(_read(root / name))
        if value is not None:
            return value, str(root / name), "the system is installed anew or its image cloned and reset"
    raise _unknown(f"{root / _LINUX_FILES[0]} holds no machine id")


def _macos(_root: Path) -> tuple[str, str, str]:
    import subprocess  # only macOS needs another program

    try:
        listing = subprocess.run(_IOREG, capture_output=True, timeout=_TIMEOUT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        raise _unknown(f"{_IOREG[0]} does not answer") from None
    value = machine_sources.macos_platform_uuid(listing)
    if value is None:
        raise _unknown(f"{_IOREG[0]} names no IOPlatformUUID of this machine's own")
    return value, "IOPlatformUUID", "the logic board is replaced"


def _windows(_root: Path) -> tuple[str, str, str]:
    value = machine_sources.windows_machine_guid(_registry())
    if value is None:
        raise _unknown(f"the registry holds no {_MACHINE_GUID} of this machine's own")
    return value, _MACHINE_GUID, "Windows is installed anew"


def _registry() -> object:
    """What the registry holds; None where there is no such value, or no registry."""
    if sys.platform == "win32":
        try:
            import winreg

            flags = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _REGISTRY_KEY, 0, flags) as handle:
                return winreg.QueryValueEx(handle, "MachineGuid")[0]
        except (ImportError, OSError):
            return None
    return None


def _exists(path: Path) -> bool:
    """Whether it is there; what this user may not look at is taken as absent."""
    try:
        return path.exists()
    except OSError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _hash(kind: str, vendor: str, value: str) -> str:
    parts = [part.encode() for part in ("ternary-machine-v1", kind, vendor, value)]
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(framed).hexdigest()[:32]


def _unknown(why: str) -> LicenseError:
    return LicenseError(
        Reason.MACHINE_REQUIRED,
        f"machine: {why}; give this machine an explicit id and have the vendor license that id",
    )
