"""
A build: graphs, their certificate, and the record of where they come from.

It is a folder of what will be packaged, not yet named, signed or encrypted. Everything measurable has been
measured, so that packaging has nothing left to decide. Until it is certified it is a draft.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ternary_export import vast_proving
from ternary_export.provenance import RECORD, Provenance
from ternary_sdk._internal import folder as folders
from ternary_sdk._internal.certificates import reading, records
from ternary_sdk._internal.certificates.reading import AnyCertificate
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.counting.progress import Progress, silent
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.firewall import MAX_GRAPH
from ternary_sdk._internal.graphs.interface import of_decoder, of_encoder
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.packages.members import cap, decoder_of, encoder_of
from ternary_sdk._internal.source import read
from ternary_sdk.errors import FormatError, InputError, ProofError
from ternary_sdk.signature import Signature


def inspect(member: str, graph: bytes, parameters: int, signature: Signature) -> None:
    """Pass a graph through the clients' firewall; its name says which interface it must have.

    Raises:
        FormatError: If it does not pass.
    """
    interface = (of_encoder if member.startswith("encoder") else of_decoder)(signature)
    firewall.inspect(graph, what=member, interface=interface, parameters=parameters)


def load(
    graphs: Mapping[str, bytes], path: str, workers: Workers, signature: Signature
) -> tuple[Encoder | None, Decoder]:
    """The decoder of a path and its encoder, if it has one, from inspected graphs."""
    encoder, decoder = encoder_of(path), decoder_of(path)
    return (
        Encoder(graphs[encoder], encoder, workers, signature) if encoder in graphs else None,
        Decoder(graphs[decoder], decoder, workers, signature),
    )


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Inspected graphs and the record of where they come from: what there is to certify."""

    provenance: Provenance
    graphs: Mapping[str, bytes]
    """ONNX bytes by member name."""

    @classmethod
    def read(cls, folder: Path) -> "Draft":
        """Read a build without its certificate, and check that the graphs are those recorded.

        Raises:
            InputError: If it is no build, or a file is missing or too large.
            FormatError: If a file is not of its format, or a graph is not the one that was exported.
        """
        if not (folder / RECORD).exists():
            raise InputError(
                f"{folder}: not a build, it holds no {RECORD}; make one with 'ternary export RUN --out BUILD'"
            )
        provenance = Provenance.read(read(folder / RECORD, cap(RECORD)))
        graphs = {graph.member: read(folder / graph.member, MAX_GRAPH) for graph in provenance.graphs}
        for graph in provenance.graphs:
            found = hashlib.sha256(graphs[graph.member]).hexdigest()
            if found != graph.sha256:
                raise FormatError(
                    f"{folder / graph.member}: sha256 is {found}, {RECORD} says {graph.sha256}; "
                    "export the model again"
                )
            inspect(graph.member, graphs[graph.member], graph.parameters, provenance.signature)
        return cls(provenance=provenance, graphs=graphs)


@dataclass(frozen=True, kw_only=True)
class Build:
    """Graphs of a model with what was measured of them."""

    provenance: Provenance
    certificate: AnyCertificate
    """Not signed yet."""

    graphs: Mapping[str, bytes]
    """ONNX bytes by member name."""

    binary: Mapping[str, bytes] = field(default_factory=dict)
    """The binary members by name, of which the certificate of a vast space speaks; none in a listed space."""

    def write(self, folder: Path) -> None:
        """Write the build to a folder that does not exist yet, all of it or nothing.

        Raises:
            InputError: If the folder exists or cannot be written.
        """
        files = {
            RECORD: self.provenance.to_bytes(),
            CERTIFICATE: self.certificate.to_statement(),
            **self.graphs,
            **self.binary,
        }
        folders.write(files, folder)

    def prove(
        self, *, tell: Callable[[str], None] = lambda _: None, watch: Callable[[Progress], None] = silent
    ) -> None:
        """Compute again what the certificate says of these graphs.

        In a listed space that is everything. In a vast space it is every draw and uniform operation, up to
        2^27 of each on a path; of more, 64 blocks and 2^20 operations that are chosen at random.

        Args:
            tell: Called for each path of a vast space with one sentence: what is proved, and what is not.
            watch: Called in a vast space with how far it has come.
        Raises:
            ProofError: Naming the first figure, row or operation that differs.
        """
        for name, digest in self.certificate.subjects.items():
            found = hashlib.sha256(self.graphs[name]).hexdigest()
            if found != digest:
                raise ProofError(f"{name}: sha256 is {found}, the certificate says {digest}")
        with Workers() as workers:
            for claim in self.certificate.paths:
                encoder, decoder = load(self.graphs, claim.path, workers, self.certificate.signature)
                if isinstance(claim, VastPath):
                    vast_proving.prove(claim, self.binary, encoder, decoder, tell=tell, watch=watch)
                else:
                    proof.replay(claim, decoder)
                    proof.reprove(claim, encoder, decoder)

    @classmethod
    def read(cls, folder: Path) -> "Build":
        """Read a build and check that its parts belong together.

        Raises:
            InputError: If it is no build or not certified, or a file is missing or too large.
            FormatError: If a file is not of its format or the parts contradict each other.
        """
        draft = Draft.read(folder)
        file = folder / CERTIFICATE
        if not file.exists():
            raise InputError(f"{folder}: holds no {CERTIFICATE}; run 'ternary certify {folder}'")
        certificate = reading.from_statement(read(file, cap(CERTIFICATE)), str(file))
        recorded = {graph.member: graph.sha256 for graph in draft.provenance.graphs}
        same = certificate.signature == draft.provenance.signature
        if certificate.subjects != recorded or certificate.released != draft.provenance.released or not same:
            raise FormatError(f"{file}: is of another build than {RECORD}; run 'ternary certify {folder}'")
        binary = dict[str, bytes]()
        for claim in certificate.paths:
            if isinstance(claim, VastPath):
                names = records.names(claim.path, encoder=claim.encoder is not None)
                binary |= {name: read(folder / name, cap(name)) for name in names}
                Records.read(claim, binary)
        return cls(provenance=draft.provenance, certificate=certificate, graphs=draft.graphs, binary=binary)
