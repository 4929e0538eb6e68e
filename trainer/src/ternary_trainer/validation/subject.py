"""
What is validated: two paths as functions, and whatever is known of how they came to be.

Checks see nothing else, so a run, a checkpoint file, a signed package and a test's deliberately bad model
are all measured by the same code.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.streams.stream import CURRENT, PHILOX, Stream
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Indices, Space
from ternary_trainer.split import Split
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.traces import Traces

Kind = Literal["run", "checkpoint", "package"]
Floats = npt.NDArray[np.float32]

_WANTED: Final = (
    " The prior's term of the loss asks for every operation, held-out ones included: "
    "it never shows them to the encoder, but a decoder that can emit them is what it rewards."
)
_UNTOLD: Final = " The file does not say whether its loss asked for every operation."
_LABEL: Final = "ternary-validation-v"


class Decoder(Protocol):
    """One path, as far as it decodes."""

    def index(self, latents: Floats) -> Indices:
        """Canonical indices, shape (n,), of what latents, shape (n, latent size), decode to.

        A tie goes to the lower digit.
        """
        ...


@runtime_checkable
class Network(Decoder, Protocol):
    """One path that also encodes."""

    def encode(self, inputs: Floats) -> Floats:
        """Posterior means, shape (n, latent size), of inputs, shape (n, cells), on the grid or off it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Validated:
    """A model of a space of either kind, and what is known of it."""

    name: str
    """For people: a file or a folder."""
    kind: Kind
    digest: str
    """SHA-256 of the snapshot's file, or the package's digest, hex."""
    signature: Signature = STANDARD
    """What it is a model of."""
    paths: Mapping[str, Decoder]
    """Every path; each is a ``Network`` unless it has no encoder."""
    decoder_parameters: Mapping[str, int] = field(default_factory=dict)
    """How many numbers the decoder of each path was trained to, where that is known."""
    traces: Traces | None = None
    """How the training went, where that is on record."""
    rule: str = "coverage"
    """By which a run's snapshot was chosen."""
    asks_for_all: bool | None = False
    """Whether the loss had a term that wants every operation drawn, held-out ones included; None where the
    file does not say."""
    seeds: Study | None = None
    """Retrainings with other seeds, where they were made."""
    betas: Study | None = None
    """Retrainings with other betas, where they were made."""

    @property
    def space(self) -> Space:
        """Of the operations that it encodes and decodes."""
        return self.signature.space

    @property
    def networks(self) -> dict[str, Network]:
        """The paths that have an encoder."""
        return {path: network for path, network in self.paths.items() if isinstance(network, Network)}

    @property
    def caveat(self) -> str:
        """What the loss told the model of operations it never saw, as a sentence; empty if nothing."""
        if self.asks_for_all is None:
            return _UNTOLD
        return _WANTED if self.asks_for_all else ""

    def prior(self, start: int, rows: int) -> Floats:
        """Prior latents, shape (rows, latent size); the stream follows from the digest, so nobody chooses
        it."""
        stream = _stream(self.signature.latent_size)
        return stream.prior(self._seed(stream.version), start, rows)

    def uniform(self, start: int, rows: int) -> Indices:
        """Uniform operations of the space, indices, shape (rows,), which follow from the digest too."""
        stream = CURRENT.of(self.signature.latent_size)
        return stream.uniform(self._seed(stream.version), start, rows, self.space)

    def _seed(self, version: int) -> int:
        label = f"{_LABEL}{version}".encode()
        seed = hashlib.sha256(label + bytes.fromhex(self.digest)).digest()[:8]
        return int.from_bytes(seed, "big")


@dataclass(frozen=True, kw_only=True)
class Subject(Validated):
    """A model of a listed space."""

    margins: Mapping[str, Floats]
    """Of each path the margin of each operation's witness, as its certificate has them, shape (size,); 0
    where the operation is not reachable."""
    split: Split
    """As published, unless the run's recipe or a test gives another."""


def _stream(latent_size: int) -> Stream:
    """Version 1 for 16 dimensions, so that reports stay comparable with those made before version 2, which
    has rows of every other length."""
    return PHILOX if latent_size == PHILOX.latent_size else CURRENT.of(latent_size)


def reconstruct(network: Network, inputs: Floats) -> Indices:
    """Canonical indices, shape (n,), of what inputs, shape (n, cells), decode to from their posterior
    means."""
    return network.index(network.encode(inputs))


def tables(operations: OperationSet) -> Floats:
    """The truth tables of a set in ascending order, float32, shape (n, cells)."""
    return operations.space.from_index(operations.indices).astype(np.float32)


def cells_name(space: Space) -> str:
    """What the cells of a table are called in a figure's name: trits where they hold one of three values."""
    return "trits" if space.radix == 3 else "cells"
