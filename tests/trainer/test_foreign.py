"""Checkpoints of other programs: the weights are read, no code is run, and what was left out is named."""

import argparse
import collections
import io
import pathlib
import pickle
import resource
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ternary_sdk.errors import FormatError
from ternary_trainer import checkpoint, tensor_file
from ternary_trainer.model import initial

STATE = initial(3).state_dict()
SCALAR, ARRAY = "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct"


def saved(path: Path, content: object, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        checkpoint.load(path)
    return str(caught.value)


def same(state: dict[str, Tensor]) -> bool:
    return all(
        value.dtype == torch.float32 and torch.equal(value, STATE[name]) for name, value in state.items()
    )


BESIDE: dict[str, tuple[object, str | None]] = {
    "NumPy scalar": (np.float64(0.5), SCALAR),
    "NumPy array": ([1, {"a": np.zeros(3)}], ARRAY),
    "NumPy random state": (np.random.default_rng(1).bit_generator.state["state"], None),
    "NumPy legacy random state": (np.random.RandomState(1).get_state(), ARRAY),
    "path": ({"dir": pathlib.PurePosixPath("/x")}, "pathlib.PurePosixPath"),
    "Windows path": ({"dir": pathlib.PureWindowsPath(r"H:\x")}, "pathlib.PureWindowsPath"),
    "namespace": (argparse.Namespace(rate=1), "argparse.Namespace"),
    "function": (np.sum, "numpy.sum"),
    "class": ([torch.optim.AdamW], "torch.optim.adamw.AdamW"),
    "defaultdict": (collections.defaultdict(list, {"a": [1]}), None),
    "deque": (collections.deque([1, 2], maxlen=5), None),
    "counter": (collections.Counter("aab"), None),
    "torch random state": (torch.get_rng_state(), None),
    "bytes": (b"\0\xff", None),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_whatever_stands_beside_the_weights_they_are_read(tmp_path: Path, kind: str) -> None:
    value, left_out = BESIDE[kind]
    loaded = checkpoint.load(
        saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4, "beside": value, "rho": 0.5})
    )
    assert same(loaded.state)
    assert (loaded.epoch, loaded.details["rho"]) == (4, 0.5)
    assert ("beside" in loaded.details) == (left_out is None)
    assert loaded.notes == (() if left_out is None else (f"'beside' was not read: it holds {left_out}",))


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        ({"model": STATE, "epoch": 4}, ()),
        ({"model": collections.OrderedDict(STATE), "epoch": torch.tensor(4)}, ()),
        ({"state_dict": STATE, "epoch": 4}, ()),
        ({"model_state_dict": STATE, "epoch": 4}, ()),
        ({"model": {k: torch.nn.Parameter(v.clone()) for k, v in STATE.items()}, "epoch": 4}, ()),
        (
            {
                "model": {k: v.t().contiguous().t() if v.dim() == 2 else v for k, v in STATE.items()},
                "epoch": 4,
            },
            (),
        ),
        (
            {"model": {f"module.{k}": v for k, v in STATE.items()}, "epoch": 4},
            ("'module.' was taken off the tensors' names",),
        ),
        (
            {"model": {f"_orig_mod.module.{k}": v for k, v in STATE.items()}, "epoch": 4},
            ("'_orig_mod.' was taken off the tensors' names", "'module.' was taken off the tensors' names"),
        ),
        (
            {"model": {k: v.double() for k, v in STATE.items()}, "epoch": 4},
            ("tensors of torch.float64 were converted to torch.float32",),
        ),
    ],
)
def test_other_layouts_are_read_and_each_change_is_noted(
    tmp_path: Path, content: dict[str, Any], notes: tuple[str, ...]
) -> None:
    loaded = checkpoint.load(saved(tmp_path / "a.pt", content))
    assert same(loaded.state)
    assert (loaded.epoch, loaded.notes) == (4, notes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_floats_are_read_as_the_float32_of_the_same_value(tmp_path: Path, dtype: torch.dtype) -> None:
    half = {name: value.to(dtype) for name, value in STATE.items()}
    loaded = checkpoint.load(saved(tmp_path / "a.pt", {"model": half, "epoch": 4}))
    assert all(torch.equal(value, half[name].float()) for name, value in loaded.state.items())
    assert loaded.notes == (f"tensors of {dtype} were converted to torch.float32",)


def test_a_double_too_large_for_float32_is_refused(tmp_path: Path) -> None:
    state = {name: value.double() for name, value in STATE.items()}
    state["grad_norm_A_ema"] = torch.tensor(1e300, dtype=torch.float64)
    path = saved(tmp_path / "a.pt", {"model": state, "epoch": 4})
    assert refusal(path) == f"{path}: tensor 'grad_norm_A_ema' has values that are not finite"


HUGE = torch.zeros(1, dtype=torch.float16).expand(10**13)  # 20 terabytes, in a file of some kilobytes
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch calls them a prototype
    NESTED = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
SHAPE = "(27, 64)"
LAST = "decoder_A.decoder.4.weight"


@pytest.mark.parametrize(
    ("tensor", "found"),
    [
        (HUGE, f"has shape (10000000000000,), expected {SHAPE}"),
        (
            torch.zeros(1, dtype=torch.float64).expand(27, 10**12),
            f"has shape (27, 1000000000000), expected {SHAPE}",
        ),
        (torch.zeros(27, 64, device="meta"), "is on device 'meta', where it has no values, expected 'cpu'"),
        (
            torch.zeros(27, 64, device="meta", dtype=torch.float16),
            "is on device 'meta', where it has no values, expected 'cpu'",
        ),
        (NESTED, f"is a nested tensor, expected shape {SHAPE}"),
        (NESTED.half(), f"is a nested tensor, expected shape {SHAPE}"),
        (
            torch.zeros(27, 64).half().to_sparse(),
            "is torch.float16 (torch.sparse_coo), expected dense torch.float32",
        ),
    ],
)
def test_a_tensor_that_is_not_in_the_file_as_it_says_is_refused_by_name(
    tmp_path: Path, tensor: Tensor, found: str
) -> None:
    path = saved(tmp_path / "a.pt", {"model": STATE | {LAST: tensor}, "epoch": 4})
    assert refusal(path) == f"{path}: tensor '{LAST}' {found}"


@pytest.mark.parametrize(
    "epoch",
    [
        torch.zeros(1, device="meta", dtype=torch.int64),
        torch.tensor([1]).to_sparse(),
        torch.tensor(1.0),
        torch.tensor(True),
        torch.tensor([1, 2]),
        NESTED.long(),
        HUGE,
    ],
)
def test_an_epoch_that_is_no_whole_number_on_the_cpu_is_refused(tmp_path: Path, epoch: Tensor) -> None:
    path = saved(tmp_path / "a.pt", {"model": STATE, "epoch": epoch})
    assert refusal(path) == f"{path}: epoch is a tensor, expected a whole number from 0"


def test_the_format_before_zip_is_read(tmp_path: Path) -> None:
    loaded = checkpoint.load(
        saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4}, _use_new_zipfile_serialization=False)
    )
    assert same(loaded.state)


