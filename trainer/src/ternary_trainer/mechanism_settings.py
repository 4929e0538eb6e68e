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
class Composition:
    """Sums of latents must decode to sums of operations."""

    weight: Annotated[float, Within(1e-6, 1e6)]
    """Of the cross-entropy of the sums, in nats."""
