"""
What goes into and comes out of the graphs of a package: names, element types and shapes.

They follow from the signature of the model. The firewall demands them of a graph's bytes and the runtime
feeds by them; changing one makes every package unreadable (docs/formats.md, section 4).
"""

from dataclasses import dataclass
from typing import Final, Literal

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Space

MOST_EXACT: Final = 1 << 24
"""Float32 holds every whole number up to it."""

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

    decodes: Space | None = None
    """What a decoder gives operations of; None of an encoder."""

    optional: int = 0
    """How many of the last outputs a graph may leave out."""

    def to_json(self) -> Json:
        """As manifests of version 1 state it."""
        return {
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
        }


def of_encoder(signature: Signature) -> Interface:
    """An encoder: values of truth tables in, posterior mean and log-variance out.

    An encoder that was brought from elsewhere may give the mean alone: nothing that is drawn or certified
    depends on the variance, and an invented one would be read as a measured one.
    """
    latent = (BATCH, signature.latent_size)
    return Interface(
        inputs=(Tensor(name="operations", type="float32", shape=(BATCH, signature.space.cells)),),
        outputs=(
            Tensor(name="mean", type="float32", shape=latent),
            Tensor(name="log_variance", type="float32", shape=latent),
        ),
        optional=1,
    )


def of_decoder(signature: Signature) -> Interface:
    """A decoder: latents in, the decoded operation and its logits, class first, out.

    The operation is an index where every index is exact in float32, which graphs compute it in; in larger
    spaces it is the digit of each cell.
    """
    space = signature.space
    decoded = (
        Tensor(name="index", type="int32", shape=(BATCH,))
        if has_index(space)
        else Tensor(name="digits", type="int32", shape=(space.cells, BATCH))
    )
    return Interface(
        inputs=(Tensor(name="latents", type="float32", shape=(BATCH, signature.latent_size)),),
        outputs=(
            decoded,
            Tensor(name="logits", type="float32", shape=(space.radix, space.cells, BATCH)),
        ),
        decodes=space,
    )


def has_index(space: Space) -> bool:
    """Whether decoders of a space give indices and not digits."""
    return space.size <= MOST_EXACT


ENCODER: Final = of_encoder(STANDARD)
DECODER: Final = of_decoder(STANDARD)
