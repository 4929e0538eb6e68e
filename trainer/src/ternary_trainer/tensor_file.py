"""
Files of tensors: what `torch.save` or safetensors wrote, read without running anything that they name.

`torch.save` writes pickles, and other people's hold their own classes beside the weights. Torch's
weights-only unpickler builds tensors and plain containers and calls nothing else. It is given a stand-in for
each other name, so that it neither imports nor calls what the file names, and what was left out is known.
"""

import hashlib
import os
import stat
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Final

import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from ternary_sdk._internal.documents import plain
from ternary_sdk._internal.source import opened
from ternary_sdk.errors import FormatError, InputError

LARGEST: Final = 2**30
"""Of a file, in bytes, with all that its writer left beside the weights."""

_LONGEST_HEADER: Final = 2**20
"""Of a safetensors file, in bytes; that of a v5.5 model has five thousand."""
_ZIP: Final = b"PK\x03\x04"
_BEFORE_CODE: Final = "GLOBAL "
"""Before the name of a function or class, in torch's refusal of a file that refers to one."""


@dataclass(frozen=True, kw_only=True)
class TensorFile:
    """What a file holds."""

    content: dict[str, Any]
    """Its dictionary, without the keys in `left_out`."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Keys with values of classes that are not read, and the classes' names."""
    digest: str
    """SHA-256 of the file, 64 lowercase hex digits."""


class _StandIn:
    """In place of a value of a class that is not read. It takes what the file gives it, and keeps nothing."""

    def __new__(cls, *_: object) -> "_StandIn":
        return object.__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _plain_dict(*_: object) -> dict[Any, Any]:
    return {}


def _plain_list(*_: object) -> list[Any]:
    return []


_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "collections.defaultdict": _plain_dict,
    "collections.deque": _plain_list,
}
"""Containers that are read as plain ones; the unpickler fills no others."""


def read(path: Path, *, of_others: bool) -> TensorFile:
    """Read a file of tensors.

    Args:
        path: A file by `torch.save`, or in the safetensors format.
        of_others: Whether values of unknown classes are left out; otherwise the file is refused.
    Raises:
        InputError: If the file cannot be read, or reading it needs a package that is not installed.
        FormatError: If it is too large, damaged, or not a file of tensors in a dictionary.
    """
    try:
        with opened(path) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path}: is not a regular file, expected a checkpoint file")
            _check_size(file, path)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            if of_others and _is_safetensors(file):
                return TensorFile(content=_safetensors(file, path), digest=digest)
            content = _unpickled(file, path, of_others=of_others)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}, expected a checkpoint file") from None
    found = {key: _classes(value) for key, value in content.items()}
    left_out = {key: ", ".join(sorted(names)) for key, names in found.items() if names}
    kept = {key: value for key, value in content.items() if key not in left_out}
    return TensorFile(content=kept, left_out=left_out, digest=digest)


def _check_size(file: BinaryIO, path: Path) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if _starts_with_zip(file):
        try:
            members = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, NotImplementedError):
            members = []  # Torch refuses it, and `_found` says why.
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise FormatError(f"{path}: holds compressed members, which torch.save does not write")
        size = max(size, sum(member.file_size for member in members))
    file.seek(0)
    if size > LARGEST:
        raise FormatError(f"{path}: {size:,} bytes, expected a checkpoint of at most {LARGEST:,}")


def _starts_with_zip(file: BinaryIO) -> bool:
    start = file.read(len(_ZIP))
    file.seek(0)
    return start == _ZIP


def _unpickled(file: BinaryIO, path: Path, *, of_others: bool) -> dict[str, Any]:
    # On a damaged file torch warns, and fails with whatever its code runs into: all of that is refused here.
    names: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if of_others and _starts_with_zip(file):
                names = sorted(get_unsafe_globals_in_checkpoint(file))
                file.seek(0)
            with safe_globals([(_PLAIN.get(name) or _stand_in(name), name) for name in names]):
                content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        found = _found(file, str(error), names)
        raise FormatError(f"{path}: not a file of tensors written by torch.save ({found})") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: holds a {type(content).__name__}, expected a dictionary with key 'model'")
    return {str(key): value for key, value in content.items()}


def _stand_in(name: str) -> type[_StandIn]:
    return type(name, (_StandIn,), {})


def _found(file: BinaryIO, refusal: str, names: list[str]) -> str:
    """What is wrong with a file that torch refused; of its own words, only the name of the code is kept."""
    file.seek(0)
    start = file.read(4)
    size = file.seek(0, 2)
    if not size:
        return "empty"
    _, _, named = refusal.partition(_BEFORE_CODE)
    if code := named.split(" ")[0] or ", ".join(names):
        return f"refers to code ({code[:80]}), which no checkpoint needs; nothing was run"
    if start != _ZIP:
        return f"begins with {start.hex()}, expected a ZIP archive as torch.save writes it"
    return f"cut short or damaged ({size:,} bytes)"


def _classes(value: object) -> set[str]:
    """The names of all classes that a value holds stand-ins of."""
    found, waiting, seen = set(), [value], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, _StandIn):
            found.add(type(one).__name__)
        if isinstance(one, type) and issubclass(one, _StandIn):
            found.add(one.__name__)
        if isinstance(one, dict | list | tuple | set) and id(one) not in seen:
            seen.add(id(one))
            waiting += [*one, *one.values()] if isinstance(one, dict) else one
    return found


def _is_safetensors(file: BinaryIO) -> bool:
    """Whether a file begins as that format does: the length of a JSON header, 8 bytes, and the header."""
    start, size = file.read(9), file.seek(0, 2)
    file.seek(0)
    return start[8:] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= size - 8


def _safetensors(file: BinaryIO, path: Path) -> dict[str, Any]:
    if find_spec("safetensors") is None:
        raise InputError(
            f"{path}: a safetensors file, and safetensors is not installed; run: pip install safetensors"
        )
    from safetensors import SafetensorError, safe_open

    try:
        length = int.from_bytes(file.read(8), "little")
        plain.decode(file.read(min(length, _LONGEST_HEADER)))  # the library lets a member be repeated
        with safe_open(path, framework="pt", device="cpu") as held:
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
            stated = (held.metadata() or {}).get("epoch", "")
    except (FormatError, SafetensorError, ValueError, RuntimeError) as error:
        raise FormatError(f"{path}: a damaged safetensors file ({error})") from None
    epoch = {"epoch": int(stated)} if stated.isascii() and stated.isdigit() and len(stated) < 10 else {}
    return {"model": tensors, **epoch}
