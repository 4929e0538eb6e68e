"""
``ternary verify --replay`` and ``--model``: recomputing what a certificate states, draws included.
"""

from pathlib import Path

from ternary_cli.facts import coverage_facts
from ternary_cli.files import read
from ternary_cli.pins import load as load_pins
from ternary_cli.selection import select_trust
from ternary_cli.terminal import show, show_json
from ternary_sdk.errors import InputError
from ternary_sdk.inference.runtime import Workers
from ternary_sdk.packages import evidence
from ternary_sdk.packages.certificate import Certificate
from ternary_sdk.packages.evidence import Recomputed
from ternary_sdk.packages.members import CERTIFICATE, GRAPH_CAP, cap
from ternary_sdk.packages.path_coverage import PathCoverage


def verify_certificate(
    file: Path | None, decoder: Path | None, encoder: Path | None, trust: Path | None, *, as_json: bool
) -> None:
    """Verify a certificate that stands alone, and recompute it from graphs that came some other way.

    Raises:
        InputError: If the certificate or the decoder is not named.
        TernaryError: If the certificate is not signed as it must be or a graph does otherwise.
    """
    if file is None or decoder is None:
        raise InputError("a certificate is verified as: ternary verify CERTIFICATE --model DECODER.onnx")
    trusted = select_trust(trust, load_pins())
    certificate = Certificate.read(read(file, most=cap(CERTIFICATE))[0], trusted, str(file))
    graphs = [None if path is None else read(path, most=GRAPH_CAP)[0] for path in (decoder, encoder)]
    with Workers() as workers:
        found = evidence.of_graphs(certificate, graphs[0] or b"", graphs[1], workers)
    if as_json:
        facts = {"verified": True, "path": found.claim.path, "witnesses_decoded": found.witnesses}
        show_json(facts | coverage_facts(found.claim))
        return
    show(
        [
            f"{file} is what {trusted.vendor} signed (root {trusted.root.kid})",
            f"{decoder} is the decoder of path {found.claim.path}",
            _witness_line(found),
            draws_line(found.claim),
        ]
    )


def _witness_line(found: Recomputed) -> str:
    certified = len(found.claim.reachable.operations)
    if found.complete:
        return f"path {found.claim.path}: {certified:,} reachable operations proved on this machine"
    return (
        f"path {found.claim.path}: {found.witnesses:,} of {certified:,} reachable operations proved; "
        "the others need --encoder"
    )


def draws_line(claim: PathCoverage) -> str:
    """What replaying a path's draws found: exactly what is certified, or it would have been refused."""
    counts = ", ".join(f"{prior.operations:,} in {prior.draws:,}" for prior in claim.prior)
    return f"path {claim.path}: draws replayed, {counts}, as certified"
