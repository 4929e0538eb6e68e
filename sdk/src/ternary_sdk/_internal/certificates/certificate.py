"""
The coverage certificate of a listed space: what a model reaches and what it draws.

This module owns the document and its consistency with itself; ``statement`` owns its frame, ``proof``
recomputes its figures and ``dsse`` checks who signed it. Changing a byte of what is written here breaks every
certificate ever issued (docs/formats.md, section 6).
"""

from dataclasses import dataclass

from ternary_sdk._internal.certificates import path_coverage
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.statement import (
    CERTIFICATE,
    CURRENT,
    LISTED,
    Parsed,
    Statement,
    completed,
    opened,
    parse,
    signature_of,
    write,
)
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.stated import write_standard
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import Signature


@dataclass(frozen=True, kw_only=True)
class Certificate(Statement[PathCoverage]):
    """Coverage of the paths of one model of a listed space, bound to the exact bytes of its graphs."""

    @property
    def signature(self) -> Signature:
        """What the certified model is of."""
        return signature_of(self)

    @property
    def best_path(self) -> PathCoverage:
        """The path that covers more of the space at the headline draws; the first of equals."""
        return path_coverage.best(self.paths)

    def to_statement(self) -> bytes:
        """Write the in-toto Statement as canonical JSON: the bytes that are signed."""
        return write(self, self._of(), [path_coverage.write(path) for path in self.paths])

    def _of(self) -> dict[str, Json]:
        if self.version < CURRENT:
            return {"operations": write_standard(self.space)}
        return {"kind": LISTED, "latent_size": self.latent_size, "space": self.space.to_json()}

    @classmethod
    def read(cls, envelope: bytes, trust: Trust, what: str = CERTIFICATE) -> "Certificate":
        """Read a signed certificate, which stands alone as evidence:

        1. a canonical DSSE envelope, signed by a key of role ``package``;
        2. a Statement of this format and kind that agrees with itself;
        3. the key is not revoked and vouched for the moment the build was made.

        Raises:
            FormatError: If the envelope or the Statement is not of this format.
            SignatureError: If the signature is wrong or its key is not trusted for it.
        """
        signed = opened(envelope, trust, what)  # 1
        certificate = cls.from_statement(signed.payload, what)  # 2
        trust.key(signed.keyid, Role.PACKAGE, certificate.released)  # 3
        return certificate

    @classmethod
    def from_statement(cls, statement: bytes, what: str = CERTIFICATE) -> "Certificate":
        """Read a Statement and check that it agrees with itself.

        Args:
            statement: The verified payload of the envelope.
            what: The document's name in error messages.
        Raises:
            FormatError: If it is not canonical, is not of this format and kind, or contradicts itself.
        """
        return read(parse(statement, what))


def read(parsed: Parsed) -> Certificate:
    """Read the rest of a Statement whose frame was read.

    Raises:
        FormatError: If it is not of this format and kind, or contradicts itself.
    """
    parsed.expect(LISTED)
    certificate = completed(parsed, Certificate, path_coverage.read)
    if parsed.version < CURRENT and (
        lacking := [path.path for path in certificate.paths if path.encoder is None]
    ):
        raise FormatError(
            f"{parsed.what}: path {lacking[0]} lacks its encoder, which version {parsed.version} has"
        )
    return certificate
