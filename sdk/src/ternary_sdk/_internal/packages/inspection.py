"""
The graphs of a package before ONNX Runtime sees them: each through the firewall, and all together.

Whoever opens a package encodes and decodes every operation once. So the bound on a whole package is what a
stolen package key can make a client compute, and docs/threat-model.md states it in hours.
"""

from collections.abc import Mapping
from typing import Final

from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk.errors import FormatError

MAX_WORK: Final = 1 << 42
"""The most work that all graphs may take on every operation once, in multiplications of a matrix product."""


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
    if (work := row * manifest.space.size) > MAX_WORK:
        raise FormatError(
            f"{manifest.label}: its graphs cost {work:,} multiplications on all {manifest.space.size:,} "
            f"operations, expected at most {MAX_WORK:,}"
        )
    return {graph.member: plaintexts[graph.member] for graph, _ in manifest.graphs}
