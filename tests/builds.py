"""Builds of untrained networks of any signature: in a second what ``ternary export`` makes of a training."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.networks import State

from ternary_export.build import Build, Draft, inspect
from ternary_export.certifying import completed
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_export.provenance import ExportedGraph, Origin, Provenance
from ternary_export.vast_certifying import Effort
from ternary_sdk.signature import Signature

MOMENT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def parameters(state: State, member: str) -> int:
    prefix = member.removesuffix(".onnx") + "."
    return sum(value.size for name, value in state.items() if name.startswith(prefix))


def built(
    signature: Signature,
    state: State,
    *,
    encoders: bool = True,
    draws: int = 100_000,
    operations: int = 10_000,
) -> Build:
    """In a vast space so many draws are counted, and so many uniform operations tried."""
    graphs = {f"decoder_{path}.onnx": decoder_graph(state, path, signature) for path in signature.paths}
    if encoders:
        graphs |= {f"encoder_{path}.onnx": encoder_graph(state, path, signature) for path in signature.paths}
    described = tuple(
        ExportedGraph(
            member=name, parameters=parameters(state, name), sha256=hashlib.sha256(data).hexdigest()
        )
        for name, data in sorted(graphs.items())
    )
    for graph in described:
        inspect(graph.member, graphs[graph.member], graph.parameters, signature)
    origin = Origin(
        kind="checkpoint", file="cd" * 32, weights="ef" * 32, epoch=1, reason="it is the only one"
    )
    provenance = Provenance(
        released=MOMENT, signature=signature, origin=origin, graphs=described, parity=(), computed_with={}
    )
    draft = Draft(provenance=provenance, graphs=graphs)
    if signature.space.listed:
        return completed(draft)
    with ThreadPoolExecutor(1) as executor:
        return completed(draft, Effort(draws=draws, operations=operations, executor=executor))
