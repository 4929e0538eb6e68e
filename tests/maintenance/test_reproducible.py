"""One commit gives the same wheel, byte by byte, wherever and by whomever it is built."""

import importlib.util
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

specification = importlib.util.spec_from_file_location("dev_of_wheels", ROOT / "dev.py")
assert specification is not None
assert specification.loader is not None
dev = importlib.util.module_from_spec(specification)
sys.modules["dev_of_wheels"] = dev  # dataclasses look their own module up
specification.loader.exec_module(dev)


def laid(folder, distribution):
    """The sources of a distribution, as a clone has them."""
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / distribution, folder / distribution, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def built(folder, distribution):
    dev.wheel(dev.Checkout(folder), distribution).perform(dev.Checkout(folder))
    (wheel,) = (folder / "wheels").iterdir()
    return wheel


def make_hard(folder, distribution):
    """What another machine may have: other modes and times, compiled modules, rules of git above."""
    for file in (folder / distribution).rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            os.utime(file, (1, 1))
    (package,) = (folder / distribution / "src").iterdir()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "stray.cpython-311.pyc").write_bytes(b"compiled elsewhere")
    (folder.parent / ".gitignore").write_text("*.py\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "distribution",
    ["sdk", *(pytest.param(name, marks=pytest.mark.stress) for name in dev.DISTRIBUTIONS if name != "sdk")],
)
def test_a_wheel_is_the_same_bytes_in_another_folder_of_another_builder(distribution, tmp_path, monkeypatch):
    first = built(laid(tmp_path / "first", distribution), distribution)
    other = laid(tmp_path / "of another" / "Ärger mit Leerzeichen", distribution)
    make_hard(other, distribution)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = built(other, distribution)
    assert second.name == first.name
    assert second.read_bytes() == first.read_bytes()
    assert {info.date_time for info in zipfile.ZipFile(first).infolist()} == {(2020, 2, 2, 0, 0, 0)}
