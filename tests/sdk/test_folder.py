from pathlib import Path

import pytest

from ternary_sdk._internal import folder
from ternary_sdk.errors import InputError


def test_a_folder_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    folder.write({"a": b"1", "b": b""}, tmp_path / "new" / "out")
    assert {file.name: file.read_bytes() for file in (tmp_path / "new" / "out").iterdir()} == {
        "a": b"1",
        "b": b"",
    }
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["out"]


def test_a_folder_that_exists_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"mine")
    with pytest.raises(InputError) as refusal:
        folder.write({"a": b"1"}, tmp_path)
    assert str(refusal.value) == f"{tmp_path}: exists already, expected a folder that does not"
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


def test_where_a_file_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        folder.write({"a": b"1", "no/such/folder": b"2"}, tmp_path / "out")
    assert str(refusal.value) == f"{tmp_path / 'out'}: cannot be written (No such file or directory)"
    assert list(tmp_path.iterdir()) == []


def test_below_a_file_no_folder_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        folder.write({}, tmp_path / "file" / "out")
    assert str(refusal.value) == f"{tmp_path / 'file' / 'out'}: cannot be written (Not a directory)"
