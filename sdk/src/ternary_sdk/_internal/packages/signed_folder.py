"""
A folder that a Model Signing v1 tool signed: an unpacked package, or another model's files.

It accepts what ``model_signing verify key`` accepts, and less. A file that the signature does not cover is
refused unless the signed Statement itself says that its path was left out; then it is named in the answer.
"""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ternary_sdk._internal.packages.members import SIGNATURE
from ternary_sdk._internal.packages.oms import MAX_BUNDLE, MAX_FILES, Bundle, Listing, hint_of, listing
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.source import read
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import InputError, SignatureError

MAX_ENTRIES: Final = 2 * MAX_FILES
"""Most files and folders that are looked at."""

MAX_BYTES: Final = 64 << 30
"""Most bytes that are read, of all files together."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SignedFolder:
    """What was verified."""

    model: str
    """What the signer called it."""

    signed_by: str
    """The kid of the key that signed it."""

    files: int
    """How many files were found as signed."""

    size: int
    """Their bytes, together."""

    ignored: tuple[str, ...]
    """Paths that are there and that the signature, as it says itself, does not cover; ascending."""


def verify(folder: Path, trust: Trust, now: datetime) -> SignedFolder:
    """Check a folder that a vendor signed, as ``verify_with`` does, with the key that its signature names.

    Args:
        folder: Holds ``model.sig``.
        trust: Whom to believe; the key must have the role ``package``.
        now: UTC. Such a signature has no date, so a key set with an end vouches for it until then.
    Raises:
        SignatureError: Also if the key is not in the key set, may not sign this, or is revoked.
    """
    bundle = _bundle(folder)
    return _verified(folder, bundle, _key(bundle, trust, now))


def verify_with(folder: Path, key: PublicKey) -> SignedFolder:
    """Check a folder that one key signed:

    1. its bundle is well formed, and signed by this key (``oms.listing``);
    2. below the folder are folders and regular files only, and links to such files if the Statement allows;
    3. the files are exactly those listed, beside the signature and what the Statement says it ignores;
    4. each has the digest listed.

    It speaks of what the folder held while it was read; whoever can write there can change it at once.

    Args:
        folder: Holds ``model.sig``.
        key: The signer's.
    Raises:
        InputError: If something cannot be read, or is more than is looked at.
        FormatError: If the bundle is not of the format.
        SignatureError: If it is not this key's, or the folder does not hold what was signed.
    """
    return _verified(folder, _bundle(folder), key)


def _bundle(folder: Path) -> Bundle:
    try:
        found = folder.is_dir()
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None
    if not found:
        raise InputError(f"{folder}: not a folder")
    return Bundle.read(read(folder / SIGNATURE, MAX_BUNDLE))


def _key(bundle: Bundle, trust: Trust, now: datetime) -> PublicKey:
    """The key that the bundle names by its hint: other tools leave ``keyid`` empty."""
    kids = [kid for kid, (_, key) in trust.keys.items() if hint_of(key) == bundle.hint]
    if not kids:
        raise SignatureError(
            f"{SIGNATURE}: names the key {bundle.hint[:64]!r}, which is not in the key set of "
            f"{trust.vendor} (version {trust.version}); {trust.update_advice}"
        )
    if trust.expires is not None and now > trust.expires:
        raise SignatureError(
            f"{SIGNATURE}: has no date, and the key set of {trust.vendor} ended on "
            f"{trust.expires:%Y-%m-%d}; get the vendor's newer trust file and run 'ternary trust update FILE'"
        )
    return trust.key(kids[0], Role.PACKAGE, now)


def _verified(folder: Path, bundle: Bundle, key: PublicKey) -> SignedFolder:
    signed = listing(bundle, key)  # 1
    left_out = {SIGNATURE, *signed.ignored}
    sizes, ignored = dict[str, int](), list[str]()
    for entry, name in _entries(folder, left_out):
        if name not in left_out:
            sizes[name] = _size(entry, name, signed)  # 2
        elif name != SIGNATURE:
            ignored.append(name)
    _check_names(signed, sizes)  # 3
    total = sum(sizes.values())
    if total > MAX_BYTES:
        raise InputError(f"{folder}: {total:,} bytes, expected at most {MAX_BYTES:,}")
    for name, digest in signed.digests.items():
        _check_digest(folder, name, sizes[name], digest)  # 4
    return SignedFolder(
        model=signed.model, signed_by=key.kid, files=len(sizes), size=total, ignored=tuple(sorted(ignored))
    )


def _entries(folder: Path, left_out: set[str]) -> Iterator[tuple[os.DirEntry[str], str]]:
    """All but folders that is found below, with its relative path, and what is left out, folder or not."""
    count, waiting = 0, [""]
    while waiting:
        prefix = waiting.pop()
        for entry in _scanned(folder / prefix):
            if (count := count + 1) > MAX_ENTRIES:
                raise InputError(f"{folder}: more than {MAX_ENTRIES:,} files and folders")
            name = prefix + entry.name
            if name not in left_out and entry.is_dir(follow_symlinks=False):
                waiting.append(name + "/")
            else:
                yield entry, name


def _scanned(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None


def _size(entry: os.DirEntry[str], name: str, signed: Listing) -> int:
    """The bytes of one file that the signature should cover."""
    if entry.is_symlink() and not signed.symlinks:
        raise SignatureError(f"{name!r}: a symbolic link, which the signature does not allow")
    try:
        if not entry.is_file():
            raise SignatureError(f"{name!r}: not a regular file")
        return entry.stat().st_size
    except OSError as error:  # a link to itself, a file that is gone
        raise InputError(f"{name!r}: cannot be read ({error.strerror})") from None


def _check_names(signed: Listing, sizes: dict[str, int]) -> None:
    extra, missing = sizes.keys() - signed.digests.keys(), signed.digests.keys() - sizes.keys()
    found = {unicodedata.normalize("NFC", name): name for name in extra}
    for name in sorted(missing):
        if other := found.get(unicodedata.normalize("NFC", name)):
            raise SignatureError(
                f"{SIGNATURE}: covers {name!a} ({_form(name)}), the folder holds the same letters as "
                f"{other!a} ({_form(other)}); copy it again in a way that keeps names, such as a tar archive"
            )
    if extra:
        raise SignatureError(f"{SIGNATURE}: does not cover {min(extra)!r}")
    if missing:
        raise SignatureError(f"{SIGNATURE}: covers {min(missing)!r}, which is not there")


def _form(name: str) -> str:
    """Which of Unicode's two spellings a name has: letters with their marks in one, or one by one."""
    return next((form for form in ("NFC", "NFD") if unicodedata.is_normalized(form, name)), "a mixed form")


def _check_digest(folder: Path, name: str, size: int, expected: str) -> None:
    """Hash a file in chunks, and no more of it than it had when it was found."""
    digest, left = hashlib.sha256(), size
    try:
        with (folder / name).open("rb") as file:
            while chunk := file.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise InputError(f"{folder / name}: grows while it is read")
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"{folder / name}: cannot be read ({error.strerror})") from None
    if digest.hexdigest() != expected:
        raise SignatureError(f"{name!r}: sha256 is {digest.hexdigest()}, the signature says {expected}")
