"""
The graphs of a package before ONNX Runtime sees them: each through the firewall, and all together.

Whoever opens a package encodes and decodes every operation once, and in a vast space some thousand rows. So
the bound on a whole package is what a stolen package key can make a client compute, and docs/threat-model.md
states it in hours.
"""

from collections.abc import Mapping
from typing import Final

from ternary_sdk._internal.certificates.vast_path import OPENED
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk.errors import FormatError

MAX_WORK: Final = 1 << 42
"""The most work that opening a package may take, in multiplications of a matrix product."""


def inspected(manifest: Manifest, plaintexts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The graphs that a manifest lists, checked.

    Args:
        manifest: What each graph must be.
        plaintexts: At least these graphs by member name, ONNX bytes, decrypted.
    Raises:
        FormatError: If a graph does not pass the firewall, or all together are more than ``MAX_WORK``.
    """
    row = sum(
        firewall.inspect(
            plaintexts[graph.member], what=graph.member, interface=interface, parameters=graph.parameters
        )
        for graph, interface in manifest.graphs
    )
    rows, of = _opened(manifest)
    if (work := row * rows) > MAX_WORK:
        raise FormatError(
            f"{manifest.label}: its graphs cost {work:,} multiplications on {of}, "
            f"expected at most {MAX_WORK:,}"
        )
    return {graph.member: plaintexts[graph.member] for graph, _ in manifest.graphs}


def _opened(manifest: Manifest) -> tuple[int, str]:
    """How many rows of each graph opening a package computes, at most, and what they are."""
    if manifest.space.listed:
        return manifest.space.size, f"all {manifest.space.size:,} operations"
    return 2 * OPENED, f"the {2 * OPENED:,} rows that opening it computes"
