"""
Permutation augmentation: training operations are replaced by images of themselves.

An image has its inputs in another order, or the values of each input and of the result renamed; there are
432 maps for (3, 2). Showing transformed examples is due to Simard, Steinkraus and Platt, "Best practices for
convolutional neural networks applied to visual document analysis", 2003; for logic functions these maps are
those of their equivalence classes. An image is another operation, so the target is the image too.
"""

import itertools
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer.mechanism_settings import Changes, Permutation
from ternary_trainer.mechanisms.withheld import Withheld
from ternary_trainer.split import Operations


def permuted(
    settings: Permutation, operations: Operations, withheld: Withheld, random: torch.Generator
) -> Operations:
    """Operations with some replaced by images; one whose image is withheld stays."""
    space, count, device = operations.space, len(operations), operations.classes.device
    cells, results = (maps.to(device) for maps in _maps(space, settings.changes))
    images = operations.classes.gather(1, cells[_drawn(len(cells), count, random)])
    images = results[_drawn(len(results), count, random)].gather(1, images)
    replaced = torch.rand(count, generator=random, device=device) < settings.chance
    replaced &= ~withheld(images)
    classes = torch.where(replaced[:, None], images, operations.classes)
    return Operations.of(classes, space)


def _drawn(below: int, count: int, random: torch.Generator) -> Tensor:
    return torch.randint(below, (count,), generator=random, device=random.device)


@cache
def _maps(space: Space, changes: Changes) -> tuple[Tensor, Tensor]:
    """The cell that each cell of an image is read from, shape (maps, cells), and what each digit of the
    result becomes, shape (maps, radix)."""
    same = [tuple(range(space.radix))]
    renamings = list(itertools.permutations(range(space.radix))) if changes != "inputs" else same
    places = range(space.inputs)
    orders = list(itertools.permutations(places)) if changes != "values" else [tuple(places)]
    inputs = np.indices([space.radix] * space.inputs).reshape(space.inputs, -1)
    shape = (space.radix,) * space.inputs
    cells = [
        np.ravel_multi_index([np.array(renamed[place])[inputs[order[place]]] for place in places], shape)
        for order in orders
        for renamed in itertools.product(renamings, repeat=space.inputs)
    ]
    return torch.from_numpy(np.array(cells)), torch.tensor(renamings)
