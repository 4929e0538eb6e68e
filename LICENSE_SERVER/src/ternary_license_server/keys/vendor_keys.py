"""
The key directory as a running server sees it: read again when it changes, so that rotation needs no restart.
"""

import threading
import time
from pathlib import Path
from typing import Final

from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import TRUST_FILE, KeyRing, file_name
from ternary_sdk._internal.process_bound import KeyHolder
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import TernaryError

INTERVAL: Final = 1.0
"""Seconds between two looks at the directory."""


class VendorKeys(KeyHolder):
    """The present keys of a directory. Safe among threads.

    A directory that is being changed, or damaged, leaves the keys of before in use; ``fault`` says why.

    Args:
        directory: What ``ternary keys init`` made; ``root.pem`` should not be in it.
    Raises:
        InputError, FormatError, SignatureError: If it cannot be read, or a key that the server signs
            with is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fault: str | None = None
        self._seen = self._state()
        self._ring = _load(directory)
        self._next = time.monotonic() + INTERVAL
        self._turn = threading.Lock()

    @property
    def ring(self) -> KeyRing:
        """The keys to sign with now."""
        if time.monotonic() >= self._next and self._turn.acquire(blocking=False):
            try:
                self._next = time.monotonic() + INTERVAL
                self._look()
            finally:
                self._turn.release()
        return self._ring

    def _look(self) -> None:
        state = self._state()
        if state == self._seen and self.fault is None:
            return
        try:
            self._ring, self._seen, self.fault = _load(self.directory), state, None
        except TernaryError as refusal:
            self.fault = str(refusal)

    def _state(self) -> tuple[tuple[str, int, int], ...]:
        names = [TRUST_FILE, *(file_name(role) for role in Role)]
        found = []
        for name in names:
            try:
                status = (self.directory / name).stat()
            except OSError:
                continue
            found.append((name, status.st_mtime_ns, status.st_ino))
        return tuple(found)


def _load(directory: Path) -> KeyRing:
    ring = keyring.load(directory)
    for role in (Role.LICENSE, Role.ANSWER):
        ring.signer(role)
    return ring
