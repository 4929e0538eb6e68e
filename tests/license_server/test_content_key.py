import stat
from pathlib import Path

import pytest

from ternary_license_server import content_key
from ternary_sdk.errors import FormatError, InputError


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "acme-1.0.0.key"
    made = content_key.make(path)
    assert len(made) == 32
    assert content_key.make(path) == content_key.load(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_key_is_not_made_when_a_license_needs_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        content_key.load(tmp_path / "acme.key")
    assert str(refusal.value) == f"{tmp_path}/acme.key: cannot be read (No such file or directory)"


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acme.key"
    content_key.make(path)
    path.chmod(0o644)
    with pytest.raises(InputError) as refusal:
        content_key.load(path)
    assert str(refusal.value) == f"{path}: mode is 0644, expected 0600; run 'chmod 600 {path}'"


@pytest.mark.parametrize("data", [b"", b"0" * 64, b"A" * 64 + b"\n", b"0" * 63 + b"\n"])
def test_file_that_is_no_key_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "acme.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(FormatError) as refusal:
        content_key.make(path)
    assert str(refusal.value) == f"{path}: not a content key, expected 64 hex digits and a line break"
    assert path.read_bytes() == data
