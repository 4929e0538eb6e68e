"""
The machine-learning bill of materials: CycloneDX 1.6 (ECMA-424), as supply-chain tools read it.

It is a function of the build alone: its serial number is derived and its time is the build's, so that the
same build gives the same package.
"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from itertools import chain

from ternary_export.card import coverage_sentence
from ternary_export.provenance import Origin, Provenance
from ternary_sdk._internal.certificates.path_coverage import PathCoverage, Prior
from ternary_sdk._internal.certificates.reading import AnyCertificate
from ternary_sdk._internal.certificates.statistics import ALPHA, in_percent
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.graphs.interface import Interface, of_decoder, of_encoder
from ternary_sdk._internal.identity import Version, format_version
from ternary_sdk.space import Space

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ternary:package")


def bill_of_materials(
    name: str, version: Version, certificate: AnyCertificate, provenance: Provenance
) -> bytes:
    """Write a package's bill of materials.

    Args:
        name: The package's name.
        version: Its version.
        certificate: Digests of the graphs and their coverage.
        provenance: Where the weights come from.
    Returns:
        A CycloneDX 1.6 document as canonical JSON.
    """
    label, space = f"{name}-{format_version(version)}", certificate.space
    material = canonical.encode([label, dict(certificate.subjects)]).decode()
    return canonical.encode(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, material)}",
            "version": 1,
            "metadata": {
                "timestamp": provenance.released.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "component": {
                    "type": "machine-learning-model",
                    "bom-ref": label,
                    "name": name,
                    "version": format_version(version),
                    "description": f"Learned model of all {space.size:,} {space.title} logic operations",
                    "modelCard": _model_card(certificate, provenance),
                },
            },
            "components": [
                *_graphs(certificate, provenance),
                _data(space),
                *_libraries(provenance),
            ],
            "dependencies": [
                {"ref": label, "dependsOn": [*sorted(certificate.subjects), "ternary-operations"]},
                *_leaves([*certificate.subjects, "ternary-operations"]),
            ],
        }
    )


def _model_card(certificate: AnyCertificate, provenance: Provenance) -> Json:
    return {
        "bom-ref": "model-card",
        "modelParameters": {
            **_training(provenance.origin),
            "task": f"generation {'and encoding ' if _encodes(certificate) else ''}"
            f"of {certificate.space.title} logic operations",
            "modelArchitecture": _architecture(certificate),
            "datasets": [{"ref": "ternary-operations"}],
            **_interfaces(certificate, provenance.origin),
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [*chain.from_iterable(map(_metrics, certificate.paths))]
            if isinstance(certificate, VastCertificate)
            else [
                *(_metric(path.path, prior) for path in certificate.paths for prior in path.prior),
                *(_reach(path) for path in certificate.paths),
            ]
        },
        "considerations": {
            "users": ["designers of multi-valued logic"],
            "useCases": [
                "drawing many different operations",
                *(
                    [f"encoding operations as {certificate.latent_size} numbers"]
                    if _encodes(certificate)
                    else []
                ),
            ],
            "technicalLimitations": [
                "draws are not exactly uniform over operations",
                "distances between encodings carry no promise",
            ],
        },
        "properties": [
            *_epoch(provenance.origin),
            {"name": "ternary:selection", "value": provenance.origin.reason},
            {"name": "ternary:weights:sha256", "value": provenance.origin.weights},
            *_files(provenance.origin),
        ],
    }


def _training(origin: Origin) -> dict[str, Json]:
    """How the model was trained, where that is known."""
    if origin.kind == "onnx":
        return {"architectureFamily": "a decoder that was brought as ONNX"}
    return {"approach": {"type": "self-supervised"}, "architectureFamily": "variational autoencoder"}


def _architecture(certificate: AnyCertificate) -> str:
    independent = "1 path" if len(certificate.paths) == 1 else f"{len(certificate.paths)} independent paths"
    alone = [path.encoder is None for path in certificate.paths]
    parts = "a decoder alone" if all(alone) else "decoder with or without encoder"
    parts = parts if any(alone) else "decoder with its encoder"
    return f"{independent}, {parts}, {certificate.latent_size} latent dimensions"


def _encodes(certificate: AnyCertificate) -> bool:
    return any(path.encoder is not None for path in certificate.paths)


def _interfaces(certificate: AnyCertificate, origin: Origin) -> dict[str, Json]:
    """What goes in and comes out; of an encoder that was brought only the mean is sure."""
    encoder, decoder = of_encoder(certificate.signature), of_decoder(certificate.signature)
    if origin.kind == "onnx":
        encoder = replace(encoder, outputs=encoder.outputs[:1])
    given: dict[str, Json] = {"outputs": [{"format": _format(decoder)}]}
    if _encodes(certificate):
        given["inputs"] = [{"format": _format(encoder)}]
    return given


def _epoch(origin: Origin) -> list[Json]:
    return [] if origin.epoch is None else [{"name": "ternary:epoch", "value": str(origin.epoch)}]


def _files(origin: Origin) -> list[Json]:
    """Digests of the files that were brought; a snapshot's file stays the vendor's own business."""
    given = {"decoder": origin.file, "encoder": origin.encoder_file} if origin.kind == "onnx" else {}
    return [
        {"name": f"ternary:brought:{role}:sha256", "value": digest}
        for role, digest in given.items()
        if digest is not None
    ]


def _format(interface: Interface) -> str:
    tensors = (*interface.inputs, *interface.outputs)
    return "; ".join(f"{tensor.name} {tensor.type} {list(tensor.shape)}" for tensor in tensors)


def _metric(path: str, prior: Prior) -> Json:
    return {
        "type": "hash-validated coverage",
        "value": coverage_sentence(prior),
        "slice": f"path {path}, {prior.draws:,} prior draws",
    }


def _reach(path: PathCoverage) -> Json:
    return {
        "type": "reachable operations",
        "value": str(len(path.reachable.operations)),
        "slice": f"path {path.path}, of {path.space.size:,}",
    }


def _metrics(path: VastPath) -> Iterator[Json]:
    """The figures of a path in a vast space."""
    evenness, reachable = path.evenness, path.reachable
    drawn = f"path {path.path}, {evenness.draws:,} prior draws"
    yield {"type": "different operations", "value": str(evenness.distinct), "slice": drawn}
    yield {
        "type": "effective number of operations, at least",
        "value": f"{evenness.effective_number} of {path.space.size}; perfect draws, on average "
        f"{evenness.perfect_effective_number}; of its clear draws, at most "
        f"{in_percent(evenness.near_tie_share_at_most)} % are left out; wrong with a probability of {ALPHA} "
        "at most",
        "slice": drawn,
    }
    if reachable is not None:
        yield {
            "type": "reachable share of all operations, at least",
            "value": f"{reachable.share}; wrong with a probability of {ALPHA} at most",
            "slice": f"path {path.path}, {reachable.operations:,} uniform operations",
        }


def _leaves(references: list[str]) -> list[Json]:
    return [{"ref": reference} for reference in sorted(references)]


def _graphs(certificate: AnyCertificate, provenance: Provenance) -> list[Json]:
    parameters = {graph.member: graph.parameters for graph in provenance.graphs}
    return [
        {
            "type": "file",
            "bom-ref": member,
            "name": member,
            "mime-type": "application/onnx",
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "properties": [{"name": "ternary:parameters", "value": str(parameters[member])}],
        }
        for member, digest in sorted(certificate.subjects.items())
    ]


def _data(space: Space) -> Json:
    return {
        "type": "data",
        "bom-ref": "ternary-operations",
        "name": "ternary-operations",
        "description": f"All {space.size:,} truth tables of {space.title} operations, no personal data",
        "data": [{"type": "dataset", "name": "ternary-operations", "classification": "public"}],
    }


def _libraries(provenance: Provenance) -> list[Json]:
    return [
        {
            "type": "library",
            "bom-ref": f"built-with-{name}",
            "name": name,
            "version": release,
            "scope": "excluded",
        }
        for name, release in sorted(provenance.computed_with.items())
    ]
