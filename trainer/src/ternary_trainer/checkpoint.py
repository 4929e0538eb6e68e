"""
Model snapshots in the v5.5 format: a `torch.save` dictionary whose key `model` is the state.

A snapshot comes from anyone, so it is read without running pickle code and checked tensor by tensor before
a network sees it. Export and vendors' stored models depend on what is accepted here.
"""

import hashlib
import io
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer.model import EXPECTED_SHAPES

_LARGEST: Final = 64 * 2**20
_ZIP: Final = b"PK\x03\x04"
_CODE: Final = re.compile(r"\bGLOBAL ([A-Za-z_][\w.]{0,79})", re.ASCII)
"""Where torch's refusal names the function or class that a file refers to."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model snapshot that has been checked."""

    state: dict[str, Tensor]
    """Every tensor of `EXPECTED_SHAPES`, float32, finite, on the CPU."""
    epoch: int
    """Epoch after which it was taken, counted from 0."""
    source: str
    """SHA-256 of the file, 64 lowercase hex digits."""
    details: Mapping[str, Any]
    """The file's other keys, unchecked: settings, histories and optimizer state as its writer left them."""


def load(path: Path) -> Checkpoint:
    """Read a snapshot.

    Raises:
        InputError: If the file cannot be read.
        FormatError: If it is no v5.5 checkpoint, or a tensor is missing, unknown, of another shape or type,
            or not finite.
    """
    data = _bytes(path)
    content = _unpack(data, str(path))
    for key in ("model", "epoch"):
        if key not in content:
            raise FormatError(f"{path}: lacks key '{key}'")
    state = check_state(content.pop("model"), str(path))
    epoch = content.pop("epoch")
    if type(epoch) is not int or epoch < 0:
        raise FormatError(f"{path}: epoch is {epoch!r}, expected a whole number from 0")
    return Checkpoint(state=state, epoch=epoch, source=hashlib.sha256(data).hexdigest(), details=content)


def read(path: Path) -> dict[str, Any]:
    """Read a dictionary that `write` wrote, running no pickle code.

    Raises:
        InputError: If the file cannot be read.
        FormatError: If it is no such file.
    """
    return _unpack(_bytes(path), str(path))


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}, expected a checkpoint file") from None
    if len(data) > _LARGEST:
        raise FormatError(f"{path}: {len(data)} bytes, expected a checkpoint of at most {_LARGEST}")
    return data


def _unpack(data: bytes, name: str) -> dict[str, Any]:
    # `weights_only` is torch's own unpickler: it builds tensors and plain containers and calls nothing else.
    # On a damaged file it warns, and fails with whatever its code runs into: all of that is a refusal here.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        raise FormatError(
            f"{name}: not a file of tensors written by torch.save ({_found(data, str(error))})"
        ) from None
    if not isinstance(content, dict):
        raise FormatError(f"{name}: holds a {type(content).__name__}, expected a dictionary with key 'model'")
    return {str(key): value for key, value in content.items()}


def _found(data: bytes, refusal: str) -> str:
    """What is wrong with a file that torch refused; of its own words, only the name of the code is kept."""
    if not data:
        return "empty"
    if code := _CODE.search(refusal):
        return f"refers to code ({code[1]}), which no checkpoint needs; nothing was run"
    if not data.startswith(_ZIP):
        return f"begins with {data[:4].hex()}, expected a ZIP archive as torch.save writes it"
    return f"cut short or damaged ({len(data):,} bytes)"


def check_state(state: object, name: str) -> dict[str, Tensor]:
    """Check that a state is a v5.5 model's, tensor by tensor.

    Raises:
        FormatError: Naming the first tensor that is wrong, what was found and what was expected.
    """
    if not isinstance(state, Mapping):
        raise FormatError(f"{name}: key 'model' is {type(state).__name__}, expected a dictionary of tensors")
    for unknown in [key for key in state if key not in EXPECTED_SHAPES]:
        raise FormatError(f"{name}: tensor {unknown!r} is no part of a v5.5 model")
    return {
        key: _checked(state.get(key), shape, f"{name}: tensor '{key}'")
        for key, shape in EXPECTED_SHAPES.items()
    }


def _checked(tensor: object, shape: tuple[int, ...], name: str) -> Tensor:
    if not isinstance(tensor, Tensor):
        found = "missing" if tensor is None else f"a {type(tensor).__name__}"
        raise FormatError(f"{name} is {found}, expected shape {shape}")
    if tuple(tensor.shape) != shape:
        raise FormatError(f"{name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype != torch.float32 or tensor.layout != torch.strided:
        raise FormatError(f"{name} is {tensor.dtype} ({tensor.layout}), expected dense torch.float32")
    if not bool(torch.isfinite(tensor).all()):
        raise FormatError(f"{name} has values that are not finite")
    return tensor.detach().contiguous()


def save(
    path: Path, *, state: Mapping[str, Tensor], epoch: int, details: Mapping[str, Any] | None = None
) -> None:
    """Write a snapshot so that a reader finds the old file or the new one, never a part.

    Args:
        path: The file; its folder exists.
        state: As `TernaryVAE.state_dict()` gives it.
        epoch: Epoch after which it was taken, counted from 0.
        details: Further keys of plain values and tensors.
    Raises:
        FormatError: If the state is not a v5.5 model's.
        InputError: If the file cannot be written; an older file of that name is intact.
    """
    model = {key: value.clone() for key, value in check_state(_on_cpu(state), str(path)).items()}
    write(path, {**(details or {}), "epoch": epoch, "model": model})


def _on_cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu() for key, value in state.items()}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """`torch.save` to a temporary file beside the target, flushed to disk, then renamed over it.

    Raises:
        InputError: If the file cannot be written; an older file of that name is intact.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_bytes(path, buffer.getvalue())


def partial(path: Path) -> Path:
    """What `write_bytes` writes before the rename; one is left behind by a kill."""
    return path.with_name(f".{path.name}.new")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file by one rename, so that no interruption leaves half of it.

    Raises:
        InputError: If the file cannot be written; an older file of that name is intact.
    """
    temporary = partial(path)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); what it held before is intact"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
