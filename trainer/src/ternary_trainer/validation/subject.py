"""
What is validated: two paths as functions, and whatever is known of how they came to be.

Checks see nothing else, so a run, a checkpoint file, a signed package and a test's deliberately bad model
are all measured by the same code.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.streams import stream as latents
from ternary_sdk.operations import TABLES, OperationSet
from ternary_sdk.signature import STANDARD, Signature
from ternary_trainer.split import Split
from ternary_trainer.validation.studies import Study
from ternary_trainer.validation.traces import Traces

Kind = Literal["run", "checkpoint", "package"]
Floats = npt.NDArray[np.float32]

TRUE_HOLDOUT_SHA256: Final = "e2e75c4725377b390db5a75249ca7b10f4f6d1da949964d0bc8bf62ae1da51db"
"""Digest of the set of the 1,969 operations that nothing may train or select on; docs/validation.md."""

_WANTED: Final = (
    " The prior's term of the loss asks for every operation, held-out ones included: "
    "it never shows them to the encoder, but a decoder that can emit them is what it rewards."
)
_UNTOLD: Final = " The file does not say whether its loss asked for every operation."
_STREAM: Final = latents.PHILOX
"""Version 1, as the label says: reports made before version 2 stay comparable with those made after."""

_LABEL: Final = b"ternary-validation-v1"


class Network(Protocol):
    """One path."""

    def encode(self, inputs: Floats) -> Floats:
        """Means, shape (n, 16), of inputs, shape (n, 9), on the trit grid or off it."""
        ...

    def logits(self, latents: Floats) -> Floats:
        """Logits of the classes -1, 0, +1 of each trit, shape (n, 9, 3), of latents, shape (n, 16)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model and what is known of it."""

    name: str
    """For people: a file or a folder."""
    kind: Kind
    digest: str
    """SHA-256 of the snapshot's file, or the package's digest, hex."""
    signature: Signature = STANDARD
    """What it is a model of."""
    paths: Mapping[str, Network]
    margins: Mapping[str, Floats]
    """Of each path the margin of each operation's witness, as its certificate has them, shape (19683,); 0
    where the operation is not reachable."""
    split: Split
    """As published, unless the run's recipe or a test gives another."""
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
    def caveat(self) -> str:
        """What the loss told the model of operations it never saw, as a sentence; empty if nothing."""
        if self.asks_for_all is None:
            return _UNTOLD
        return _WANTED if self.asks_for_all else ""

    def prior(self, start: int, rows: int) -> Floats:
        """Prior latents, shape (rows, 16); the stream follows from the digest, so nobody chooses it."""
        seed = hashlib.sha256(_LABEL + bytes.fromhex(self.digest)).digest()[:8]
        return _STREAM.prior(int.from_bytes(seed, "big"), start, rows)


def decode(network: Network, values: Floats) -> npt.NDArray[np.int8]:
    """The operations that latents decode to, trits, shape (n, 9); a tie goes to the lower class."""
    trits: npt.NDArray[np.int8] = (network.logits(values).argmax(-1) - 1).astype(np.int8)
    return trits


def reconstruct(network: Network, inputs: Floats) -> npt.NDArray[np.int8]:
    """What inputs, shape (n, 9), decode to from their posterior means, trits, shape (n, 9)."""
    return decode(network, network.encode(inputs))


def tables(operations: OperationSet) -> Floats:
    """The truth tables of a set in ascending order, float32, shape (n, 9)."""
    return TABLES[operations.indices].astype(np.float32)
