"""
``ternary verify --replay`` and ``--model``: recomputing what a certificate states, draws included.
"""

from pathlib import Path
from typing import Final

from ternary_cli.certified import coverage_facts
from ternary_cli.documents import expect_certificate
from ternary_cli.facts import signature_facts, signature_words
from ternary_cli.files import read
from ternary_cli.selection import select_trust
from ternary_cli.terminal import not_proved_line, show, show_json
from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import OPENED, VastPath
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.graphs.firewall import MAX_GRAPH
from ternary_sdk._internal.inference import evidence
from ternary_sdk._internal.inference.evidence import Recomputed
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk._internal.inference.vast_proof import Replayed
from ternary_sdk._internal.packages.members import cap
from ternary_sdk.errors import InputError

_ONNX: Final = b"\x08"
"""How an ONNX file begins: with its format's version, the first field."""


def verify_certificate(
    file: Path | None,
    decoder: Path | None,
    encoder: Path | None,
    trust: Path | None,
    state: Path | None,
    *,
    as_json: bool,
) -> None:
    """Verify a certificate that stands alone, and recompute it from graphs that came some other way.

    Raises:
        InputError: If the certificate or the decoder is not named, or a file is another kind of file.
        TernaryError: If the certificate is not signed as it must be or a graph does otherwise.
    """
    if file is None or decoder is None:
        raise InputError("a certificate is verified as: ternary verify CERTIFICATE --model DECODER.onnx")
    data, _ = read(file, most=cap(CERTIFICATE))
    expect_certificate(data, str(file))
    data = outer.bare(data, str(file))
    trusted = select_trust(trust, state=state)
    certificate = reading.read(data, trusted, str(file))
    if isinstance(certificate, VastCertificate):
        raise InputError(
            f"{file}: is of a vast space, and what it says of single rows is listed in its package; "
            "verify that: ternary verify FILE.ternary"
        )
    with Workers() as workers:
        graphs = _graph(decoder), None if encoder is None else _graph(encoder)
        found = evidence.of_graphs(certificate, *graphs, workers)
    of, left = signature_facts(certificate.signature), _not_proved(found, certificate)
    if as_json:
        facts = {"verified": True, "path": found.claim.path, "witnesses_decoded": found.witnesses}
        show_json(facts | {"not_proved": left} | of | coverage_facts(found.claim))
        return
    show(
        [
            f"{file} is what {trusted.vendor} signed (root {trusted.root.kid})",
            signature_words(of, certificate.signature.paths),
            f"{decoder} is the decoder of path {found.claim.path}",
            _witness_line(found),
            draws_line(found.claim.path, found.claim),
            *map(not_proved_line, left),
        ]
    )


def _graph(file: Path) -> bytes:
    data, name = read(file, most=MAX_GRAPH)
    if not data.startswith(_ONNX):
        raise InputError(
            f"{name}: does not begin as an ONNX graph does; from an encrypted package it is ciphertext, "
            "which 'ternary verify FILE.ternary --license L' proves"
        )
    return data


def _witness_line(found: Recomputed) -> str:
    certified = len(found.claim.reachable.operations)
    share = "" if found.complete else f"{found.witnesses:,} of "
    return f"path {found.claim.path}: {share}{certified:,} reachable operations proved on this machine"


def _not_proved(found: Recomputed, certificate: Certificate) -> list[str]:
    """What the certificate states and these graphs do not show: other paths, means without the encoder."""
    others = [claim.path for claim in certificate.paths if claim.path != found.claim.path]
    left = [f"path {path}: anything; name its decoder instead" for path in others]
    if found.complete:
        return left
    missing = len(found.claim.reachable.operations) - found.witnesses
    return [
        f"path {found.claim.path}: that {_are(missing)} reachable, and the smallest margin; "
        "add --encoder ENCODER.onnx",
        *left,
    ]


def _are(count: int) -> str:
    return "1 operation is" if count == 1 else f"{count:,} operations are"


def draws_line(path: str, found: PathCoverage | Replayed) -> str:
    """What replaying a path's draws found: exactly what is certified, or it would have been refused."""
    if isinstance(found, Replayed):
        blocks = "1 block" if found.blocks == 1 else f"{found.blocks:,} blocks"
        counts = "draws and counts are" if found.counted else "draws are (counts are not proved by draws)"
        return f"path {path}: {blocks} of draws replayed, {counts} as certified"
    counts = ", ".join(f"{prior.operations:,} in {prior.draws:,}" for prior in found.prior)
    return f"path {path}: draws replayed, {counts}, as certified"


def sampled_line(claim: PathCoverage | VastPath) -> str:
    """What opening a package of a vast space proved of a path."""
    encoded = f"{OPENED:,} uniform operations and " if claim.encoder is not None else ""
    return f"path {claim.path}: {encoded}{OPENED:,} draws, chosen at random, proved on this machine"
