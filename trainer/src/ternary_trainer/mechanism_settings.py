"""
Settings of the mechanisms that method `separate` can switch on; ``mechanisms`` has what each does.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from ternary_trainer.ranges import Within

Changes = Literal["inputs", "values", "all"]


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """Training operations are replaced by images: inputs reordered, values renamed."""

    changes: Changes = "all"
    """Which maps: "inputs" reorders them, "values" renames the values of each input and of the result."""
    chance: Annotated[float, Within(0, 1)] = 1.0
    """Of each operation of a step to be replaced by an image under a uniform map."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The encoder reads tables in which some cells have another value."""

    chance: Annotated[float, Within(0, 1)]
    """Of each cell."""


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Two looks at the same thing must agree."""

    of: Literal["noise", "symmetry", "draws"]
    """A table and the same with noise; a table and its image; a draw and what it decodes to."""
    weight: Annotated[float, Within(1e-6, 1e6)]
    """In the loss: of a KL in nats, of a share of variance in [0, 1], or of a cross-entropy in nats."""


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Sums of latents must decode to sums of operations."""

    weight: Annotated[float, Within(1e-6, 1e6)]
    """Of the cross-entropy of the sums, in nats."""


@dataclass(frozen=True, kw_only=True)
class Curriculum:
    """Training begins with the easiest operations and takes in the others."""

    by: Literal["influence", "loss"]
    """What is easy: neighbouring cells that agree, or operations that the path gives back."""
    start: Annotated[float, Within(1e-3, 1)] = 0.1
    """Share of the training operations in the first epoch."""
    epochs: Annotated[int, Within(1, 100_000)] = 3
    """From this epoch on all are used; the share grows by a constant step until then."""


@dataclass(frozen=True, kw_only=True)
class KlSchedule:
    """How beta comes to its value."""

    kind: Literal["constant", "cyclical"]
    """Beta from the first step on; or cycles over the training, half of each from 0 up, half at beta."""
    cycles: Annotated[int, Within(1, 1000)] = 4
    """Of "cyclical"."""
