"""
Where tensors are computed: on the processor, or on a GPU that was tried first.

A GPU that torch lists may still fail: its driver is too old, its memory is taken, its architecture is not in
this torch. So one small computation is compared with the processor's before a training relies on it.
"""

import os
import warnings
from collections.abc import Callable
from typing import Final

import torch

from ternary_sdk.errors import InputError

CHOICES: Final = ("cpu", "cuda", "auto")
"""The processor; the GPU or nothing; the GPU if it can be used, else the processor."""

CPU: Final = torch.device("cpu")
_GPU: Final = torch.device("cuda")
_SIZE: Final = 64
_TOLERANCE: Final = 1e-3


def choose(
    wanted: str = "auto", *, tell: Callable[[str], None] = lambda _: None, gpu: torch.device = _GPU
) -> torch.device:
    """The device to compute on.

    Args:
        wanted: One of `CHOICES`.
        tell: Called with a sentence if `auto` leaves out the GPU although this torch is made for one and the
            environment does not hide it.
        gpu: The device that `cuda` means.
    Raises:
        InputError: If the name is not one of these, or `cuda` cannot be used.
    """
    if wanted not in CHOICES:
        raise InputError(f"device '{wanted}': expected one of {', '.join(CHOICES)}")
    if wanted == "cpu":
        return CPU
    reason = _missing(gpu) or fault(gpu)
    if not reason:
        return gpu
    if wanted == "cuda":
        raise InputError(f"device 'cuda': cannot be used, {reason}; compute with 'cpu' or 'auto'")
    if gpu.type != "cuda" or (_has_gpu_code() and not _is_hidden()):
        tell(f"computes on the processor, not on a GPU: {reason}")
    return CPU


def fault(device: torch.device) -> str:
    """Why a device does not compute what the processor computes; empty if it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            left = torch.randn(_SIZE, _SIZE, generator=torch.Generator(device).manual_seed(1), device=device)
            product, expected = (left @ left).cpu(), left.cpu() @ left.cpu()
    except Exception as error:  # noqa: BLE001 (drivers and backends fail in their own ways)
        return f"its first computation failed ({_first_line(error)})"
    if not torch.allclose(product, expected, rtol=_TOLERANCE, atol=_TOLERANCE):
        return "its first computation gave another result than the processor's"
    return ""


def name(device: torch.device) -> str:
    """What a run records: the GPU's own name, or the kind of device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _has_gpu_code() -> bool:
    return torch.version.cuda is not None or torch.version.hip is not None


def _is_hidden() -> bool:
    # Whoever hides every GPU has chosen the processor, and need not hear of it.
    return os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")


def _missing(gpu: torch.device) -> str:
    if gpu.type != "cuda":
        return ""
    if not _has_gpu_code():
        return f"torch {torch.__version__} is built without GPU code"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return ""
    return f"torch finds no GPU ({_first_line(caught[0].message)})" if caught else "torch finds no GPU"


def _first_line(said: object) -> str:
    return str(said).partition("\n")[0][:200]
