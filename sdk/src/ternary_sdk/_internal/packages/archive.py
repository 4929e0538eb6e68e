"""
A ZIP archive with exactly one byte sequence for each list of files.

Entries are stored, without comments, extra fields, data descriptors or bytes in between. A reader takes
nothing on trust: it parses, encodes what it parsed and demands identical bytes, which rules out duplicate,
overlapping, hidden, prepended and trailing data at once. Changing a byte of what ``encode`` writes makes
every package unreadable.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Final

from ternary_sdk.errors import FormatError

MAX_BYTES: Final = 64 << 20
MAX_MEMBERS: Final = 64

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. DOS time 0 and date 0x21 are 1980-01-01 00:00:00;
# version 2.0 and attributes 0 say nothing about the machine that wrote the file.
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_END_MARK: Final = b"PK\x05\x06"
_VERSION: Final = 20
_DATE: Final = 0x21


def encode(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Write an archive.

    Args:
        members: Names and contents, in the order in which they are to be stored.
    Returns:
        The archive's bytes.
    Raises:
        FormatError: If a name is not flat ASCII or appears twice, or the archive exceeds its caps.
    """
    _check(members)
    entries, directory, position = list[bytes](), bytearray(), 0
    for name, data in members:
        label, checksum, size = name.encode(), zlib.crc32(data), len(data)
        shared = (_VERSION, 0, 0, 0, _DATE, checksum, size, size, len(label), 0)
        directory += _CENTRAL.pack(_CENTRAL_MARK, _VERSION, *shared, 0, 0, 0, 0, position) + label
        entries += [_LOCAL.pack(_LOCAL_MARK, *shared), label, data]
        position += _LOCAL.size + len(label) + size
    count = len(members)
    end = _END.pack(_END_MARK, 0, 0, count, count, len(directory), position, 0)
    if position + len(directory) + len(end) > MAX_BYTES:
        raise FormatError(f"archive: more than {MAX_BYTES} bytes")
    return b"".join([*entries, directory, end])


def decode(data: bytes, what: str = "archive") -> dict[str, bytes]:
    """Read what ``encode`` writes, and nothing else.

    Args:
        data: The whole file.
        what: Its name in error messages.
    Returns:
        Contents by name, in the order in which they are stored.
    Raises:
        FormatError: If the bytes are not those that ``encode`` writes for what they contain.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(f"{what}: {len(data)} bytes, expected at most {MAX_BYTES}")
    members = _local_entries(data, what)
    try:
        canonical = encode(members)
    except FormatError as refusal:
        raise FormatError(f"{what}: {refusal}") from None
    if canonical != data:
        raise FormatError(f"{what}: not the canonical archive of its {len(members)} members")
    return dict(members)


def _local_entries(data: bytes, what: str) -> list[tuple[str, bytes]]:
    """The entries found by walking from the first byte; whether all else agrees is checked by encoding."""
    if not data.startswith((_LOCAL_MARK, _END_MARK)):
        raise FormatError(f"{what}: begins with {data[:4].hex() or 'nothing'}, expected a ZIP archive")
    members: list[tuple[str, bytes]] = []
    position = 0
    while data[position : position + 4] == _LOCAL_MARK:
        if len(members) == MAX_MEMBERS:
            raise FormatError(f"{what}: more than {MAX_MEMBERS} members")
        start = position + _LOCAL.size
        if start > len(data):
            raise FormatError(f"{what}: truncated in the header of member {len(members)}")
        *_, size, name_length, extra = header = _LOCAL.unpack_from(data, position)
        body = start + name_length
        position = body + size
        if header[3]:
            raise FormatError(
                f"{what}: member {len(members)} is compressed (method {header[3]}), expected stored"
            )
        if extra:
            raise FormatError(
                f"{what}: member {len(members)} has an extra field of {extra} bytes, expected none"
            )
        if position > len(data):
            raise FormatError(f"{what}: ends after {len(data):,} bytes, inside member {len(members)}")
        members.append((data[start:body].decode("ascii", "replace"), data[body:position]))
    return members


def _check(members: Sequence[tuple[str, bytes]]) -> None:
    if len(members) > MAX_MEMBERS:
        raise FormatError(f"{len(members)} members, expected at most {MAX_MEMBERS}")
    names = set[str]()
    for name, _ in members:
        if not _NAME.fullmatch(name):
            raise FormatError(f"member name {name[:80]!r} is not a flat ASCII name")
        if name.lower() in names:  # two names that one file system may take for the same file
            raise FormatError(f"member {name!r} appears twice")
        names.add(name.lower())
