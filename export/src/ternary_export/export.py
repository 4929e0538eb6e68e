"""
From trained weights to a build: write the graphs, compare them with the network, have them certified.

What is written here is what a vendor sells, so nothing is taken on trust: the graphs pass the clients' own
firewall and the certificate the clients' own reader before there is a build at all.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Final

import numpy as np
from torch import Tensor

from ternary_export.build import Build, Draft, inspect, load
from ternary_export.certifying import completed
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_export.parity import measure
from ternary_export.provenance import ExportedGraph, Origin, Parity, Provenance
from ternary_export.vast_certifying import Effort
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_trainer.checkpoint import Checkpoint
from ternary_trainer.model import restored
from ternary_trainer.recognition import architecture_of
from ternary_trainer.run import Run

_COMPUTED_WITH: Final = ("numpy", "onnx", "onnxruntime", "ternary-export", "ternary-sdk", "torch")


def export(
    source: Run | Checkpoint,
    *,
    released: datetime,
    rule: str | None = None,
    effort: Effort | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Build:
    """Export a model:

    1. choose the snapshot: a run's best by ``rule``, or the checkpoint's only one;
    2. write encoder and decoder of each path as ONNX;
    3. pass each graph through the firewall, as every client will;
    4. compare each path with the network on all operations, or 65,536 uniform ones of a vast space;
    5. certify each path's coverage, as ``ternary certify`` does again.

    Args:
        source: The training, or a v5.5 checkpoint.
        released: The moment of the build, timezone-aware; whole seconds are kept.
        rule: By which score a run's snapshot is chosen; by default hash coverage on validation seeds.
        effort: How much is computed for the certificate of a vast space.
        tell: Called with a few words before each step.
    Raises:
        InputError: If ``released`` has no time zone.
        ProofError: If a graph does not compute what the network does.
    """
    if released.tzinfo is None:
        raise InputError(f"released: {released} has no time zone, expected UTC")
    moment = released.replace(microsecond=0)
    weights, origin = _choose(source, rule)  # 1
    signature = architecture_of(weights, "weights").signature
    (effort or Effort()).expect_of(signature.space)
    tell("writing the graphs")
    graphs = write_graphs(weights, signature)  # 2
    described = tuple(_described(name, graphs[name], weights, signature) for name in sorted(graphs))  # 3
    parity = _measure(weights, graphs, signature, tell)  # 4
    provenance = Provenance(
        released=moment,
        signature=signature,
        origin=origin,
        graphs=described,
        parity=parity,
        computed_with={name: version(name) for name in _COMPUTED_WITH},
    )
    return completed(Draft(provenance=provenance, graphs=graphs), effort, tell=tell)  # 5


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256, hex, over all tensors by ascending name: name, shape and little-endian float32 elements.

    It is the weights' own: whatever file they are stored in, however it was written, it is the same.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        array = tensor.detach().cpu().numpy()
        digest.update(f"{name}{list(array.shape)}".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def _choose(source: Run | Checkpoint, rule: str | None) -> tuple[Mapping[str, Tensor], Origin]:
    if isinstance(source, Checkpoint):
        return source.state, Origin(
            kind="checkpoint",
            file=source.source,
            weights=weights_digest(source.state),
            epoch=source.epoch,
            reason="it is the only snapshot in the file",
        )
    snapshot = source.best(rule) if rule is not None else source.best()
    return snapshot.state, Origin(
        kind="run",
        file=snapshot.source,
        weights=weights_digest(snapshot.state),
        epoch=snapshot.epoch,
        reason=snapshot.reason,
        recipe=source.recipe.name,
        seed=source.seed,
    )


def write_graphs(weights: Mapping[str, Tensor], signature: Signature) -> dict[str, bytes]:
    """The ONNX graphs of a model by member name; the same weights give the same bytes."""
    state = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in weights.items()}
    return {
        f"{role}_{path}.onnx": write(state, path, signature)
        for path in signature.paths
        for role, write in (("decoder", decoder_graph), ("encoder", encoder_graph))
    }


def _described(name: str, graph: bytes, weights: Mapping[str, Tensor], signature: Signature) -> ExportedGraph:
    prefix = name.removesuffix(".onnx") + "."
    parameters = sum(tensor.numel() for key, tensor in weights.items() if key.startswith(prefix))
    inspect(name, graph, parameters, signature)
    return ExportedGraph(member=name, parameters=parameters, sha256=hashlib.sha256(graph).hexdigest())


def _measure(
    weights: Mapping[str, Tensor],
    graphs: Mapping[str, bytes],
    signature: Signature,
    tell: Callable[[str], None],
) -> tuple[Parity, ...]:
    model = restored(weights).eval()
    parity = []
    with Workers() as workers:
        for path in signature.paths:
            inputs = "every operation" if signature.space.listed else "uniform operations"
            tell(f"comparing path {path} with the network on {inputs}")
            encoder, decoder = load(graphs, path, workers, signature)
            if encoder is not None:
                parity.append(measure(model, path, encoder, decoder))
    return tuple(parity)
