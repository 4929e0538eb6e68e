"""
Fitting a foreign model to what packages hold: from latents to logits cell by cell,
from tables to mean and variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_export.foreign.layers import Layers, Rows
from ternary_export.foreign.network import Activation, Floats, Linear, Network, chained, pruned
from ternary_export.foreign.nodes import named, shape
from ternary_export.foreign.reading import Foreign
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import LATENT_SIZES, Signature
from ternary_sdk.space import Space, Tables


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A foreign model, and the same as a network of the interface that packages have."""

    foreign: Foreign
    network: Network
    picks: tuple[tuple[int, tuple[int, ...]], ...]
    """For each output of the network, which output of the foreign model it is, and which numbers of a row."""

    one_hot: bool = False
    """Whether the foreign model takes one number for each value of a cell; the network takes the value."""


def decoder(foreign: Foreign, space: Space, *, class_first: bool) -> Fitted:
    """Fit a decoder.

    Args:
        foreign: Latents to logits: (n, cells · radix) cell by cell, (n, cells, radix), or (n, radix, cells).
        space: What it decodes to.
        class_first: Whether logits that could be either are ordered value by value.
    Raises:
        FormatError: If its latents or logits are of another size, or its order is not the one stated.
    """
    latents = foreign.network.width
    if len(foreign.tail) != 1 or latents not in LATENT_SIZES:
        raise FormatError(
            f"{foreign.what}: input {named(foreign.input)} has {latents} latents, "
            f"expected a multiple of 8 from 8 to 64; nearest: {_nearest_size(latents)}"
        )
    if len(foreign.outputs) != 1:
        found = ", ".join(named(name) for name, _ in foreign.outputs)
        raise FormatError(
            f"{foreign.what}: has {len(foreign.outputs)} outputs ({found}), expected one: the logits"
        )
    ((name, tail),) = foreign.outputs
    places = _cell_by_cell(f"{foreign.what}: output {named(name)}", tail, space, class_first=class_first)
    return _fitted(foreign, [(0, places)])


def encoder(foreign: Foreign, signature: Signature) -> Fitted:
    """Fit an encoder.

    Args:
        foreign: Tables to mean and log-variance, as two outputs in this order or as halves of one; or to the
            mean alone. A table is the values of its cells, or one number for each value of each cell.
        signature: What the model is of.
    Raises:
        FormatError: If it takes or gives something else.
    """
    space, latents = signature.space, signature.latent_size
    values, one_hot = space.cells, space.cells * space.radix
    if foreign.tail not in ((values,), (one_hot,), (space.cells, space.radix)):
        raise FormatError(
            f"{foreign.what}: input {named(foreign.input)} has shape {shape(foreign.tail)}, expected the "
            f"values of the {values} cells of space {space}, (n, {values}), or a one-hot code of each, "
            f"(n, {one_hot})"
        )
    every = tuple(range(latents))
    tails = [tail for _, tail in foreign.outputs]
    if tails == [(2 * latents,)]:
        picks = [(0, every), (0, tuple(range(latents, 2 * latents)))]
    elif tails in ([(latents,)], [(latents,)] * 2):
        picks = [(number, every) for number in range(len(tails))]
    else:
        found = ", ".join(f"{named(name)} {shape(tail)}" for name, tail in foreign.outputs)
        raise FormatError(
            f"{foreign.what}: gives {found}; the decoder takes {latents} latents, so expected mean and "
            f"log-variance, (n, {latents}) each, or both in one, (n, {2 * latents}), or the mean alone"
        )
    first = foreign.outputs[0][0].lower()
    if len(tails) == 2 and any(word in first for word in ("var", "sigma", "std")):
        raise FormatError(f"{foreign.what}: its first output is {named(first)}, expected the mean first")
    return _fitted(foreign, picks, _one_hot(space) if foreign.network.width == one_hot else None)


def hot(tables: Tables, space: Space) -> Floats:
    """Tables as one number for each value of each cell, shape (n, cells · radix): 1 where it is the value."""
    code: npt.NDArray[np.bool_] = tables[:, :, np.newaxis] == np.array(space.values, np.int8)
    return code.reshape(len(tables), -1).astype(np.float32)


def _nearest_size(latents: int) -> str:
    nearest = min(LATENT_SIZES, key=lambda size: (abs(size - latents), size))
    return f"{nearest}"


def _cell_by_cell(what: str, tail: tuple[int, ...], space: Space, *, class_first: bool) -> tuple[int, ...]:
    radix, cells = space.radix, space.cells
    shapes = " or ".join(map(shape, ((cells * radix,), (cells, radix), (radix, cells))))
    if tail not in ((cells * radix,), (cells, radix), (radix, cells)):
        raise FormatError(
            f"{what} has shape {shape(tail)}, expected the logits of space {space}, "
            f"{cells} cells of {radix} values: {shapes}"
        )
    certain = len(tail) == 2 and radix != cells
    if certain and class_first and tail != (radix, cells):
        raise FormatError(f"{what} has shape {shape(tail)}, in which the cells are first, not the values")
    if class_first or (certain and tail == (radix, cells)):
        return tuple(np.arange(radix * cells).reshape(radix, cells).T.ravel().tolist())
    return tuple(range(radix * cells))


def _fitted(
    foreign: Foreign, picks: Sequence[tuple[int, tuple[int, ...]]], before: Network | None = None
) -> Fitted:
    """Each output as a layer of its own, so that its numbers are in order and nothing else reads it."""
    network, outputs = foreign.network, []
    layers = Layers(network.width, network.steps)
    for number, places in picks:
        tail = foreign.outputs[number][1]
        rows = Rows(step=network.outputs[number], tail=tail)
        outputs.append(layers.pick(rows, [*places], (len(places),), foreign.what).step)
    fitted = pruned(layers.network(tuple(outputs)))
    whole = fitted if before is None else chained(before, fitted)
    return Fitted(foreign=foreign, network=whole, picks=tuple(picks), one_hot=before is not None)


def _one_hot(space: Space) -> Network:
    """From the values of cells to a one-hot code of each, exact for every value that there is.

    With the digit d and h(j) = max(d - j, 0), the code of digit j is h(j - 1) - 2·h(j) + h(j + 1); h(-1) is
    d + 1, so that of digit 0 is 1 - h(0) + h(1), and h from radix - 1 on is 0.
    """
    radix, cells = space.radix, space.cells
    steps = np.arange(radix - 1)
    code = np.zeros((radix, radix - 1), np.float32)
    for digit in range(radix):
        for place, factor in ((digit - 1, 1), (digit, -1 if digit == 0 else -2), (digit + 1, 1)):
            if 0 <= place < radix - 1:
                code[digit, place] += factor
    spread = np.repeat(np.eye(cells, dtype=np.float32), radix - 1, axis=0)
    start = np.tile(-(steps + space.lowest), cells).astype(np.float32)
    bias = np.tile(np.eye(1, radix, dtype=np.float32)[0], cells)
    return Network(
        width=cells,
        steps=(
            Linear(source=0, weight=spread, bias=start),
            Activation(operator="Relu", source=1),
            Linear(source=2, weight=np.kron(np.eye(cells, dtype=np.float32), code), bias=bias),
        ),
        outputs=(3,),
    )
