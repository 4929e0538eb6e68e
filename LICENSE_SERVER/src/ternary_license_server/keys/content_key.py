"""
The key that encrypts one release's graphs, in a file of its own next to the vendor's keys.

It is made once for each release, whose name and version stand in the file beside it, and goes into every
license for that release. Whoever has it can read the graphs; no other release may be encrypted with it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ternary_license_server.keys.keyring import read_private
from ternary_sdk._internal import whole_file
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.licensing.claims import CONTENT_KEY_BYTES
from ternary_sdk.errors import FormatError, InputError

_LINE: Final = re.compile(r"([0-9a-f]{64})  ([!-~]{1,128})")


@contextmanager
def of(path: Path, release: str) -> Iterator[bytes]:
    """The 32 bytes to encrypt a release with: those in the file, or new ones where there is none.

    The new file has mode 0600, and is removed again if what is done with the key fails.

    Args:
        path: The key's file.
        release: ``NAME-VERSION``.
    Raises:
        InputError, FormatError: As of ``load``, or if the file cannot be written.
    """
    if path.exists():
        yield load(path, release)
        return
    key = secrets.token_bytes(CONTENT_KEY_BYTES)
    line = f"{key.hex()}  {release}\n"
    whole_file.write(path, line.encode(), mode=whole_file.PRIVATE)  # first: no package may outlive its key
    try:
        yield key
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def load(path: Path, release: str) -> bytes:
    """The 32 bytes in a file: one line of 64 lowercase hex digits, two spaces and the release.

    Raises:
        InputError: If it cannot be read, others can read it, or it is another release's.
        FormatError: If it holds anything else.
    """
    found = _LINE.fullmatch(outer.bare(read_private(path), str(path)).decode("ascii", "replace"))
    if not found:
        raise FormatError(
            f"{path}: not a content key, expected one line of 64 hex digits, two spaces and NAME-VERSION"
        )
    digits, owner = found.groups()
    if owner != release:
        raise InputError(
            f"{path}: is the content key of {owner}, expected that of {release}; each has its own"
        )
    return bytes.fromhex(digits)
