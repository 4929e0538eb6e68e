"""
The vendor's key directory: one private key for each role and the trust file that clients pin.

``root.pem`` signs nothing but key sets and belongs offline: where licenses are issued daily, keep the
directory without it. Losing the root means that every client must pin a new one.
"""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from ternary_license_server.keys import keyset
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal import whole_file
from ternary_sdk._internal.documents import legible
from ternary_sdk._internal.source import read
from ternary_sdk._internal.trust.trust import MAX_TRUST, Role, Trust
from ternary_sdk.errors import InputError, TernaryError

TRUST_FILE: Final = "vendor.trust"
MAX_VENDOR: Final = 200


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """The keys a vendor signs with today, and the trust file they are vouched for in."""

    directory: Path
    """Where the keys are kept."""
    trust: Trust
    """The current trust file."""
    keys: Mapping[Role, SigningKey] = field(repr=False)
    """The private keys that are here and may sign, by role."""
    faults: Mapping[Role, TernaryError] = field(default_factory=dict, repr=False, compare=False)
    """Why the private key file of a role cannot be used. A fault stops only what needs this key."""

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self.trust.vendor

    def signer(self, role: Role) -> SigningKey:
        """The key that signs for a role.

        Raises:
            InputError: If its file is not in the directory (the root may be kept elsewhere), others can
                read it, or its key is not the trust file's or is revoked.
            FormatError: If its file is damaged.
        """
        if role in self.faults:
            raise self.faults[role]
        if role not in self.keys:
            lost = (
                "make new keys with 'ternary keys init'"
                if role is Role.ROOT
                else f"run 'ternary keys rotate {role}'"
            )
            raise InputError(
                f"{self.directory / file_name(role)}: no such file; signing needs this key; if "
                f"it is lost, {lost}"
            )
        return self.keys[role]

    def signs(self, kid: str) -> bool:
        """Whether a private key of that name is here."""
        return any(key.kid == kid for key in self.keys.values())


def file_name(role: Role) -> str:
    """Name of the private key file of a role."""
    return f"{role}.pem"


def create(directory: Path, vendor: str, now: datetime, *, expires: datetime | None = None) -> KeyRing:
    """Make one key for each role and the trust file, all or nothing.

    Args:
        directory: A path that does not exist yet, or an empty directory; it ends with mode 0700, the
            keys with 0600.
        vendor: The name that every token will carry as its issuer.
        now: When the key set is signed, timezone-aware.
        expires: When the key set ends; by default never.
    Raises:
        InputError: If the directory holds anything already, cannot be written, or the name is no name.
    """
    _check_vendor(vendor)
    keys = {role: SigningKey.generate() for role in Role}
    key_set = keyset.sign_key_set(
        keys[Role.ROOT],
        vendor=vendor,
        version=1,
        keys=[(role, key.public) for role, key in keys.items() if role is not Role.ROOT],
        revoked={},
        expires=expires,
        now=now,
    )
    trust = keyset.trust_file(keys[Role.ROOT].public, key_set, None)
    files = {file_name(role): key.to_pem() for role, key in keys.items()} | {TRUST_FILE: trust.data}
    _write_directory(directory, files)
    return KeyRing(directory=directory, trust=trust, keys=keys)


def load(directory: Path) -> KeyRing:
    """Read a key directory. A private key that cannot be used is a fault of its role alone.

    Raises:
        InputError: If the trust file is missing or cannot be read.
        FormatError, SignatureError: If the trust file is damaged.
    """
    trust = Trust.read(_read(directory / TRUST_FILE))
    keys, faults = dict[Role, SigningKey](), dict[Role, TernaryError]()
    for role in Role:
        path = directory / file_name(role)
        try:
            if os.path.lexists(path):
                keys[role] = _load_key(path, role, trust)
        except TernaryError as fault:
            faults[role] = fault
    return KeyRing(directory=directory, trust=trust, keys=keys, faults=faults)


def save(ring: KeyRing, role: Role | None = None) -> KeyRing:
    """Write a changed trust file, then the changed key of a role, so that what signs is always vouched for.

    Both are on disk before either takes its place: a full disk changes neither.

    Raises:
        InputError: If a file cannot be written.
    """
    files = {ring.directory / TRUST_FILE: ring.trust.data}
    if role is not None:
        files[ring.directory / file_name(role)] = ring.signer(role).to_pem()
    whole_file.write_all(files, mode=whole_file.PRIVATE)
    return ring


def _check_vendor(vendor: str) -> None:
    if not legible.is_name(vendor, MAX_VENDOR):
        found = legible.shown(repr(vendor[:60]))
        raise InputError(f"vendor: {found}, expected 1 to {MAX_VENDOR} printable characters")


def _write_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory}: not an empty directory; keys are never overwritten")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise InputError(f"{directory}: cannot be made ({error.strerror})") from None
    try:
        for name, data in files.items():
            whole_file.write(draft / name, data, mode=whole_file.PRIVATE)
        draft.replace(directory)
    except OSError as error:
        raise InputError(f"{directory}: cannot be made ({error.strerror})") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _load_key(path: Path, role: Role, trust: Trust) -> SigningKey:
    key = SigningKey.from_pem(read_private(path), str(path))
    vouched = trust.root.kid == key.kid if role is Role.ROOT else trust.keys.get(key.kid, (None,))[0] is role
    if not vouched:
        raise InputError(f"{path}: key {key.kid} is not the trust file's for role {role}")
    if key.kid in trust.revoked_keys:
        raise InputError(
            f"{path}: key {key.kid} was revoked on {trust.revoked_keys[key.kid]:%Y-%m-%d}; get the file that "
            f"'ternary keys rotate {role}' made, or run it again"
        )
    return key


def read_private(path: Path) -> bytes:
    """A private file's bytes.

    Raises:
        InputError: If it cannot be read, or others can read it.
    """
    return _read(path, private=True)


def _read(path: Path, *, private: bool = False) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path}: not a file")
        if private:
            _check_private(path, found)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return read(path, MAX_TRUST)


def _check_private(path: Path, found: os.stat_result) -> None:
    """Refuse a file that others can read, where whoever runs this could have closed it.

    A file of root's that a group may read is as closed as a process without rights can have it: Kubernetes
    hands out Secrets like that, to the group ``fsGroup``.
    """
    mode = stat.S_IMODE(found.st_mode)
    if sys.platform == "win32" or not mode & 0o077:
        return
    if found.st_uid != 0 or os.geteuid() == 0:
        raise InputError(f"{path}: mode is {mode:04o}, expected 0600; run 'chmod 600 {path}'")
    if mode & 0o037:
        raise InputError(
            f"{path}: mode is {mode:04o} and it is root's, expected at most 0440; in Kubernetes set "
            "'defaultMode: 0400' of the Secret's volume and 'fsGroup' of the pod"
        )
