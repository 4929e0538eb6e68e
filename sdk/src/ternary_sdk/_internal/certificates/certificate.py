"""
The coverage certificate: what a model reaches and what it draws, bound to the exact bytes of its graphs.

This module owns the document, an in-toto Statement, and its consistency with itself; ``proof`` recomputes
its figures and ``dsse`` checks who signed it. Changing a byte of what is written here breaks every
certificate ever issued (docs/formats.md, section 6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.certificates import path_coverage
from ternary_sdk._internal.certificates.path_coverage import MARGIN, PathCoverage, seed_of
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.stated import (
    expect_listed,
    read_latent_size,
    read_space,
    read_standard,
    write_standard,
)
from ternary_sdk._internal.streams.stream import AES, PHILOX, Stream
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import MOST_PATHS, Signature
from ternary_sdk.space import Space

CERTIFICATE: Final = "coverage.json"
"""What its file is called, in a package and beside one."""

PREDICATE_TYPE: Final = "urn:ternary:coverage:"
"""Before the version."""

CURRENT: Final = 3
"""The version of new certificates."""

_STREAMS: Final[Mapping[int, Stream]] = {1: PHILOX, 2: AES, CURRENT: AES}
"""The latent stream that each version speaks of. Versions 1 and 2 are of two-input ternary operations in 16
dimensions and say nothing of it; version 3 names the space and the size of the latents."""

_LISTED: Final = "listed"
_VAST: Final = "vast"

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"

_MOST_SUBJECTS: Final = 32


@dataclass(frozen=True, kw_only=True)
class Certificate:
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

    paths: tuple[PathCoverage, ...]
    """One entry a path, ascending."""

    @property
    def signature(self) -> Signature:
        """What the certified model is of."""
        return Signature(self.space, self.latent_size, tuple(path.path for path in self.paths))

    @property
    def best_path(self) -> PathCoverage:
        """The path that covers more of the space at the headline draws; the first of equals."""
        return path_coverage.best(self.paths)

    def to_statement(self) -> bytes:
        """Write the in-toto Statement as canonical JSON: the bytes that are signed."""
        return canonical.encode(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"name": name, "digest": {"sha256": digest}}
                    for name, digest in sorted(self.subjects.items())
                ],
                "predicateType": f"{PREDICATE_TYPE}{self.version}",
                "predicate": {
                    **self._of(),
                    "margin": str(MARGIN),
                    "released": int(self.released.timestamp()),
                    "computed_with": dict(self.computed_with),
                    "paths": [path_coverage.write(path) for path in self.paths],
                },
            }
        )

    def _of(self) -> dict[str, Json]:
        if self.version < CURRENT:
            return {"operations": write_standard(self.space)}
        return {"kind": _LISTED, "latent_size": self.latent_size, "space": self.space.to_json()}

    @classmethod
    def read(cls, envelope: bytes, trust: Trust, what: str = CERTIFICATE) -> "Certificate":
        """Read a signed certificate, which stands alone as evidence:

        1. a canonical DSSE envelope, signed by a key of role ``package``;
        2. a Statement of this format that agrees with itself;
        3. the key is not revoked and vouched for the moment the build was made.

        Raises:
            FormatError: If the envelope or the Statement is not of this format.
            SignatureError: If the signature is wrong or its key is not trusted for it.
        """
        opened = Envelope.open(envelope, what, lambda kid: trust.candidate(kid, Role.PACKAGE))  # 1
        certificate = cls.from_statement(opened.payload, what)  # 2
        trust.key(opened.keyid, Role.PACKAGE, certificate.released)  # 3
        return certificate

    @classmethod
    def from_statement(cls, statement: bytes, what: str = CERTIFICATE) -> "Certificate":
        """Read a Statement and check that it agrees with itself.

        Args:
            statement: The verified payload of the envelope.
            what: The document's name in error messages.
        Raises:
            FormatError: If it is not canonical, is not of this format, or contradicts itself.
        """
        fields = Fields(canonical.decode(statement, what), what)
        fields.exactly("_type", STATEMENT_TYPE)
        kind = fields.one_of("predicateType", [f"{PREDICATE_TYPE}{version}" for version in _STREAMS])
        version = int(kind.removeprefix(PREDICATE_TYPE))
        subjects = fields.items("subject", _read_subject, least=1, most=_MOST_SUBJECTS)
        predicate = fields.object("predicate")
        fields.end()
        space, latent_size = _read_of(predicate, version)
        stream = _STREAMS[version].of(latent_size)
        predicate.exactly("margin", str(MARGIN))
        certificate = cls(
            version=version,
            space=space,
            latent_size=latent_size,
            subjects=dict(subjects),
            released=predicate.moment("released"),
            computed_with=predicate.labels("computed_with", most=32),
            paths=predicate.items(
                "paths", lambda path: path_coverage.read(path, stream, space), least=1, most=MOST_PATHS
            ),
        )
        predicate.end()
        _check_subjects(certificate, [name for name, _ in subjects], what)
        _check_seeds(certificate, what)
        if version < CURRENT and (
            lacking := [path.path for path in certificate.paths if path.encoder is None]
        ):
            raise FormatError(f"{what}: path {lacking[0]} lacks its encoder, which version {version} has")
        return certificate


def _read_subject(fields: Fields) -> tuple[str, str]:
    name, digest = fields.text("name", longest=64), fields.object("digest")
    fields.end()
    sha256 = digest.sha256("sha256")
    digest.end()
    return name, sha256


def _read_of(predicate: Fields, version: int) -> tuple[Space, int]:
    """The space and the latent size that a predicate is of."""
    if version < CURRENT:
        return read_standard(predicate)
    kind = predicate.one_of("kind", [_LISTED, _VAST])
    space = read_space(predicate.object("space"))
    latent_size = read_latent_size(predicate)
    if kind == _VAST:
        raise FormatError(f"{predicate.path}: its kind is 'vast', which this release does not read yet")
    expect_listed(predicate, space, "certificates")
    return space, latent_size


def _check_subjects(certificate: Certificate, names: list[str], what: str) -> None:
    if names != sorted(set(names)):
        raise FormatError(f"{what}: subjects are {names}, expected different names in ascending order")
    letters = [path.path for path in certificate.paths]
    if letters != sorted(set(letters)):
        raise FormatError(f"{what}: paths are {letters}, expected different letters in ascending order")
    used = [name for path in certificate.paths for name in (path.decoder, path.encoder) if name is not None]
    if sorted(used) != names:
        raise FormatError(f"{what}: its paths use {sorted(used)}, its subjects are {names}")


def _check_seeds(certificate: Certificate, what: str) -> None:
    for path in certificate.paths:
        expected = seed_of(certificate.subjects[path.decoder], path.stream)
        if path.seed != expected:
            raise FormatError(
                f"{what}: path {path.path} has the seed {path.seed:016x}, "
                f"its decoder's digest gives {expected:016x}"
            )
