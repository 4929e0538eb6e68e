"""
The coverage certificate of a vast space: what share a model reaches and how even it draws, with confidence.

``statement`` owns its frame, ``vast_path`` the figures. Changing a byte of what is written here breaks every
certificate of a vast space (docs/formats.md, section 6).
"""

from dataclasses import dataclass

from ternary_sdk._internal.certificates import vast_path
from ternary_sdk._internal.certificates.statement import (
    CERTIFICATE,
    VAST,
    Parsed,
    Statement,
    completed,
    parse,
    signature_of,
    write,
)
from ternary_sdk._internal.certificates.statistics import ALPHA
from ternary_sdk._internal.certificates.vast_path import VastPath, entries_seed_of
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import Signature


@dataclass(frozen=True, kw_only=True)
class VastCertificate(Statement[VastPath]):
    """Coverage of the paths of one model of a vast space, bound to the exact bytes of its graphs."""

    @property
    def signature(self) -> Signature:
        """What the certified model is of."""
        return signature_of(self)

    @property
    def best_path(self) -> VastPath:
        """The path with the larger effective number; the first of equals."""
        return max(self.paths, key=lambda path: path.evenness.effective_number)

    def to_statement(self) -> bytes:
        """Write the in-toto Statement as canonical JSON: the bytes that are signed."""
        return write(
            self,
            {
                "kind": VAST,
                "latent_size": self.latent_size,
                "space": self.space.to_json(),
                "alpha": ALPHA,
            },
            [vast_path.write(path) for path in self.paths],
        )

    @classmethod
    def from_statement(cls, statement: bytes, what: str = CERTIFICATE) -> "VastCertificate":
        """Read a Statement and check that it agrees with itself.

        Args:
            statement: The verified payload of the envelope.
            what: The document's name in error messages.
        Raises:
            FormatError: If it is not canonical, is not of this format and kind, or contradicts itself.
        """
        return read(parse(statement, what))


def read(parsed: Parsed) -> VastCertificate:
    """Read the rest of a Statement whose frame was read.

    Raises:
        FormatError: If it is not of this format and kind, or contradicts itself.
    """
    parsed.expect(VAST)
    parsed.predicate.exactly("alpha", ALPHA)
    certificate = completed(parsed, VastCertificate, vast_path.read)
    for path in certificate.paths:
        _check_entries_seed(certificate, path, parsed.what)
    return certificate


def _check_entries_seed(certificate: VastCertificate, path: VastPath, what: str) -> None:
    if path.reachable is None or path.encoder is None:
        return
    subjects = certificate.subjects
    expected = entries_seed_of(subjects[path.decoder], subjects[path.encoder], path.stream)
    if path.reachable.seed != expected:
        raise FormatError(
            f"{what}: path {path.path} tries uniform operations of the seed {path.reachable.seed:016x}, "
            f"its graphs' digests give {expected:016x}"
        )
