"""
The key that encrypts one release's graphs, in a file of its own next to the vendor's keys.

It is made once for each release and goes into every license for it. Whoever has it can read the graphs.
"""

import re
import secrets
from pathlib import Path
from typing import Final

from ternary_license_server.keys import read_private, write_private
from ternary_sdk.errors import FormatError
from ternary_sdk.licensing.claims import CONTENT_KEY_BYTES

_HEX: Final = re.compile(rb"[0-9a-f]{64}\n")


def make(path: Path) -> bytes:
    """The 32 bytes in a file, which is made with mode 0600 where there is none.

    Raises:
        InputError: If it cannot be read or written, or others can read it.
        FormatError: If it is there and holds anything else.
    """
    if not path.exists():
        write_private(path, secrets.token_hex(CONTENT_KEY_BYTES).encode() + b"\n")
    return load(path)


def load(path: Path) -> bytes:
    """The 32 bytes in a file: 64 lowercase hex digits and a line break.

    Raises:
        InputError: If it cannot be read, or others can read it.
        FormatError: If it holds anything else.
    """
    data = read_private(path)
    if not _HEX.fullmatch(data):
        raise FormatError(f"{path}: not a content key, expected 64 hex digits and a line break")
    return bytes.fromhex(data.decode())
