"""
The package manifest: what is inside, how it is called, and the digests by which it is known.

The SHA-256 of these bytes is the package's digest, which licenses name; changing how a manifest is written
orphans every license ever issued (docs/formats.md, section 5).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.graphs.interface import DECODER, ENCODER, Interface
from ternary_sdk._internal.identity import (
    NAME,
    VERSION,
    PackageIdentity,
    Version,
    format_version,
    parse_version,
)
from ternary_sdk._internal.packages.manifest_entries import (
    Graph,
    Member,
    ModelPath,
    read_member,
    read_path,
    write_member,
    write_path,
)
from ternary_sdk._internal.packages.members import GRAPHS, MANIFEST, OPTIONAL, REQUIRED
from ternary_sdk.errors import FormatError
from ternary_sdk.operations import LABEL, OPERATIONS

FORMAT: Final = "ternary-package/1"
_INTERFACE: Final[Json] = {"decoder": DECODER.to_json(), "encoder": ENCODER.to_json()}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The contents of one package."""

    name: str
    """Lower-case letters, digits and hyphens, at most 64, not beginning with a hyphen."""

    version: Version
    """Major, minor, patch."""

    released: datetime
    """The moment of the build, UTC, whole seconds."""

    default_path: str
    """The path that is used unless the caller names one."""

    paths: tuple[ModelPath, ...]
    """Paths A and B."""

    members: tuple[Member, ...]
    """Every member but the manifest and the signature, ascending by name."""

    @property
    def label(self) -> str:
        """Name and version as they appear in file names: ``acme-1.0.0``."""
        return f"{self.name}-{format_version(self.version)}"

    @property
    def graphs(self) -> tuple[tuple[Graph, Interface], ...]:
        """Every graph with the interface its role demands, encoder before decoder, path by path."""
        return tuple(
            pair for path in self.paths for pair in ((path.encoder, ENCODER), (path.decoder, DECODER))
        )

    @property
    def encrypted(self) -> bool:
        """Whether the graphs are encrypted; either all are or none is."""
        return any(member.plaintext_sha256 is not None for member in self.members)

    def member(self, name: str) -> Member:
        """The entry of one member.

        Raises:
            FormatError: If the manifest lists no such member.
        """
        for member in self.members:
            if member.name == name:
                return member
        raise FormatError(f"{MANIFEST}: lists no member {name!r}")

    def plaintext_digest(self, name: str) -> str:
        """SHA-256 of a member's bytes before any encryption, hex."""
        member = self.member(name)
        return member.plaintext_sha256 or member.sha256

    def to_bytes(self) -> bytes:
        """Write the manifest as canonical JSON; the SHA-256 of these bytes is the package's digest."""
        return canonical.encode(
            {
                "format": FORMAT,
                "name": self.name,
                "version": format_version(self.version),
                "released": int(self.released.timestamp()),
                "operations": {"count": OPERATIONS, "space": LABEL},
                "default_path": self.default_path,
                "paths": [write_path(path) for path in self.paths],
                "interface": _INTERFACE,
                "members": [write_member(member) for member in self.members],
            }
        )

    @property
    def identity(self) -> PackageIdentity:
        """How licenses name the package; its digest is the SHA-256 of the manifest's bytes."""
        digest = hashlib.sha256(self.to_bytes()).hexdigest()
        return PackageIdentity(name=self.name, version=self.version, digest=digest)

    @classmethod
    def read(cls, data: bytes) -> "Manifest":
        """Read ``manifest.json``.

        Raises:
            FormatError: If it is not canonical, is not of this format, or contradicts itself.
        """
        fields = Fields(canonical.decode(data, MANIFEST), MANIFEST)
        fields.exactly("format", FORMAT)
        _expect_operations(fields.object("operations"))
        if fields.json("interface") != _INTERFACE:
            raise FormatError(f"{MANIFEST}.interface: not the inputs and outputs that {FORMAT} has")
        manifest = cls(
            name=fields.text("name", pattern=NAME),
            version=parse_version(fields.text("version", pattern=VERSION)),
            released=fields.moment("released"),
            default_path=fields.one_of("default_path", list(GRAPHS)),
            paths=fields.items("paths", read_path, least=len(GRAPHS), most=len(GRAPHS)),
            members=fields.items("members", read_member, least=1, most=30),
        )
        fields.end()
        _check_paths(manifest)
        _check_members(manifest)
        return manifest


def _expect_operations(fields: Fields) -> None:
    fields.exactly("count", OPERATIONS)
    fields.exactly("space", LABEL)
    fields.end()


def _check_paths(manifest: Manifest) -> None:
    found = [(path.path, path.encoder.member, path.decoder.member) for path in manifest.paths]
    expected = [(path, *graphs) for path, graphs in GRAPHS.items()]
    if found != expected:
        raise FormatError(f"{MANIFEST}: paths are {found}, expected {expected}")


def _check_members(manifest: Manifest) -> None:
    names = [member.name for member in manifest.members]
    if names != sorted(set(names)):
        raise FormatError(f"{MANIFEST}: members are {names}, expected different names in ascending order")
    graphs = {graph.member for graph, _ in manifest.graphs}
    expected = REQUIRED.union(graphs)
    if missing := expected.difference(names):
        raise FormatError(f"{MANIFEST}: members lack {min(missing)!r}")
    if extra := set(names) - expected - OPTIONAL:
        raise FormatError(f"{MANIFEST}: members list {min(extra)!r}, which no package has")
    for member in manifest.members:
        if member.plaintext_sha256 is not None and member.name not in graphs:
            raise FormatError(f"{MANIFEST}: {member.name} is encrypted, expected only graphs to be")
    clear = [member.name for member in manifest.members if member.plaintext_sha256 is None]
    if manifest.encrypted and (left := graphs.intersection(clear)):
        raise FormatError(f"{MANIFEST}: {min(left)} is in the clear, other graphs are encrypted")
