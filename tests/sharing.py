"""What one process of a test session makes for all of them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(name: str, temporary: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """A folder that the first process that asks for it fills; the others wait until it is complete.

    Args:
        name: Of the folder, the same in every process.
        temporary: The session's temporary folders.
        make: Fills the empty folder that it is given. If it fails, the next process tries again.
    """
    base = temporary.getbasetemp()
    # Each process of xdist has its own base, side by side in one folder of the session.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            making = temporary.mktemp(f"{name}-in-the-making")
            make(making)
            making.rename(folder)
    return folder
