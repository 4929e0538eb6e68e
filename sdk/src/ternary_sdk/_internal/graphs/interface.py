"""
What goes into and comes out of the graphs of a package: names, element types and shapes.

The firewall demands these of a graph's bytes and the runtime feeds by them; changing one makes every
package unreadable (docs/formats.md, section 4).
"""

from dataclasses import dataclass
from typing import Final, Literal

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.streams.stream import LATENT_SIZE
from ternary_sdk.operations import TRITS

BATCH: Final = "n"
"""The one symbolic axis: how many rows are computed at once."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input or output of a graph."""

    name: str
    """The name by which it is fed or fetched."""

    type: Literal["float32", "int32"]
    """Element type."""

    shape: tuple[int | str, ...]
    """Lengths of its axes; the symbolic one is "n"."""

    def to_json(self) -> Json:
        """As the manifest states it."""
        return {"name": self.name, "type": self.type, "shape": list(self.shape)}


@dataclass(frozen=True, kw_only=True)
class Interface:
    """All inputs and outputs of a graph, in order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def to_json(self) -> Json:
        """As the manifest states it."""
        return {
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
        }


ENCODER: Final = Interface(
    inputs=(Tensor(name="operations", type="float32", shape=(BATCH, TRITS)),),
    outputs=(
        Tensor(name="mean", type="float32", shape=(BATCH, LATENT_SIZE)),
        Tensor(name="log_variance", type="float32", shape=(BATCH, LATENT_SIZE)),
    ),
)
"""An encoder: trits in, posterior mean and log-variance out."""

DECODER: Final = Interface(
    inputs=(Tensor(name="latents", type="float32", shape=(BATCH, LATENT_SIZE)),),
    outputs=(
        Tensor(name="index", type="int32", shape=(BATCH,)),
        Tensor(name="logits", type="float32", shape=(3, TRITS, BATCH)),
    ),
)
"""A decoder: latents in, the decoded operation and its logits, class first, out."""