def test_a_file_of_the_state_alone_is_read_and_has_no_epoch(tmp_path: Path) -> None:
    loaded = checkpoint.load(saved(tmp_path / "a.pt", dict(STATE)))
    assert same(loaded.state)
    assert (loaded.epoch, loaded.notes) == (None, ("no epoch could be read",))


def test_an_epoch_of_numpy_is_left_out_and_noted(tmp_path: Path) -> None:
    loaded = checkpoint.load(saved(tmp_path / "a.pt", {"model": STATE, "epoch": np.int64(4)}))
    assert loaded.notes == (f"'epoch' was not read: it holds {SCALAR}", "no epoch could be read")


@pytest.mark.parametrize(("metadata", "epoch"), [({"epoch": "4"}, 4), ({"epoch": "٤"}, None), (None, None)])
def test_safetensors_are_read_with_the_epoch_that_they_state(
    tmp_path: Path, metadata: dict[str, str] | None, epoch: int | None
) -> None:
    save_file(STATE, tmp_path / "a.safetensors", metadata)
    loaded = checkpoint.load(tmp_path / "a.safetensors")
    assert same(loaded.state)
    assert loaded.epoch == epoch


def test_damaged_safetensors_are_refused(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    path = tmp_path / "b.safetensors"
    for damaged in (
        data[:-1],
        data + b"\0",
        data[:8] + b"{" * (len(data) - 8),
        struct.pack("<Q", 2) + b"{}" + data,
    ):
        path.write_bytes(damaged)
        assert refusal(path).startswith(f"{path}: a damaged safetensors file (")


def test_safetensors_that_repeat_a_member_are_refused(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    entry = data[8 : 8 + length].split(b"},")[0] + b"},"
    header = entry + data[9 : 8 + length]
    path = tmp_path / "b.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])
    assert refusal(path).startswith(f"{path}: a damaged safetensors file (member '")
    assert refusal(path).endswith("' appears twice)")


class Custom(dict[str, int]):
    pass


def test_a_model_pickled_whole_is_refused_and_its_class_not_imported(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", {"model": argparse.Namespace(weights=STATE), "epoch": 4})
    assert refusal(path) == (
        f"{path}: key 'model' holds argparse.Namespace, expected a dictionary of tensors; nothing was run"
    )


def test_a_container_that_cannot_be_left_out_is_refused_by_the_name_of_its_class(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4, "config": Custom(a=1)})
    found = f"refers to code ({__name__}.Custom), which no checkpoint needs; nothing was run"
    assert refusal(path) == f"{path}: not a file of tensors written by torch.save ({found})"


class Trap:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("place", ["model", "beside", "epoch"])
@pytest.mark.parametrize("function", [Path.write_text, eval, exec, subprocess.check_output, pickle.loads])
def test_nothing_that_a_file_names_is_called_or_imported(
    tmp_path: Path, place: str, function: Callable[..., object]
) -> None:
    evidence = tmp_path / "evidence"
    arguments = (evidence, "ran") if function is Path.write_text else (f"open({str(evidence)!r}, 'w')",)
    path = saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4, place: Trap(function, *arguments)})
    if place == "model" or function is Path.write_text:  # what a call returned is not called in turn
        assert "nothing was run" in refusal(path)
    else:
        assert same(checkpoint.load(path).state)
    assert not evidence.exists()


