import stat
import sys
from pathlib import Path

import pytest

from ternary_sdk.errors import LedgerError
from ternary_sdk.licensing import state

posix = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="XDG directories are not used here")


@posix
@pytest.mark.parametrize("chosen", ["", "relative/path"])
def test_default_is_under_the_home_directory(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_DATA_HOME", chosen)
    assert state.directory() == Path("/home/ada/.local/share/ternary")


@posix
def test_xdg_data_home_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert state.directory() == Path("/srv/data/ternary")


@posix
def test_two_vendors_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert state.for_vendor("root a") != state.for_vendor("root b")
    assert state.for_vendor("root a").parent == state.directory()


def test_file_and_directory_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mark"
    state.write(path, b"one")
    state.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refusal:
        state.write(tmp_path / "file" / "mark", b"")
    assert str(refusal.value) == (
        f"{tmp_path}/file: cannot be made (File exists); "
        "name another state directory with state= or '--state DIR'"
    )
