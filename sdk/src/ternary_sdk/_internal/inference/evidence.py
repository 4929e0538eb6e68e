"""
Recomputing what a certificate states, on this machine, from graphs alone.

A certificate is evidence without any package, for whoever must sign off on a figure: its subjects say which
graphs it is of. With a package it is ``ProvedModel`` that proves and replays.
"""

import hashlib
from dataclasses import dataclass

from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import TOLERANCE, VERIFIER_MARGIN, PathCoverage
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import of_decoder, of_encoder
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk.errors import ProofError


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """What was computed again for one path, and found as certified."""

    claim: PathCoverage
    """The path's figures: its prior draws are replayed, all of them."""

    witnesses: int
    """How many operations decoded again from their witness; without an encoder only streamed ones can."""

    @property
    def complete(self) -> bool:
        """Whether that is every operation certified reachable."""
        return self.witnesses == len(self.claim.reachable.operations)


def of_graphs(
    certificate: Certificate, decoder: bytes, encoder: bytes | None, workers: Workers
) -> Recomputed:
    """Recompute one path of a verified certificate from graphs that came some other way:

    1. the decoder is, byte for byte, one that the certificate names, and the encoder is that path's;
    2. each passes the firewall, as far as can be said without a manifest;
    3. the prior draws are replayed, and every witness that can be had is decoded. Without an encoder the
       smallest margin is not recomputed; it may only not exceed those of the witnesses that are decoded.

    Args:
        certificate: Says what to expect.
        decoder: ONNX bytes.
        encoder: ONNX bytes; without them the posterior means cannot be had.
        workers: The threads to compute with.
    Raises:
        FormatError: If a graph does not pass the firewall.
        ProofError: If a graph is not one that the certificate names, or anything differs.
    """
    claim, signature = _claim_of(certificate, decoder), certificate.signature  # 1
    if encoder is not None and claim.encoder is None:
        raise ProofError(f"encoder: path {claim.path} of the certificate has none")
    if encoder is not None and claim.encoder is not None:
        _expect(certificate, claim.encoder, encoder)
        firewall.inspect(encoder, what=claim.encoder, interface=of_encoder(signature), parameters=None)  # 2
    firewall.inspect(decoder, what=claim.decoder, interface=of_decoder(signature), parameters=None)
    coder = Decoder(decoder, claim.decoder, workers, signature)
    proof.replay(claim, coder)  # 3
    if encoder is None and claim.encoder is not None:
        return Recomputed(claim=claim, witnesses=_decode_streamed(claim, coder))
    given = None if encoder is None else Encoder(encoder, claim.encoder or "encoder", workers, signature)
    proved = proof.reprove(claim, given, coder)
    return Recomputed(claim=claim, witnesses=len(proved.operations))


def _claim_of(certificate: Certificate, decoder: bytes) -> PathCoverage:
    digest = hashlib.sha256(decoder).hexdigest()
    for claim in certificate.paths:
        if certificate.subjects[claim.decoder] == digest:
            return claim
    certified = ", ".join(certificate.subjects[claim.decoder] for claim in certificate.paths)
    raise ProofError(f"decoder: sha256 is {digest}, the certificate is of {certified}")


def _expect(certificate: Certificate, name: str, graph: bytes) -> None:
    digest = hashlib.sha256(graph).hexdigest()
    if digest != certificate.subjects[name]:
        raise ProofError(f"{name}: sha256 is {digest}, the certificate is of {certificate.subjects[name]}")


def _decode_streamed(claim: PathCoverage, decoder: Decoder) -> int:
    """Decode the witnesses that are rows of the stream, and count them."""
    streamed = claim.reachable.streamed
    if not streamed:
        return 0
    found = decoder.decode(proof.stream_rows(claim, list(streamed.values())))
    for operation, index, margin in zip(streamed, found.index, found.margin, strict=True):
        if index != operation or not margin >= VERIFIER_MARGIN:
            raise ProofError(
                f"path {claim.path}: operation {operation} is certified reachable, but row "
                f"{streamed[operation]} of the latent stream decodes to {index} with a margin of {margin:.6f}"
            )
    smallest = float(found.margin.min())
    if float(claim.reachable.smallest_margin) > smallest + TOLERANCE:
        raise ProofError(
            f"path {claim.path}: a witness from the latent stream has a margin of {smallest:.6f} here, "
            f"the certificate says that none is below {claim.reachable.smallest_margin}"
        )
    return len(streamed)
