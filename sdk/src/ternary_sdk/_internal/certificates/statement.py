"""
What every coverage certificate states, whatever its kind: an in-toto Statement, bound to the bytes of graphs.

This module owns the frame; ``certificate`` and ``vast_certificate`` own what the two kinds say of a path.
Changing a byte of what is written here breaks every certificate ever issued (docs/formats.md, section 6).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from ternary_sdk._internal.certificates.path_coverage import MARGIN, seed_of
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.stated import read_latent_size, read_space, read_standard
from ternary_sdk._internal.streams.stream import AES, PHILOX, Stream
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import MOST_PATHS, Signature
from ternary_sdk.space import Space

CERTIFICATE: Final = "coverage.json"
"""What its file is called, in a package and beside one."""

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"

PREDICATE_TYPE: Final = "urn:ternary:coverage:"
"""Before the version."""

CURRENT: Final = 3
"""The version of new certificates."""

LISTED: Final = "listed"
VAST: Final = "vast"

_STREAMS: Final[Mapping[int, Stream]] = {1: PHILOX, 2: AES, CURRENT: AES}
"""The latent stream that each version speaks of. Versions 1 and 2 are of two-input ternary operations in 16
dimensions and say nothing of it; version 3 names the space and the size of the latents."""

_MOST_SUBJECTS: Final = 32


class CertifiedPath(Protocol):
    """What every kind says of a path."""

    @property
    def path(self) -> str:
        """A single capital letter."""

    @property
    def encoder(self) -> str | None:
        """Name of the subject that gives the posterior means; None where the path has no encoder."""

    @property
    def decoder(self) -> str:
        """Name of the subject that is certified."""

    @property
    def stream(self) -> Stream:
        """The latent stream that its rows are of."""

    @property
    def seed(self) -> int:
        """Seed of the latent stream, which follows from the decoder's digest."""


P = TypeVar("P", bound=CertifiedPath)


@dataclass(frozen=True, kw_only=True)
class Statement(Generic[P]):
    """Coverage of the paths of one model, bound to the exact bytes of its graphs."""

    version: int
    """The version of its format, 1 to 3."""

    space: Space
    """What it counts operations of."""

    latent_size: int
    """Dimensions of the latents."""

    subjects: Mapping[str, str]
    """SHA-256 of each graph's plaintext, hex, by member name."""

    released: datetime
    """The moment the build was made, UTC, whole seconds."""

    computed_with: Mapping[str, str]
    """Names and versions of the software that computed it; informative."""

    paths: tuple[P, ...]
    """One entry a path, ascending."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A Statement of which the frame was read, and what its kind says was not yet."""

    what: str
    """The document's name in error messages."""

    version: int
    kind: str
    """``listed`` or ``vast``."""

    space: Space
    latent_size: int

    stream: Stream
    """The latent stream of its version, with rows of its latent size."""

    subjects: tuple[tuple[str, str], ...]
    """Names and digests, in the order in which they stand."""

    predicate: Fields
    """What is left to be read."""

    def expect(self, kind: str) -> None:
        """Refuse a certificate of the other kind.

        Raises:
            FormatError: If it is one.
        """
        if self.kind != kind:
            raise FormatError(f"{self.what}: is a certificate of kind '{self.kind}', expected '{kind}'")


def parse(statement: bytes, what: str) -> Parsed:
    """Read the frame of a Statement.

    Args:
        statement: The verified payload of the envelope.
        what: The document's name in error messages.
    Raises:
        FormatError: If it is not canonical, not of this format, or its kind is not that of its space.
    """
    fields = Fields(canonical.decode(statement, what), what)
    fields.exactly("_type", STATEMENT_TYPE)
    named = fields.one_of("predicateType", [f"{PREDICATE_TYPE}{version}" for version in _STREAMS])
    version = int(named.removeprefix(PREDICATE_TYPE))
    subjects = fields.items("subject", _read_subject, least=1, most=_MOST_SUBJECTS)
    predicate = fields.object("predicate")
    fields.end()
    kind, space, latent_size = _read_of(predicate, version)
    stream = _STREAMS[version].of(latent_size)
    predicate.exactly("margin", str(MARGIN))
    return Parsed(
        what=what,
        version=version,
        kind=kind,
        space=space,
        latent_size=latent_size,
        stream=stream,
        subjects=subjects,
        predicate=predicate,
    )


