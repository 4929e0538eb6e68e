"""
The package manifest: what is inside, how it is called, and the digests by which it is known.

The SHA-256 of these bytes is the package's digest, which licenses name; changing how a manifest is written
orphans every license ever issued (docs/formats.md, section 5).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.certificates import records
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.graphs.interface import DECODER, ENCODER, Interface, of_decoder, of_encoder
from ternary_sdk._internal.identity import (
    NAME,
    VERSION,
    PackageIdentity,
    Version,
    format_version,
    parse_version,
)
from ternary_sdk._internal.packages.archive import MAX_MEMBERS
from ternary_sdk._internal.packages.manifest_entries import (
    Graph,
    Member,
    ModelPath,
    read_member,
    read_path,
    write_member,
    write_path,
)
from ternary_sdk._internal.packages.members import MANIFEST, OPTIONAL, REQUIRED, decoder_of, encoder_of
from ternary_sdk._internal.stated import (
    read_latent_size,
    read_space,
    read_standard,
    write_standard,
)
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import MOST_PATHS, STANDARD, Signature
from ternary_sdk.space import Space

FORMAT: Final = "ternary-package/2"
STANDARD_ONLY: Final = "ternary-package/1"
"""Of two-input ternary operations in 16 dimensions by paths A and B alone. It is read, not written."""

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

    space: Space
    """What its models encode and decode."""

    latent_size: int
    """Dimensions of a latent."""

    paths: tuple[ModelPath, ...]
    """Its paths, ascending by letter."""

    members: tuple[Member, ...]
    """Every member but the manifest and the signature, ascending by name."""

    format: str = FORMAT
    """The name and version of its format."""

    @property
    def label(self) -> str:
        """Name and version as they appear in file names: ``acme-1.0.0``."""
        return f"{self.name}-{format_version(self.version)}"

    @property
    def signature(self) -> Signature:
        """What the packaged model is of."""
        return Signature(self.space, self.latent_size, tuple(path.path for path in self.paths))

    @property
    def graphs(self) -> tuple[tuple[Graph, Interface], ...]:
        """Every graph with the interface its role demands, encoder before decoder, path by path."""
        encoder, decoder = of_encoder(self.signature), of_decoder(self.signature)
        return tuple(
            (graph, interface)
            for path in self.paths
            for graph, interface in ((path.encoder, encoder), (path.decoder, decoder))
            if graph is not None
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
                "format": self.format,
                "name": self.name,
                "version": format_version(self.version),
                "released": int(self.released.timestamp()),
                **self._of(),
                "default_path": self.default_path,
                "paths": [write_path(path) for path in self.paths],
                "members": [write_member(member) for member in self.members],
            }
        )

    def _of(self) -> dict[str, Json]:
        if self.format == STANDARD_ONLY:
            return {"operations": write_standard(self.space), "interface": _INTERFACE}
        return {"latent_size": self.latent_size, "space": self.space.to_json()}

    @property
    def identity(self) -> PackageIdentity:
        """How licenses name the package; its digest is the SHA-256 of the manifest's bytes."""
        digest = hashlib.sha256(self.to_bytes()).hexdigest()
        return PackageIdentity(name=self.name, version=self.version, digest=digest, released=self.released)

    @classmethod
    def read(cls, data: bytes) -> "Manifest":
        """Read ``manifest.json``.

        Raises:
            FormatError: If it is not canonical, is not of this format, or contradicts itself.
        """
        fields = Fields(canonical.decode(data, MANIFEST), MANIFEST)
        form = fields.one_of("format", [STANDARD_ONLY, FORMAT])
        space, latent_size = _read_of(fields, form)
        manifest = cls(
            format=form,
            space=space,
            latent_size=latent_size,
            name=fields.text("name", pattern=NAME),
            version=parse_version(fields.text("version", pattern=VERSION)),
            released=fields.moment("released"),
            default_path=fields.text("default_path", longest=1),
            paths=fields.items("paths", read_path, least=1, most=MOST_PATHS),
            members=fields.items("members", read_member, least=1, most=MAX_MEMBERS - 2),
        )
        fields.end()
        _check_paths(manifest)
        _check_members(manifest)
        return manifest


def _read_of(fields: Fields, form: str) -> tuple[Space, int]:
    """The space and the latent size that a manifest is of."""
    if form == STANDARD_ONLY:
        standard = read_standard(fields)
        if fields.json("interface") != _INTERFACE:
            raise FormatError(f"{MANIFEST}.interface: not the inputs and outputs that {STANDARD_ONLY} has")
        return standard
    return read_space(fields.object("space")), read_latent_size(fields)


def _check_paths(manifest: Manifest) -> None:
    letters = [path.path for path in manifest.paths]
    if letters != sorted(set(letters)):
        raise FormatError(f"{MANIFEST}: paths are {letters}, expected different letters in ascending order")
    if manifest.format == STANDARD_ONLY and letters != list(STANDARD.paths):
        raise FormatError(f"{MANIFEST}: paths are {letters}, expected {list(STANDARD.paths)}")
    if manifest.default_path not in letters:
        raise FormatError(f"{MANIFEST}: default_path is {manifest.default_path!r}, expected one of {letters}")
    for path in manifest.paths:
        if manifest.format == STANDARD_ONLY and path.encoder is None:
            raise FormatError(f"{MANIFEST}: path {path.path} lacks its encoder, which {STANDARD_ONLY} has")
        expected = [(path.encoder, encoder_of(path.path)), (path.decoder, decoder_of(path.path))]
        for graph, name in expected:
            if graph is not None and graph.member != name:
                raise FormatError(
                    f"{MANIFEST}: path {path.path} has the graph {graph.member!r}, expected {name!r}"
                )


def _binary(manifest: Manifest) -> Iterator[str]:
    """The binary members that a package of a vast space has."""
    for path in () if manifest.space.listed else manifest.paths:
        yield from records.names(path.path, encoder=path.encoder is not None)


def _check_members(manifest: Manifest) -> None:
    names = [member.name for member in manifest.members]
    if names != sorted(set(names)):
        raise FormatError(f"{MANIFEST}: members are {names}, expected different names in ascending order")
    graphs = {graph.member for graph, _ in manifest.graphs}
    expected = REQUIRED.union(graphs, _binary(manifest))
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
