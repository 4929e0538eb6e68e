"""
From an ONNX model that somebody else trained to a build: certified, packaged and licensed like our own.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Final

import torch

from ternary_export.build import Build, Draft, load
from ternary_export.certifying import completed
from ternary_export.export import weights_digest
from ternary_export.foreign import fitting, reading, writing
from ternary_export.foreign.comparing import measure
from ternary_export.foreign.fitting import Fitted
from ternary_export.provenance import ExportedGraph, Origin, Parity, Provenance
from ternary_export.vast_certifying import Effort
from ternary_sdk._internal.certificates.path_coverage import MARGIN, PathCoverage
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import Interface, of_decoder, of_encoder
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk._internal.packages.members import decoder_of, encoder_of
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

PATH: Final = "A"
"""The letter of the only path that a model from elsewhere has."""

REASON: Final = "it was brought as ONNX"

_COMPUTED_WITH: Final = ("numpy", "onnx", "onnxruntime", "ternary-export", "ternary-sdk", "torch")


@dataclass(frozen=True)
class File:
    """A file that was given."""

    data: bytes
    name: str
    """As messages call it."""


def bring(
    decoder: File,
    encoder: File | None = None,
    *,
    space: Space,
    released: datetime,
    class_first: bool = False,
    effort: Effort | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Build:
    """Make a build of a foreign model:

    1. read each file and fit it to what packages hold;
    2. write it anew in the subset of ONNX that clients run;
    3. pass each graph through the firewall, as every client will;
    4. compare it with the file that was given, and with exact arithmetic;
    5. certify its coverage, as ``ternary certify`` does again.

    Args:
        decoder: Latents to logits.
        encoder: Tables to mean and log-variance; without one every witness is a row of the latent stream, and
            in a vast space nothing then gives a latent for a wanted operation.
        space: What it decodes to.
        released: The moment of the build, timezone-aware; whole seconds are kept.
        class_first: Whether flat logits are ordered value by value, and not cell by cell.
        effort: How much is computed for the certificate of a vast space.
        tell: Called with a few words before each step.
    Raises:
        InputError: If ``released`` has no time zone.
        FormatError: If a model is not accepted: names the node and the nearest form that is.
        ProofError: If what would be shipped computes something else, or no operation is reached.
    """
    if released.tzinfo is None:
        raise InputError(f"released: {released} has no time zone, expected UTC")
    (effort or Effort()).expect_of(space)
    tell("reading the model")
    fitted = fitting.decoder(reading.read(decoder.data, decoder.name), space, class_first=class_first)  # 1
    signature = Signature(space, fitted.network.width, (PATH,))
    members = {decoder_of(PATH): fitted}
    graphs = {decoder_of(PATH): writing.decoder_graph(fitted.network, PATH, signature)}  # 2
    _inspect(fitted, graphs[decoder_of(PATH)], of_decoder(signature))  # 3
    if encoder is not None:
        fitted_encoder = fitting.encoder(reading.read(encoder.data, encoder.name), signature)
        members[encoder_of(PATH)] = fitted_encoder
        graphs[encoder_of(PATH)] = writing.encoder_graph(fitted_encoder.network, PATH, signature)
        _inspect(fitted_encoder, graphs[encoder_of(PATH)], of_encoder(signature))
    tell("comparing what would be shipped with what was given")
    with Workers() as workers:
        written_encoder, written = load(graphs, PATH, workers, signature)
        parity = measure(PATH, fitted, written, members.get(encoder_of(PATH)), written_encoder)  # 4
    provenance = Provenance(
        released=released.replace(microsecond=0),
        signature=signature,
        origin=_origin(decoder, encoder, members),
        graphs=tuple(
            ExportedGraph(
                member=name,
                parameters=members[name].network.size,
                sha256=hashlib.sha256(graphs[name]).hexdigest(),
            )
            for name in sorted(graphs)
        ),
        parity=(parity,),
        computed_with={name: version(name) for name in _COMPUTED_WITH},
    )
    build = completed(Draft(provenance=provenance, graphs=graphs), effort, tell=tell)  # 5
    if not _reaches(build.certificate.paths[0]):
        raise ProofError(
            f"{decoder.name}: reaches no operation: for no latent does the best logit of every cell "
            f"lead by {MARGIN}"
        )
    return build


def _reaches(claim: PathCoverage | VastPath) -> bool:
    """Whether any operation is certified to be drawn or encoded."""
    if isinstance(claim, VastPath):
        tried = claim.reachable
        return claim.evenness.distinct > 0 or (tried is not None and tried.failures < tried.operations)
    return len(claim.reachable.operations) > 0


def compared(parity: Parity) -> dict[str, int | str | None]:
    """The differences between a build and the files that were given, as a program reads them."""
    return {
        "path": parity.path,
        "mean": parity.mean,
        "logits": parity.logits,
        "same": parity.operations,
        "random_latents": parity.random,
        "uniform_operations": parity.sampled,
    }


def words(build: Build) -> dict[str, str]:
    """How closely a build follows the files that were given, and whether its encoder fits its decoder."""
    (parity,), (claim,) = build.provenance.parity, build.certificate.paths
    size, inputs = claim.space.size, parity.inputs(claim.space)
    told = {"compared": f"with what was given, on {inputs}: logits differ by at most {parity.logits}"}
    if isinstance(claim, VastPath):
        return told | {"encoder": _encoder_words(claim)}
    if claim.encoder is None:
        return {**told, "encoder": "none: every witness is found among the draws"}
    own = len(claim.reachable.operations) - len(claim.reachable.streamed)
    return {**told, "encoder": f"the means of {own:,} of {size:,} operations decode back to them"}


def _encoder_words(claim: VastPath) -> str:
    if claim.reachable is None:
        return "none: nothing gives a latent for a wanted operation"
    tried = claim.reachable.operations
    own = tried - claim.reachable.failures
    return f"the means of {own:,} of {tried:,} uniform operations decode back to them"


def _inspect(fitted: Fitted, graph: bytes, interface: Interface) -> None:
    what = f"{fitted.foreign.what} as it would be shipped"
    firewall.inspect(graph, what=what, interface=interface, parameters=fitted.network.size)


def _origin(decoder: File, encoder: File | None, members: dict[str, Fitted]) -> Origin:
    weights = {
        f"{member.removesuffix('.onnx')}.{name}": torch.from_numpy(array)
        for member, fitted in members.items()
        for name, array in fitted.network.parameters()
    }
    return Origin(
        kind="onnx",
        file=hashlib.sha256(decoder.data).hexdigest(),
        encoder_file=None if encoder is None else hashlib.sha256(encoder.data).hexdigest(),
        weights=weights_digest(weights),
        epoch=None,
        reason=REASON,
    )
