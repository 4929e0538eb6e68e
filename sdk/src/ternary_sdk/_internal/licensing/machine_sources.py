"""
What operating systems say when asked for a machine's id: text in, id out.

An id that many machines share would let one license run on all of them, so values that makers and
imaging tools are known to leave behind are no ids. A copy of a whole disk keeps its id; nothing here can
tell.
"""

import re
from typing import Final

_MACHINE_ID: Final = re.compile(r"[0-9a-f]{32}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLATFORM_UUID: Final = re.compile(r'^[\s|]*"IOPlatformUUID" = "([^"]*)"\s*$', re.M)

_LEFT_BEHIND: Final = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "00020003-0004-0005-0006-000700080009",
        "01234567-8910-1112-1314-151617181920",
        "00112233-4455-6677-8899-aabbccddeeff",
    }
)
"""UUIDs that board makers ship unset: each is on thousands of machines."""


def linux_machine_id(text: str) -> str | None:
    """The id in ``/etc/machine-id``: 32 lowercase hex digits on a line (systemd's machine-id(5)).

    Returns:
        The id; None for an empty file, ``uninitialized``, or one digit repeated.
    """
    value = text.strip()
    return value if _MACHINE_ID.fullmatch(value) and len(set(value)) > 1 else None


def macos_platform_uuid(listing: bytes) -> str | None:
    """``IOPlatformUUID`` in what ``ioreg -rd1 -c IOPlatformExpertDevice`` prints.

    The names of its entries are the same in every language; product names may hold any bytes.

    Returns:
        The UUID in lowercase; None if it is missing, in there twice with two values, or a maker's default.
    """
    found = {value.lower() for value in _PLATFORM_UUID.findall(listing.decode("ascii", "replace"))}
    return _own(found.pop()) if len(found) == 1 else None


def windows_machine_guid(value: object) -> str | None:
    r"""The registry's ``HKLM\SOFTWARE\Microsoft\Cryptography\MachineGuid``, as the registry gives it.

    Returns:
        The GUID in lowercase, without the braces that some tools write; None if it is no text, no GUID, or
        a default that imaging leaves behind.
    """
    if not isinstance(value, str):
        return None
    text = value.strip().strip("\0").lower()
    return _own(text[1:-1] if text.startswith("{") and text.endswith("}") else text)


def _own(uuid: str) -> str | None:
    """The UUID, if it is one and may be one machine's own."""
    digits = set(uuid.replace("-", ""))
    return uuid if _UUID.fullmatch(uuid) and len(digits) > 2 and uuid not in _LEFT_BEHIND else None
