import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing import state
from ternary_sdk.errors import LedgerError

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
    path = tmp_path / "above" / "new" / "mark"
    state.write(path, b"one")
    state.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refusal:
        state.write(tmp_path / "file" / "mark", b"")
    assert str(refusal.value) == (
        f"{tmp_path}/file: cannot be made (File exists); "
        "name another state directory with state= or '--state DIR'"
    )


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return monkeypatch


NO_HOME = (
    "state directory: this user has no home directory; name a directory for the meter, the clock mark "
    "and the installation key with state= or '--state DIR'"
)


@posix
@pytest.mark.parametrize("home", ["/dev/null", "/dev/null/below", "relative", "~nobody-of-this-name"])
def test_home_that_is_no_directory_counts_as_none(unset: pytest.MonkeyPatch, home: str) -> None:
    unset.setenv("HOME", home)
    assert state.default() is None
    with pytest.raises(LedgerError) as refusal:
        state.for_vendor("root a")
    assert str(refusal.value) == NO_HOME


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_home_that_is_closed_to_this_user_counts_as_none(
    unset: pytest.MonkeyPatch, place: Path, as_user: Callable[[Callable[[], Path | None]], Path | None]
) -> None:
    unset.setenv("HOME", str(place / "home"))
    assert as_user(state.default) == place / "home/.local/share/ternary"  # it can still be made
    (place / "home").mkdir(mode=0)
    assert as_user(state.default) is None


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_user_whom_the_system_does_not_know_has_no_state_directory(unset: pytest.MonkeyPatch) -> None:
    unset.delenv("HOME", raising=False)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setuid(12345)
        os._exit(0 if state.default() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@posix
def test_data_directory_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert state.default() == state.directory() == Path("/srv/data/ternary")


def test_chosen_directory_needs_neither(
    monkeypatch: pytest.MonkeyPatch, unset: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unset.setenv("HOME", "/dev/null")
    monkeypatch.chdir(tmp_path)
    assert state.directory(Path("mine")) == tmp_path / "mine"
    assert state.for_vendor("root a", Path("mine")).parent == tmp_path / "mine"
    with pytest.raises(LedgerError) as refusal:
        state.directory(Path("a\0b"))
    assert str(refusal.value) == "state directory: 'a\\x00b', which has a NUL character"


def test_file_that_is_not_there_is_none_and_a_longer_one_is_cut_after_the_cap(tmp_path: Path) -> None:
    assert state.read(tmp_path / "mark", 3) is None
    (tmp_path / "mark").write_bytes(b"12345")
    assert state.read(tmp_path / "mark", 3) == b"1234"
    assert state.read(tmp_path / "mark", 9) == b"12345"
