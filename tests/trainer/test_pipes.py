"""A named pipe in the place of a file is not waited for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ternary_sdk.errors import FormatError, InputError
from ternary_trainer import checkpoint, disrupt, history, recipe, run
from ternary_trainer.validation import thresholds

READERS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "checkpoint": ("a.pt", checkpoint.load, "{path}: is not a regular file, expected a checkpoint file"),
    "state": ("state.pt", checkpoint.read, "{path}: is not a regular file, expected a checkpoint file"),
    "recipe": ("a.toml", lambda path: recipe.load(str(path)), "{path}: setting 'about' is missing"),
    "thresholds": ("a.toml", thresholds.load, ""),
    "run": ("run.json", lambda path: run.open(path.parent), "{path}: not JSON at line 1, character 1"),
    "history": ("history.jsonl", lambda path: history.read(path.parent), ""),
    "request of a surge": (
        "surge.json",
        lambda path: disrupt.Surges([], path.parent).at(1),
        "{path}: is no surge request; remove it and resume",
    ),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_named_pipe_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    name, read, found = READERS[kind]
    path = tmp_path / name
    os.mkfifo(path)
    if not found:  # nothing is what an empty file says, too
        read(path)
        return
    with pytest.raises((FormatError, InputError)) as refused:
        read(path)
    assert str(refused.value).startswith(found.format(path=path))


def test_a_device_without_an_end_is_no_checkpoint() -> None:
    with pytest.raises(InputError) as refused:
        checkpoint.load(Path("/dev/zero"))
    assert str(refused.value) == "/dev/zero: is not a regular file, expected a checkpoint file"
