"""
What licenses and packages are called, and which package a license means: exact digests, ranges of versions.

Licenses already issued are read by these rules for as long as they run.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError, InputError

Version = tuple[int, int, int]

LICENSE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def parse_version(text: str) -> Version:
    """Read ``MAJOR.MINOR.PATCH``, decimal numbers below 10^9 without leading zeros.

    Raises:
        InputError: If the text has another form.
    """
    found = VERSION.fullmatch(text)
    if not found:
        raise InputError(f"version: {text[:60]!r}, expected MAJOR.MINOR.PATCH such as 1.0.0")
    major, minor, patch = (int(part) for part in found.groups())
    return major, minor, patch


def format_version(version: Version) -> str:
    """Write a version as ``MAJOR.MINOR.PATCH``."""
    return ".".join(str(part) for part in version)


@dataclass(frozen=True, kw_only=True)
class PackageIdentity:
    """What a package is called and what it is: only the digest says which bytes it has."""

    name: str
    """Lowercase letters, digits and hyphens, at most 64."""
    version: Version
    """Major, minor, patch."""
    digest: str
    """SHA-256 of the package's manifest, 64 lowercase hex digits."""
    released: datetime | None = None
    """When it was built, as its manifest says; None where that is not known."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InputError(
                f"package name: {self.name[:80]!r}, expected lowercase letters, digits, hyphens, at most 64"
            )
        if not _DIGEST.fullmatch(self.digest):
            raise InputError(f"package digest: {self.digest[:80]!r}, expected 64 lowercase hex digits")

    def __str__(self) -> str:
        return f"{self.name} {format_version(self.version)} (sha256 {self.digest[:12]}…)"


@dataclass(frozen=True, kw_only=True)
class ExactPackage:
    """The one package with this digest."""

    digest: str
    """SHA-256 of the package's manifest, 64 lowercase hex digits."""

    def covers(self, package: PackageIdentity) -> bool:
        """Whether this is the package."""
        return package.digest == self.digest

    def to_claim(self) -> dict[str, str]:
        """The entry of the ``packages`` claim."""
        return {"digest": self.digest}

    def __str__(self) -> str:
        return f"the package with sha256 {self.digest[:12]}…"


@dataclass(frozen=True, kw_only=True)
class VersionRange:
    """Every package of one name with ``start`` ≤ version < ``below``."""

    name: str
    """The package's name."""
    start: Version
    """First version covered."""
    below: Version
    """First version no longer covered."""

    def __post_init__(self) -> None:
        if not self.start < self.below:
            raise InputError(
                f"package {self.name}: versions from {format_version(self.start)} below "
                f"{format_version(self.below)} are none at all"
            )

    def covers(self, package: PackageIdentity) -> bool:
        """Whether the package has this name and a version in the range."""
        return package.name == self.name and self.start <= package.version < self.below

    def to_claim(self) -> dict[str, str]:
        """The entry of the ``packages`` claim."""
        return {
            "name": self.name,
            "from": format_version(self.start),
            "below": format_version(self.below),
        }

    def __str__(self) -> str:
        return f"{self.name} from {format_version(self.start)} below {format_version(self.below)}"


PackageTerm = ExactPackage | VersionRange


def read_term(fields: Fields) -> PackageTerm:
    """Read one entry of a license's ``packages`` claim.

    Raises:
        FormatError: If it is neither a digest nor a name with a range of versions.
    """
    term: PackageTerm
    if "digest" in fields:
        term = ExactPackage(digest=fields.sha256("digest"))
    else:
        name = fields.text("name", pattern=NAME)
        start, below = (parse_version(fields.text(end, pattern=VERSION)) for end in ("from", "below"))
        if not start < below:
            raise FormatError(
                f"{fields.path}: versions from {format_version(start)} below {format_version(below)} "
                "are none at all"
            )
        term = VersionRange(name=name, start=start, below=below)
    fields.end()
    return term
