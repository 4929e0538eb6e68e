"""
From a checkpoint of another program to the state of a v5.5 model, with a note of each thing that is changed.

No tensor is computed with here: nobody has checked yet that one is as small as its file.
"""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

STATE_KEYS: Final = ("model", "model_state_dict", "state_dict")
_PREFIXES: Final = ("module.", "_orig_mod.", "model.")
"""What `DataParallel`, `torch.compile` and Lightning put before every tensor's name."""
FLOATS: Final = (torch.float16, torch.bfloat16, torch.float64)
"""The floats that are converted to float32."""
_INTEGERS: Final = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def take_state(content: dict[str, Any]) -> object:
    """Take the state out of a checkpoint: under its key, or the whole dictionary if all of it is tensors.

    Returns:
        What was found, unchecked; None if there is nothing that could be a state.
    """
    for key in STATE_KEYS:
        if key in content:
            return content.pop(key)
    if content and all(isinstance(value, Tensor) for value in content.values()):
        state = dict(content)
        content.clear()
        return state
    return None


def take_epoch(content: dict[str, Any]) -> object:
    """Take the epoch out of a checkpoint, a tensor with one integer read as this integer.

    Returns:
        What was found, unchecked; None if the checkpoint names no epoch.
    """
    epoch = content.pop("epoch", None)
    return epoch.item() if isinstance(epoch, Tensor) and _is_whole_number(epoch) else epoch


def _is_whole_number(tensor: Tensor) -> bool:
    """Whether a tensor is one integer; a nested one has no shape, and one on the device "meta" no values."""
    dense = not tensor.is_nested and tensor.device.type == "cpu" and tensor.layout == torch.strided
    return dense and tensor.numel() == 1 and tensor.dtype in _INTEGERS


def renamed(state: object) -> tuple[object, list[str]]:
    """Take off the prefixes of tensors' names.

    Returns:
        The state, unchecked, and a note for each change; one for tensors of ``FLOATS``, which are left as
        they are: whoever checks them converts them.
    """
    if not isinstance(state, Mapping):
        return state, []
    names, notes = {str(name): value for name, value in state.items()}, []
    while prefix := next((p for p in _PREFIXES if names and all(n.startswith(p) for n in names)), None):
        names = {name.removeprefix(prefix): value for name, value in names.items()}
        notes.append(f"'{prefix}' was taken off the tensors' names")
    other = {v.dtype for v in names.values() if isinstance(v, Tensor) and v.dtype in FLOATS}
    if other:
        types = ", ".join(sorted(str(dtype) for dtype in other))
        notes.append(f"tensors of {types} were converted to torch.float32")
    return names, notes