def write(statement: Statement[P], of: Mapping[str, Json], paths: list[Json]) -> bytes:
    """A Statement as canonical JSON, with what its kind says of the space and of the paths."""
    return canonical.encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(statement.subjects.items())
            ],
            "predicateType": f"{PREDICATE_TYPE}{statement.version}",
            "predicate": {
                **of,
                "margin": str(MARGIN),
                "released": int(statement.released.timestamp()),
                "computed_with": dict(statement.computed_with),
                "paths": paths,
            },
        }
    )


def signature_of(statement: Statement[P]) -> Signature:
    """What the certified model is of."""
    return Signature(statement.space, statement.latent_size, tuple(path.path for path in statement.paths))


S = TypeVar("S", bound=Statement[Any])


def completed(
    parsed: Parsed, kind: type[S], read_path: Callable[[Fields, Stream, Space], CertifiedPath]
) -> S:
    """Read what is left of a Statement whose frame was read, and check that it agrees with itself.

    Args:
        parsed: The frame; what its kind alone says was read from its predicate.
        kind: What to make of it.
        read_path: Reads an entry of ``paths``.
    Raises:
        FormatError: If it is not of this format, or contradicts itself.
    """
    predicate = parsed.predicate
    certificate = kind(
        version=parsed.version,
        space=parsed.space,
        latent_size=parsed.latent_size,
        subjects=dict(parsed.subjects),
        released=predicate.moment("released"),
        computed_with=predicate.labels("computed_with", most=32),
        paths=predicate.items(
            "paths", lambda path: read_path(path, parsed.stream, parsed.space), least=1, most=MOST_PATHS
        ),
    )
    predicate.end()
    check(certificate, parsed)
    return certificate


def check(statement: Statement[P], parsed: Parsed) -> None:
    """Refuse a Statement whose subjects are not exactly the graphs of its paths, or with another seed.

    Raises:
        FormatError: If it contradicts itself.
    """
    names, what = [name for name, _ in parsed.subjects], parsed.what
    if names != sorted(set(names)):
        raise FormatError(f"{what}: subjects are {names}, expected different names in ascending order")
    letters = [path.path for path in statement.paths]
    if letters != sorted(set(letters)):
        raise FormatError(f"{what}: paths are {letters}, expected different letters in ascending order")
    used = [name for path in statement.paths for name in (path.decoder, path.encoder) if name is not None]
    if sorted(used) != names:
        raise FormatError(f"{what}: its paths use {sorted(used)}, its subjects are {names}")
    for path in statement.paths:
        expected = seed_of(statement.subjects[path.decoder], path.stream)
        if path.seed != expected:
            raise FormatError(
                f"{what}: path {path.path} has the seed {path.seed:016x}, "
                f"its decoder's digest gives {expected:016x}"
            )


def opened(envelope: bytes, trust: Trust, what: str) -> Envelope:
    """A canonical DSSE envelope, signed by a key that may sign certificates.

    Raises:
        FormatError: If it is not of the format.
        SignatureError: If the signature is wrong or its key is not trusted for it.
    """
    return Envelope.open(envelope, what, lambda kid: trust.candidate(kid, Role.PACKAGE))


def _read_subject(fields: Fields) -> tuple[str, str]:
    name, digest = fields.text("name", longest=64), fields.object("digest")
    fields.end()
    sha256 = digest.sha256("sha256")
    digest.end()
    return name, sha256


def _read_of(predicate: Fields, version: int) -> tuple[str, Space, int]:
    """The kind, the space and the latent size of a predicate."""
    if version < CURRENT:
        return LISTED, *read_standard(predicate)
    kind = predicate.one_of("kind", [LISTED, VAST])
    space = read_space(predicate.object("space"))
    latent_size = read_latent_size(predicate)
    expected = LISTED if space.listed else VAST
    if kind != expected:
        raise FormatError(
            f"{predicate.path}: its kind is '{kind}', expected '{expected}': the space {space} has "
            f"{space.size:,} operations"
        )
    return kind, space, latent_size
