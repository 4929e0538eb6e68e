import stat
from pathlib import Path

import pytest

from ternary_license_server.keys import content_key
from ternary_sdk.errors import FormatError, InputError


def made(path: Path, release: str = "acme-1.0.0") -> bytes:
    with content_key.of(path, release) as key:
        return key


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "acme-1.0.0.key"
    key = made(path)
    assert len(key) == 32
    assert path.read_text() == f"{key.hex()}  acme-1.0.0\n"
    assert made(path) == content_key.load(path, "acme-1.0.0") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("release", ["acme-1.0.1", "other-1.0.0"])
def test_key_of_one_release_is_not_another_releases(tmp_path: Path, release: str) -> None:
    path = tmp_path / "acme.key"
    made(path)
    before = path.read_bytes()
    for use in (made, content_key.load):
        with pytest.raises(InputError) as refusal:
            use(path, release)
        assert str(refusal.value) == (
            f"{path}: is the content key of acme-1.0.0, expected that of {release}; each has its own"
        )
    assert path.read_bytes() == before


def test_key_that_was_made_for_what_then_failed_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "acme.key"
    with pytest.raises(InputError, match=r"^made$"), content_key.of(path, "acme-1.0.0"):
        raise InputError("made" if path.exists() else "not made")
    assert list(tmp_path.iterdir()) == []


def test_key_that_was_there_before_stays_whatever_fails(tmp_path: Path) -> None:
    path = tmp_path / "acme.key"
    key = made(path)
    with pytest.raises(InputError), content_key.of(path, "acme-1.0.0"):
        raise InputError("no")
    assert content_key.load(path, "acme-1.0.0") == key


def test_missing_key_is_not_made_when_a_license_needs_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        content_key.load(tmp_path / "acme.key", "acme-1.0.0")
    assert str(refusal.value) == f"{tmp_path}/acme.key: cannot be read (No such file or directory)"


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acme.key"
    made(path)
    path.chmod(0o644)
    with pytest.raises(InputError) as refusal:
        content_key.load(path, "acme-1.0.0")
    assert str(refusal.value) == f"{path}: mode is 0644, expected 0600; run 'chmod 600 {path}'"


RELEASE = b"  acme-1.0.0\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0" * 64 + b"\n",
        b"A" * 64 + RELEASE,
        b"0" * 63 + RELEASE,
        b"0" * 64 + b"  acme-1.0.0\xff\n",
    ],
)
def test_file_that_is_no_key_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "acme.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(FormatError) as refusal:
        made(path)
    assert str(refusal.value) == (
        f"{path}: not a content key, expected one line of 64 hex digits, two spaces and NAME-VERSION"
    )
    assert path.read_bytes() == data