def test_a_file_that_names_a_module_does_not_import_it(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"model": STATE, "epoch": 4, "beside": Trap(np.sum, 1)}, stream)
    path, kept = tmp_path / "a.pt", zipfile.ZipFile(stream)
    with zipfile.ZipFile(path, "w") as changed:
        for name in kept.namelist():
            changed.writestr(name, kept.read(name).replace(b"cnumpy\nsum\n", b"cantigravity\nfly\n"))
    loaded = checkpoint.load(path)
    assert loaded.notes == ("'beside' was not read: it holds antigravity.fly",)
    assert "antigravity" not in sys.modules


def test_the_system_module_is_not_even_stood_in_for(tmp_path: Path) -> None:
    import os

    path = saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4, "beside": Trap(os.system, "true")})
    found = "refers to code (posix.system), which no checkpoint needs; nothing was run"
    assert refusal(path) == f"{path}: not a file of tensors written by torch.save ({found})"


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    path, kept = tmp_path / "a.pt", zipfile.ZipFile(saved(tmp_path / "b.pt", {"model": STATE, "epoch": 4}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in kept.namelist():
            changed.writestr(name, kept.read(name))
    assert refusal(path) == f"{path}: holds compressed members, which torch.save does not write"


def test_a_file_above_the_cap_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with path.open("wb") as file:
        file.truncate(tensor_file.LARGEST + 1)  # a hole: it takes no room on the disk
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(path) == f"{path}: 1,073,741,825 bytes, expected a checkpoint of at most 1,073,741,824"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16


def test_what_another_training_left_beside_the_weights_is_in_memory_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", {"model": STATE, "epoch": 4, "replay": torch.zeros(40_000_000)})
    code = (
        "import resource, sys; from pathlib import Path; from ternary_trainer import checkpoint\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "checkpoint.load(Path(sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = int(subprocess.check_output([sys.executable, "-c", code, str(path)]))
    assert grown < 1.5 * 160_000_000 / 1024


def test_a_state_of_our_own_training_names_no_classes(tmp_path: Path) -> None:
    path = saved(tmp_path / "state.pt", {"method": np.float64(1)})
    with pytest.raises(FormatError) as caught:
        checkpoint.read(path)
    found = f"refers to code ({SCALAR}), which no checkpoint needs; nothing was run"
    assert str(caught.value) == f"{path}: not a file of tensors written by torch.save ({found})"
