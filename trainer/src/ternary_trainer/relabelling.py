"""
Permutations of an operation's inputs and relabellings of its values, each a map from tables to tables.

Only generators are listed: every permutation of the inputs with every relabelling of every input and of the
result, 432 maps for (3, 2), is a composition of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Space

Floats = npt.NDArray[np.float32]
Order = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Relabelling:
    """One generator."""

    name: str
    """What it does, such as `input 1 mirrored`."""
    cells: Order
    """The cell that each cell of the new table is read from, shape (cells,)."""
    results: Order
    """The digit that each digit becomes, shape (radix,)."""
    lowest: int
    """The value of digit 0."""

    def __call__(self, tables: Floats) -> Floats:
        """The image of tables of values, shape (n, cells)."""
        digits = tables[:, self.cells].astype(np.int64) - self.lowest
        return (self.results[digits] + self.lowest).astype(np.float32)


@cache
def generators(space: Space) -> tuple[Relabelling, ...]:
    """Neighbouring inputs exchanged; then each input, and the result, mirrored, cycled and two values
    swapped, as far as the radix makes these different."""
    inputs = np.indices([space.radix] * space.inputs).reshape(space.inputs, -1)
    same = np.arange(space.radix)

    def made(name: str, read: Order, results: Order) -> Relabelling:
        cells = np.ravel_multi_index(tuple(read), [space.radix] * space.inputs)
        return Relabelling(name=name, cells=cells, results=results, lowest=space.lowest)

    def exchanged() -> Iterator[Relabelling]:
        for first in range(space.inputs - 1):
            order = np.arange(space.inputs)
            order[[first, first + 1]] = first + 1, first
            yield made(f"inputs {first + 1} and {first + 2} exchanged", inputs[order], same)

    def relabelled() -> Iterator[Relabelling]:
        for how, change in _relabellings(space.radix).items():
            for place in range(space.inputs):
                read = inputs.copy()
                read[place] = change(same)[read[place]]
                yield made(f"input {place + 1} {how}", read, same)
            yield made(f"result {how}", inputs, change(same))

    return (*exchanged(), *relabelled())


def _relabellings(radix: int) -> dict[str, Callable[[Order], Order]]:
    """Maps that generate all orders of the digits."""
    found: dict[str, Callable[[Order], Order]] = {"mirrored": lambda digits: digits[::-1]}
    if radix > 2:
        found["cycled"] = lambda digits: np.roll(digits, -1)
    if radix > 3:
        found["with its two lowest values swapped"] = lambda digits: np.r_[digits[1::-1], digits[2:]]
    return found
