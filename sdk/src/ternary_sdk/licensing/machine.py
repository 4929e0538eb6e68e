"""
What this machine is called in licenses: a salted hash of an id that the operating system keeps.

Changing how an id is made cuts every customer with a machine-bound license off. Ids are no secret and a
determined user can forge one; a license that must not be copied is bound to an installation key instead.
"""

import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_sdk.errors import InputError, LicenseError, Reason

_CONTAINER_MARKS: Final = (".dockerenv", "run/.containerenv", "run/secrets/kubernetes.io")
_LINUX_FILES: Final = ("etc/machine-id", "var/lib/dbus/machine-id")
_LINUX_ID: Final = re.compile(r"[0-9a-f]{32}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
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
        if not explicit.strip() or len(explicit) > _MAX_EXPLICIT or not explicit.isprintable():
            raise InputError(
                f"machine id: {explicit[:60]!r}, expected 1 to {_MAX_EXPLICIT} printable characters"
            )
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
        if (root / mark).exists():
            raise _unknown(f"this is a container ({root / mark} exists), which has no identity of its own")
    for name in _LINUX_FILES:
        value = _read(root / name)
        if _LINUX_ID.fullmatch(value) and len(set(value)) > 1:
            return value, str(root / name), "the system is installed anew or its image cloned and reset"
    raise _unknown(f"{root / _LINUX_FILES[0]} holds no machine id")


def _macos(_root: Path) -> tuple[str, str, str]:
    import subprocess  # only macOS needs another program

    command = ["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        raise _unknown("ioreg does not answer") from None
    found = re.search(rf'"IOPlatformUUID" = "({_UUID.pattern})"', listing)
    if not found:
        raise _unknown("ioreg names no IOPlatformUUID")
    return found[1].lower(), "IOPlatformUUID", "the logic board is replaced"


def _windows(_root: Path) -> tuple[str, str, str]:
    key = r"SOFTWARE\Microsoft\Cryptography"
    value = ""
    if sys.platform == "win32":
        import winreg

        flags = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, flags) as handle:
                value = str(winreg.QueryValueEx(handle, "MachineGuid")[0])
        except OSError:
            value = ""
    if not _UUID.fullmatch(value):
        raise _unknown("the registry holds no MachineGuid")
    return value.lower(), rf"HKLM\{key}\MachineGuid", "Windows is installed anew"


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
