"""
The entries of a manifest: a member with its digests, and a path with its two graphs.

Each is read and written alone here; ``manifest`` holds them against each other (docs/formats.md, section 5).
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.packages.members import cap

_LETTER: Final = re.compile(r"[A-Z]")
_MOST_PARAMETERS: Final = 1 << 21


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One ONNX graph of a path."""

    member: str
    """Name of the member that holds it."""

    parameters: int
    """How many learned weights and biases it holds."""


@dataclass(frozen=True, kw_only=True)
class ModelPath:
    """One decoder and, if it has one, the encoder that it inverts."""

    path: str
    """A capital letter."""

    encoder: Graph | None
    decoder: Graph


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in the package as its manifest describes it."""

    name: str
    """Flat ASCII name."""

    sha256: str
    """Digest of the stored bytes, hex."""

    size: int
    """Length of the stored bytes."""

    plaintext_sha256: str | None = None
    """Digest of the bytes before encryption, hex; None for a member in the clear."""


def write_path(path: ModelPath) -> Json:
    """An entry of the manifest's ``paths``."""
    stated: dict[str, Json] = {"path": path.path, "decoder": _write_graph(path.decoder)}
    if path.encoder is not None:
        stated["encoder"] = _write_graph(path.encoder)
    return stated


def _write_graph(graph: Graph) -> Json:
    return {"member": graph.member, "parameters": graph.parameters}


def read_path(fields: Fields) -> ModelPath:
    """Read an entry of the manifest's ``paths``.

    Raises:
        FormatError: If it is not of this format.
    """
    path = ModelPath(
        path=fields.text("path", pattern=_LETTER),
        encoder=fields.optional("encoder", lambda name: _read_graph(fields.object(name))),
        decoder=_read_graph(fields.object("decoder")),
    )
    fields.end()
    return path


def _read_graph(fields: Fields) -> Graph:
    graph = Graph(
        member=fields.text("member", longest=64),
        parameters=fields.integer("parameters", least=1, most=_MOST_PARAMETERS),
    )
    fields.end()
    return graph


def write_member(member: Member) -> Json:
    """An entry of the manifest's ``members``."""
    stated: dict[str, Json] = {"name": member.name, "sha256": member.sha256, "size": member.size}
    if member.plaintext_sha256 is not None:
        stated["plaintext_sha256"] = member.plaintext_sha256
    return stated


def read_member(fields: Fields) -> Member:
    """Read an entry of the manifest's ``members``.

    Raises:
        FormatError: If it is not of this format, or larger than such a member may be.
    """
    name = fields.text("name", longest=64)
    member = Member(
        name=name,
        sha256=fields.sha256("sha256"),
        size=fields.integer("size", most=cap(name)),
        plaintext_sha256=fields.optional("plaintext_sha256", fields.sha256),
    )
    fields.end()
    return member
