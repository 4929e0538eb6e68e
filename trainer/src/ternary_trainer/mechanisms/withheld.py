"""
Which operations no mechanism may show to a network: those that a run chooses by or holds out.

Augmentation and draws make operations that the split never gave to training. Without this rule a figure of
operations "never seen" would be of operations that a mechanism has shown.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer import split
from ternary_trainer.families import Family, members
from ternary_trainer.vast_split import VastSplit

Withheld = Callable[[Tensor], Tensor]
"""From digits, int64, shape (n, cells), to which rows are withheld, bool, shape (n,)."""


def of(space: Space, family: Family | None, count: int | None, device: torch.device) -> Withheld:
    """The rule of a recipe's operations.

    Args:
        space: Of the operations.
        family: Held out as a whole.
        count: Training operations that are kept, as in ``split.rows``.
        device: Where the digits are.
    """
    if not space.listed:
        rule = VastSplit(space, family)
        return lambda digits: ~rule.trainable(digits.cpu().numpy()).to(digits.device)
    _, validation, holdout = split.rows(space, family, count)
    mask = torch.zeros(space.size, dtype=torch.bool)
    mask[validation] = mask[holdout] = True
    if family is not None:
        mask |= torch.from_numpy(members(family, space).mask.copy())
    mask, places = mask.to(device), torch.from_numpy(space.places.copy()).to(device)
    return lambda digits: mask[(digits * places).sum(1)]
