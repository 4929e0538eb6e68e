import os
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ternary_sdk._internal import whole_file
from ternary_sdk.errors import InputError, LedgerError, TernaryError


def refusal(write: Callable[[], object]) -> TernaryError:
    with pytest.raises(TernaryError) as caught:
        write()
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_in_a_folder_that_is_not_there_no_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    found = refusal(lambda: whole_file.write(path, b"new"))
    assert (type(found), str(found)) == (
        InputError,
        f"{path}: cannot be written (No such file or directory)",
    )


def test_a_refusal_is_of_the_kind_that_the_caller_names(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    found = refusal(lambda: whole_file.write(path, b"new", refusal=LedgerError))
    assert (type(found), str(found)) == (
        LedgerError,
        f"{path}: cannot be written (No such file or directory)",
    )


def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    found = refusal(lambda: whole_file.write(tmp_path / "file", b"new"))
    assert str(found) == f"{tmp_path / 'file'}: cannot be written (Is a directory)"
    assert names(tmp_path) == ["file"]


def test_of_several_files_none_is_changed_if_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "first").write_bytes(b"before")
    (tmp_path / "second").mkdir()
    files = {tmp_path / "first": b"after", tmp_path / "second": b"after"}
    found = refusal(lambda: whole_file.write_all(files))
    assert str(found) == f"{tmp_path / 'second'}: cannot be written (Is a directory)"
    assert (tmp_path / "first").read_bytes() == b"before"
    assert names(tmp_path) == ["first", "second"]


def test_a_full_disk_leaves_the_old_bytes_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        found = refusal(lambda: whole_file.write(path, bytes(2000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(found) == f"{path}: cannot be written (File too large)"
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_what_ends_the_parts_early_leaves_the_old_bytes_and_no_draft(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a part"
        raise KeyboardInterrupt

    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        whole_file.replace(path, parts())
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    whole_file.write(tmp_path / "file", b"one")
    whole_file.replace(tmp_path / "file", [b"tw", b"o"])
    assert (tmp_path / "file").read_bytes() == b"two"
    assert names(tmp_path) == ["file"]


def test_a_file_has_the_mode_that_was_asked_for_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        whole_file.write(tmp_path / "shared", b"")
        whole_file.write(tmp_path / "private", b"", mode=whole_file.PRIVATE)
    finally:
        os.umask(before)
    assert (mode(tmp_path / "shared"), mode(tmp_path / "private")) == (0o644, 0o600)


def test_a_private_file_takes_the_place_of_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    path.chmod(0o644)
    whole_file.write(path, b"key", mode=whole_file.PRIVATE)
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    "name", ["state.pt", ".state.pt", ".state.pt.new", ".state.pt.0a1b2c3", ".other.pt.0a1b2c3d"]
)
def test_a_file_that_is_no_draft_is_not_swept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    whole_file.sweep(tmp_path / "state.pt")
    assert names(tmp_path) == [name]


def test_the_draft_of_a_killed_writer_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".state.pt.0a1b2c3d").write_bytes(b"")
    whole_file.sweep(tmp_path / "state.pt")
    assert names(tmp_path) == []


def test_what_is_written_while_it_is_written_is_a_draft(tmp_path: Path) -> None:
    seen = list[str]()

    def parts() -> Iterator[bytes]:
        seen.extend(names(tmp_path))
        yield b""

    whole_file.replace(tmp_path / "file", parts())
    (draft,) = seen
    assert whole_file.is_draft(draft, of="file")
