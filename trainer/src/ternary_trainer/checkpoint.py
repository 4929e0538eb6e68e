"""
Model snapshots in the v5.5 format: a `torch.save` dictionary whose key `model` is the state. Names and shapes
of its tensors say which architecture it has.

A snapshot comes from anyone, so it is read without running pickle code and checked tensor by tensor before
a network sees it. Export and vendors' stored models depend on what is accepted here.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ternary_sdk._internal import whole_file
from ternary_sdk.errors import FormatError
from ternary_trainer import foreign, tensor_file
from ternary_trainer.architecture import Architecture
from ternary_trainer.model import expected_shapes
from ternary_trainer.recognition import architecture_of


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model snapshot that has been checked."""

    state: dict[str, Tensor]
    """Every tensor of its architecture, float32, finite, on the CPU."""
    epoch: int | None
    """Epoch after which it was taken, counted from 0; None if the file does not say."""
    source: str
    """SHA-256 of the file, 64 lowercase hex digits."""
    details: Mapping[str, Any]
    """The file's other keys, unchecked: settings, histories and optimizer state as its writer left them."""
    notes: tuple[str, ...] = ()
    """What was changed or left out in reading it, one part of a sentence each."""

    @property
    def architecture(self) -> Architecture:
        """Which networks the state is of."""
        return architecture_of(self.state, self.source)


def load(path: Path) -> Checkpoint:
    """Read a snapshot, also one that another program wrote:

    1. the weights stand under `model`, `model_state_dict` or `state_dict`, or are all that the file holds;
    2. prefixes such as `module.` are taken off, and other floats converted to float32;
    3. values of classes that are not read are left out, and nothing that the file names is run;
    4. `notes` say what was changed or left out.

    Raises:
        InputError: If the file cannot be read.
        FormatError: If it holds no state of a model, or a tensor is missing, unknown, of another shape or
            type, or not finite.
    """
    file = tensor_file.read(path, of_others=True)
    content = file.content
    found = foreign.take_state(content)  # 1
    if found is None:
        raise FormatError(f"{path}: {_lacking(file.left_out)}")
    state, notes = foreign.renamed(found)  # 2
    epoch = _epoch(foreign.take_epoch(content), str(path))
    notes += [f"'{key}' was not read: it holds {names}" for key, names in file.left_out.items()]  # 3
    if epoch is None:
        notes.append("no epoch could be read")
    return Checkpoint(
        state=check_state(state, str(path), convert=foreign.FLOATS),
        epoch=epoch,
        source=file.digest,
        details=content,
        notes=tuple(notes),  # 4
    )


def _lacking(left_out: Mapping[str, str]) -> str:
    key = next((key for key in foreign.STATE_KEYS if key in left_out), None)
    if key is None:
        return "lacks key 'model'"
    return f"key '{key}' holds {left_out[key]}, expected a dictionary of tensors; nothing was run"


def _epoch(found: object, name: str) -> int | None:
    if found is None or (type(found) is int and found >= 0):
        return found
    shown = "a tensor" if isinstance(found, Tensor) else repr(found)[:80]
    raise FormatError(f"{name}: epoch is {shown}, expected a whole number from 0")


def read(path: Path) -> dict[str, Any]:
    """Read a dictionary that `write` wrote, running no pickle code.

    Raises:
        InputError: If the file cannot be read.
        FormatError: If it is not such a file.
    """
    return tensor_file.read(path, of_others=False).content


def check_state(state: object, name: str, *, convert: Sequence[torch.dtype] = ()) -> dict[str, Tensor]:
    """Check that a state is a model's, tensor by tensor.

    Args:
        state: What is to be one.
        name: The file's name in error messages.
        convert: The types of tensors that are converted to float32, each after its shape was checked.
    Raises:
        FormatError: Naming the first tensor that is wrong, what was found and what was expected.
    """
    if not isinstance(state, Mapping):
        raise FormatError(f"{name}: key 'model' is {type(state).__name__}, expected a dictionary of tensors")
    expected = expected_shapes(architecture_of(state, name))
    for unknown in [key for key in state if key not in expected]:
        raise FormatError(f"{name}: tensor {unknown!r} has no place in the model of the others")
    return {
        key: _checked(state.get(key), shape, f"{name}: tensor '{key}'", convert)
        for key, shape in expected.items()
    }


def _checked(tensor: object, shape: tuple[int, ...], name: str, convert: Sequence[torch.dtype]) -> Tensor:
    if not isinstance(tensor, Tensor) or tensor.is_nested:
        found = "missing" if tensor is None else f"a {_kind(tensor)}"
        raise FormatError(f"{name} is {found}, expected shape {shape}")
    if tuple(tensor.shape) != shape:
        raise FormatError(f"{name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.device.type != "cpu":
        raise FormatError(f"{name} is on device '{tensor.device}', where it has no values, expected 'cpu'")
    known = tensor.dtype == torch.float32 or tensor.dtype in convert
    if not known or tensor.layout != torch.strided:
        raise FormatError(f"{name} is {tensor.dtype} ({tensor.layout}), expected dense torch.float32")
    values = tensor.detach().float().contiguous()
    if not bool(torch.isfinite(values).all()):
        raise FormatError(f"{name} has values that are not finite")
    return values


def _kind(value: object) -> str:
    return "nested tensor" if isinstance(value, Tensor) else type(value).__name__


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
        FormatError: If the state is not a model's.
        InputError: If the file cannot be written; an older file of that name is intact.
    """
    model = {key: value.clone() for key, value in check_state(_on_cpu(state), str(path)).items()}
    write(path, {**(details or {}), "epoch": epoch, "model": model})


def _on_cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu() for key, value in state.items()}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file by a dictionary, as `torch.save` writes it.

    Raises:
        InputError: If the file cannot be written; an older file of that name is intact.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    whole_file.write(path, buffer.getvalue())
