"""
Replacing a file by one rename: after a crash it holds the old bytes or the new ones, and nobody reads a part.

The bytes go into a draft beside the file and are on disk before the rename. Whatever raises removes the
draft; only a process that is killed leaves one behind.
"""

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from ternary_sdk.errors import InputError, TernaryError

PRIVATE: Final = 0o600
"""Mode of a file that only its owner may read."""
SHARED: Final = 0o666
"""Mode of any other file, before the umask takes its part."""


def write(path: Path, data: bytes, *, mode: int = SHARED, refusal: type[TernaryError] = InputError) -> None:
    """Replace a file, or make it; its folder exists.

    Args:
        path: The file.
        data: All that it will hold.
        mode: Its permissions, less those that the umask takes away.
        refusal: What to raise.
    Raises:
        TernaryError: ``refusal``, if it cannot be written; what the file held before is intact.
    """
    write_all({path: data}, mode=mode, refusal=refusal)


def write_all(
    files: Mapping[Path, bytes], *, mode: int = SHARED, refusal: type[TernaryError] = InputError
) -> None:
    """Replace files in their order, once all their bytes are on disk: a full disk changes none of them.

    Args:
        files: What each will hold.
        mode: As ``write``, and so is ``refusal``.
        refusal: What to raise.
    Raises:
        TernaryError: ``refusal``, if one cannot be written.
    """
    with ExitStack() as stack:
        drafts = dict[Path, Path]()
        for path, data in files.items():
            with _named(path, refusal):
                drafts[path] = stack.enter_context(_draft(path, (data,), mode))
        for path, draft in drafts.items():
            with _named(path, refusal):
                draft.replace(path)


def replace(path: Path, parts: Iterable[bytes], *, mode: int = SHARED) -> None:
    """Replace a file by bytes as they come, when the last of them is on disk.

    Args:
        path: The file.
        parts: What it will hold, piece by piece. What they raise goes on, and the file stays as it is.
        mode: As ``write``.
    Raises:
        OSError: If it cannot be written.
    """
    with _draft(path, parts, mode) as draft:
        draft.replace(path)


def is_draft(name: str, of: str) -> bool:
    """Whether a file's name is that of a draft for another, such as a killed process leaves behind.

    Args:
        name: The name, without its folder.
        of: The other's, in the same folder.
    """
    return re.fullmatch(rf"\.{re.escape(of)}\.[0-9a-f]{{8}}", name) is not None


def sweep(path: Path) -> None:
    """Remove the drafts that killed processes left. Only whoever alone writes the file may call this."""
    with suppress(OSError):
        for entry in path.parent.iterdir():
            if is_draft(entry.name, path.name):
                entry.unlink()


@contextmanager
def _draft(path: Path, parts: Iterable[bytes], mode: int) -> Iterator[Path]:
    """A new file beside a path with these bytes on disk; it is gone at the end if it was not renamed."""
    if path.is_dir():  # found out now, while nothing has changed; not every system says it at the rename
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:  # for a signal too: a draft may hold a private key
        with suppress(OSError):
            draft.unlink()


@contextmanager
def _named(path: Path, refusal: type[TernaryError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refusal(f"{path}: cannot be written ({error.strerror})") from None
