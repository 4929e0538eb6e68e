"""
Giving a finished file its name, unless another file has it: exclusive, at once, and whole after a crash.

``whole_file`` renames, which replaces: of two processes that make an installation key, the later would win,
after the earlier has bound a license to its own.

A hard link does this in one call. exFAT and many network and FUSE file systems know none. There a folder,
the claim, does it: renaming a folder onto one that is not empty fails everywhere. Whoever puts the claim in
place has won, and it holds the finished file; whoever finds a claim may move the file out of it.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_NO_LINKS: Final = (
    errno.EPERM,  # exFAT and vfat on Linux
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EACCES,  # CIFS, Android
    errno.EINVAL,  # exFAT on Windows
    errno.EXDEV,  # AFS, from one folder to another
    errno.EMLINK,
)
_ROUNDS: Final = 100
"""How often a claim is tried; each failure means that another process has just given the file its name."""


def appear(draft: Path, path: Path) -> None:
    """Give a finished file its name, unless another file has it by then.

    Args:
        draft: The file, in the same file system; it may be gone afterwards.
        path: Its name.
    Raises:
        OSError: If it cannot be done; then the name was not given to ``draft``.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _appear_without_link(draft, path)


def _appear_without_link(draft: Path, path: Path) -> None:
    claim, mine = path.with_name(f".{path.name}.claim"), path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    mine.mkdir(mode=0o700)
    try:
        draft.rename(mine / mine.name)  # a name of its own: nobody moves another's file for it
        for _ in range(_ROUNDS):
            _complete(claim, path)
            if os.path.lexists(path):
                return
            with suppress(OSError):
                mine.rename(claim)
                _complete(claim, path)
                return
        mine.rename(claim)  # to raise what stands in the way
    finally:
        (mine / mine.name).unlink(missing_ok=True)
        with suppress(OSError):
            mine.rmdir()


def _complete(claim: Path, path: Path) -> None:
    """Move what a claim holds to its name, if no file has that, and remove the claim.

    What fails here is tried again by the next who looks for the file.
    """
    with suppress(OSError):
        for held in claim.iterdir():
            if os.path.lexists(path):
                held.unlink()
            else:
                held.rename(path)
        claim.rmdir()
