"""
Where a build comes from: ``build.json``, the vendor's record that is packaged as card and bill of materials.

It carries what a buyer may ask about the weights: which epoch of which training, chosen why, and how
closely the graphs follow the trained network. It never leaves the vendor as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.stated import read_signature
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Space

FORMAT: Final = "ternary-build/2"
STANDARD_ONLY: Final = "ternary-build/1"
"""Says nothing of what the model is of: two-input ternary operations. It is read, not written."""
RECORD: Final = "build.json"

_DECIMAL: Final = re.compile(r"[0-9]{1,9}\.[0-9]{9}")
Kind = Literal["run", "checkpoint", "onnx"]
_KINDS: Final[Mapping[str, Kind]] = {"run": "run", "checkpoint": "checkpoint", "onnx": "onnx"}
_LETTER: Final = re.compile(r"[A-Z]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the weights come from: a training, or an ONNX model that was brought."""

    kind: Kind
    """A run of our trainer, a file that some training wrote, or an ONNX model whose training is not known."""

    file: str
    """SHA-256 of the file that the decoder comes from, hex: a snapshot, or the ONNX model that was given."""

    weights: str
    """SHA-256 over all tensors, hex: the same weights have the same digest wherever they are stored.

    Those of an ONNX model are of the layers that it was understood as, in order of execution.
    """

    epoch: int | None
    """The epoch of the snapshot, from 0; None if its file does not say."""

    reason: str
    """Why this epoch, in words."""

    recipe: str | None = None
    """Name of the recipe, where known."""

    seed: int | None = None
    """Seed of the training, where known."""

    encoder_file: str | None = None
    """SHA-256 of the ONNX model that was given as the encoder, hex; None where no such file was."""


@dataclass(frozen=True, kw_only=True)
class ExportedGraph:
    """One ONNX graph as it left the exporter."""

    member: str
    """Name of its file, and of the member it becomes."""

    parameters: int
    """How many learned weights and biases it holds."""

    sha256: str
    """Digest of its bytes, hex."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest differences on one path between a graph in ONNX Runtime and what it was made from.

    That is the network in torch, or the ONNX model that was given.
    """

    path: str
    """The path's letter."""

    mean: str | None
    """Of any component of any posterior mean; nine decimals, rounded up. None without an encoder."""

    logits: str
    """Of any logit that was compared; nine decimals, rounded up."""

    operations: int
    """How many posterior means decode to the same operation in both; without an encoder, random latents."""

    random: int | None = None
    """How many random latents stand in place of all posterior means; None with an encoder."""

    sampled: int | None = None
    """How many uniform operations stand in place of all, whose means are compared; None in a listed space."""

    def inputs(self, space: Space) -> str:
        """On what it was compared, in words."""
        if self.random is not None:
            return f"{self.random:,} random latents"
        if self.sampled is not None:
            return f"{self.sampled:,} uniform operations"
        return f"all {space.size:,} operations"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Everything ``build.json`` says."""

    released: datetime
    """The moment of the build, UTC, whole seconds."""

    signature: Signature
    """What the model is of."""

    origin: Origin
    graphs: tuple[ExportedGraph, ...]
    """Ascending by name."""

    parity: tuple[Parity, ...]
    """One entry a path, ascending; none where nothing was compared."""

    computed_with: Mapping[str, str]
    """Names and versions of the software used."""

    def to_bytes(self) -> bytes:
        """Write ``build.json`` as canonical JSON."""
        return canonical.encode(
            {
                "format": FORMAT,
                "signature": self.signature.to_json(),
                "released": int(self.released.timestamp()),
                "origin": _write_origin(self.origin),
                "graphs": [_write_graph(graph) for graph in self.graphs],
                "parity": [_write_parity(parity) for parity in self.parity],
                "computed_with": dict(self.computed_with),
            }
        )

    @classmethod
    def read(cls, data: bytes) -> "Provenance":
        """Read ``build.json``.

        Raises:
            FormatError: If it is not canonical or not of this format.
        """
        fields = Fields(canonical.decode(data, RECORD), RECORD)
        form = fields.one_of("format", [STANDARD_ONLY, FORMAT])
        signature = STANDARD if form == STANDARD_ONLY else read_signature(fields.object("signature"))
        provenance = cls(
            signature=signature,
            released=fields.moment("released"),
            origin=_read_origin(fields.object("origin")),
            graphs=fields.items("graphs", _read_graph, least=1, most=16),
            parity=fields.items("parity", _read_parity, most=8),
            computed_with=fields.labels("computed_with", most=32),
        )
        fields.end()
        return provenance


def _write_origin(origin: Origin) -> Json:
    stated: dict[str, Json] = {
        "kind": origin.kind,
        "file_sha256": origin.file,
        "weights_sha256": origin.weights,
        "reason": origin.reason,
    }
    if origin.epoch is not None:
        stated["epoch"] = origin.epoch
    if origin.recipe is not None:
        stated["recipe"] = origin.recipe
    if origin.seed is not None:
        stated["seed"] = origin.seed
    if origin.encoder_file is not None:
        stated["encoder_file_sha256"] = origin.encoder_file
    return stated


def _read_origin(fields: Fields) -> Origin:
    origin = Origin(
        kind=_KINDS[fields.one_of("kind", list(_KINDS))],
        file=fields.sha256("file_sha256"),
        weights=fields.sha256("weights_sha256"),
        epoch=fields.optional("epoch", fields.integer),
        reason=fields.text("reason"),
        recipe=fields.optional("recipe", fields.text),
        seed=fields.optional("seed", fields.integer),
        encoder_file=fields.optional("encoder_file_sha256", fields.sha256),
    )
    fields.end()
    return origin


def _write_graph(graph: ExportedGraph) -> Json:
    return {"member": graph.member, "parameters": graph.parameters, "sha256": graph.sha256}


def _read_graph(fields: Fields) -> ExportedGraph:
    graph = ExportedGraph(
        member=fields.text("member", pattern=_NAME),
        parameters=fields.integer("parameters", least=1),
        sha256=fields.sha256("sha256"),
    )
    fields.end()
    return graph


def _write_parity(parity: Parity) -> Json:
    stated: dict[str, Json] = {
        "path": parity.path,
        "logits": parity.logits,
        "operations": parity.operations,
    }
    if parity.mean is not None:
        stated["mean"] = parity.mean
    if parity.random is not None:
        stated["random_latents"] = parity.random
    if parity.sampled is not None:
        stated["uniform_operations"] = parity.sampled
    return stated


def _read_parity(fields: Fields) -> Parity:
    parity = Parity(
        path=fields.text("path", pattern=_LETTER),
        mean=fields.optional("mean", lambda name: fields.text(name, pattern=_DECIMAL)),
        logits=fields.text("logits", pattern=_DECIMAL),
        operations=fields.integer("operations"),
        random=fields.optional("random_latents", fields.integer),
        sampled=fields.optional("uniform_operations", fields.integer),
    )
    fields.end()
    return parity
