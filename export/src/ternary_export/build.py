"""
A build: graphs, their certificate, and the record of where they come from.

It is a folder of what will be packaged, not yet named, signed or encrypted. Everything measurable has been
measured, so that packaging has nothing left to decide.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ternary_export.provenance import RECORD, Provenance
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.packages.certificate import Certificate
from ternary_sdk.packages.members import CERTIFICATE, GRAPH_CAP, cap
from ternary_sdk.source import read


@dataclass(frozen=True, kw_only=True)
class Build:
    """Graphs of a model with what was measured of them."""

    provenance: Provenance
    certificate: Certificate
    """Not signed yet."""

    graphs: Mapping[str, bytes]
    """ONNX bytes by member name."""

    def write(self, folder: Path) -> None:
        """Write the build to a folder that does not exist yet, all of it or nothing.

        Raises:
            InputError: If the folder exists or cannot be written.
        """
        files = {
            RECORD: self.provenance.to_bytes(),
            CERTIFICATE: self.certificate.to_statement(),
            **self.graphs,
        }
        if folder.exists():
            raise InputError(f"{folder}: exists already, expected a folder that does not")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as draft:
                content = Path(draft) / "build"
                content.mkdir()
                for name, data in files.items():
                    (content / name).write_bytes(data)
                content.rename(folder)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written ({error.strerror})") from None

    @classmethod
    def read(cls, folder: Path) -> "Build":
        """Read a build and check that its parts belong together.

        Raises:
            InputError: If a file is missing or too large.
            FormatError: If a file is not of its format or the parts contradict each other.
        """
        provenance = Provenance.read(read(folder / RECORD, cap(RECORD)))
        certificate = Certificate.from_statement(read(folder / CERTIFICATE, cap(CERTIFICATE)))
        graphs = {graph.member: read(folder / graph.member, GRAPH_CAP) for graph in provenance.graphs}
        build = cls(provenance=provenance, certificate=certificate, graphs=graphs)
        found = {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items()}
        if found != certificate.subjects or certificate.released != provenance.released:
            raise FormatError(f"{folder}: its graphs, {CERTIFICATE} and {RECORD} are of different builds")
        return build
