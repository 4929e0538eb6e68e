"""
Many small parameters as one: views into a single tensor, so that an optimizer steps once, not fifty times.
"""

from collections.abc import Sequence

import torch
from torch import nn


def flattened(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """Lay parameters and their gradients out one after another.

    Args:
        parameters: At least one, all of one device and type. They become views of the result, and so do their
            gradients; zero these in place (`set_to_none=False`), or the link is lost.
    Returns:
        One parameter with a gradient, both of shape (total size,).
    """
    whole = nn.Parameter(torch.cat([parameter.detach().flatten() for parameter in parameters]))
    whole.grad = torch.zeros_like(whole)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = whole.data[start:end].view_as(parameter)
        parameter.grad = whole.grad[start:end].view_as(parameter)
        start = end
    return whole
