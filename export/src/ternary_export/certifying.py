"""
Certifying a build: what each path reaches and draws, computed from the bytes that will be packaged.

Nothing of the training is needed here, so a certificate can be computed again wherever the build is; the same
graphs give the same figures.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ternary_export import vast_certifying
from ternary_export.build import Build, Draft, load
from ternary_export.vast_certifying import Effort
from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.reading import AnyCertificate
from ternary_sdk._internal.certificates.statement import CERTIFICATE, CURRENT
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk._internal.packages.members import cap
from ternary_sdk._internal.signing.dsse import MAX_PAYLOAD
from ternary_sdk._internal.source import read
from ternary_sdk.errors import FormatError, InputError

_COMPUTED_WITH: Final = ("numpy", "onnxruntime", "ternary-export", "ternary-sdk")


class State(StrEnum):
    """What becomes of the Statement that a build holds, once its certificate was computed again."""

    WRITTEN = "written"
    """There was none."""

    CONFIRMED = "confirmed"
    """It says the same, and stays as it is."""

    REPLACED = "replaced"
    """It said something else, or could not be read."""


def completed(
    draft: Draft, effort: Effort | None = None, *, tell: Callable[[str], None] = lambda _: None
) -> Build:
    """Compute the certificate of a build, of a listed space or of a vast one, and what belongs to it.

    Args:
        draft: The graphs, and the record that names the paths.
        effort: How much is computed in a vast space.
        tell: Called with a few words before each step.
    Raises:
        InputError: If the certificate would be larger than a client reads, a count cannot be done, or numbers
            are asked of a listed space.
    """
    space, binary = draft.provenance.signature.space, dict[str, bytes]()
    effort = effort or Effort()
    effort.expect_of(space)
    certificate: AnyCertificate
    if space.listed:
        certificate = certify(draft, tell=tell)
    else:
        certificate, binary = vast_certifying.certify(draft, effort, tell=tell)
    return Build(provenance=draft.provenance, certificate=certificate, graphs=draft.graphs, binary=binary)


def certify(draft: Draft, *, tell: Callable[[str], None] = lambda _: None) -> Certificate:
    """Compute the certificate of a build of a listed space, not signed yet.

    Args:
        draft: The graphs, and the record that names the paths.
        tell: Called with a few words before each path.
    Raises:
        InputError: If the certificate would be larger than a client reads.
    """
    signature = draft.provenance.signature
    certificate = Certificate(
        version=CURRENT,
        space=signature.space,
        latent_size=signature.latent_size,
        subjects={graph.member: graph.sha256 for graph in draft.provenance.graphs},
        released=draft.provenance.released,
        computed_with={name: version(name) for name in _COMPUTED_WITH},
        paths=_coverage(draft, tell),
    )
    statement = certificate.to_statement()
    if len(statement) > MAX_PAYLOAD:
        raise InputError(
            f"{CERTIFICATE}: would have {len(statement):,} bytes, expected at most {MAX_PAYLOAD:,}: too many "
            "witnesses are rows of the latent stream; export the decoder with its encoder"
        )
    return Certificate.from_statement(statement)  # clients will read it, so read it first


def compared(certificate: AnyCertificate, file: Path) -> State:
    """How a certificate just computed stands to the Statement in a file, whatever each was computed with."""
    if not file.exists():
        return State.WRITTEN
    try:
        held = reading.from_statement(read(file, cap(CERTIFICATE)), str(file))
    except FormatError:
        return State.REPLACED
    same = replace(certificate, computed_with={}) == replace(held, computed_with={})  # of one kind or not
    return State.CONFIRMED if same else State.REPLACED


def _coverage(draft: Draft, tell: Callable[[str], None]) -> tuple[PathCoverage, ...]:
    digests = {graph.member: graph.sha256 for graph in draft.provenance.graphs}
    signature, coverage = draft.provenance.signature, []
    with Workers() as workers:
        for letter in signature.paths:
            tell(f"certifying path {letter}")
            encoder, decoder = load(draft.graphs, letter, workers, signature)
            coverage.append(proof.certify(letter, encoder, decoder, digest=digests[decoder.what]))
    return tuple(coverage)
