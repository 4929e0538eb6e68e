import ast
import os
import stat
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ternary_license_server.keys import keyring, rotation
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal import whole_file
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, InputError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_one_key_for_each_role_in_private_files(directory: Path, now: datetime) -> None:
    ring = keyring.create(directory, "Acme", now)
    names = ["answer.pem", "license.pem", "package.pem", "root.pem", "vendor.trust"]
    assert sorted(path.name for path in directory.iterdir()) == names
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE((directory / f"{role}.pem").stat().st_mode) for role in Role} == {0o600}
    assert len({ring.signer(role).kid for role in Role}) == 4
    assert (ring.vendor, ring.trust.version, ring.trust.expires) == ("Acme", 1, None)
    assert ring.trust.data == (directory / "vendor.trust").read_bytes()


def test_keys_are_loaded_as_they_were_made(directory: Path, now: datetime) -> None:
    made = keyring.create(directory, "Acme", now, expires=now + timedelta(days=730))
    loaded = keyring.load(directory)
    assert loaded.trust == made.trust
    assert [loaded.signer(role) for role in Role] == [made.signer(role) for role in Role]


def test_empty_directory_is_used(directory: Path, now: datetime) -> None:
    directory.mkdir()
    keyring.create(directory, "Acme", now)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_directory_with_anything_in_it_is_left_alone(directory: Path, now: datetime) -> None:
    directory.mkdir()
    (directory / "root.pem").write_bytes(b"precious")
    with pytest.raises(InputError) as refusal:
        keyring.create(directory, "Acme", now)
    assert str(refusal.value) == f"{directory}: not an empty directory; keys are never overwritten"
    assert (directory / "root.pem").read_bytes() == b"precious"
    assert list(directory.parent.iterdir()) == [directory]


@pytest.mark.parametrize("vendor", ["", " ", "Acme\nLogic", "x" * 201, "Ac\u200bme", "Acme\U000e0041"])
def test_vendor_must_be_a_line_of_text(directory: Path, now: datetime, vendor: str) -> None:
    with pytest.raises(InputError) as refusal:
        keyring.create(directory, vendor, now)
    assert str(refusal.value) == f"vendor: {vendor[:60]!r}, expected 1 to 200 printable characters"


def test_moment_without_a_time_zone_is_refused(directory: Path, now: datetime) -> None:
    with pytest.raises(InputError) as refusal:
        keyring.create(directory, "Acme", now.replace(tzinfo=None))
    assert str(refusal.value) == "moment 2026-03-01T12:00:00 has no time zone, expected UTC"
    assert not directory.exists()


def test_key_that_others_can_read_is_refused(directory: Path, now: datetime) -> None:
    keyring.create(directory, "Acme", now)
    path = directory / "license.pem"
    path.chmod(0o640)
    ring = keyring.load(directory)
    with pytest.raises(InputError) as refusal:
        ring.signer(Role.LICENSE)
    assert str(refusal.value) == f"{path}: mode is 0640, expected 0600; run 'chmod 600 {path}'"


WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from ternary_license_server.keys import keyring
os.setgroups([int(sys.argv[2])])
os.setgid(10001)
os.setuid(10001)
ring = keyring.load(Path(sys.argv[1]))
print(({str(role): str(fault) for role, fault in ring.faults.items()}, sorted(map(str, ring.keys))))
"""


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="gives files to other users")
def test_secret_of_roots_that_a_group_may_read_is_as_closed_as_its_reader_can_have_it(now: datetime) -> None:
    """As Kubernetes hands out Secrets to a pod with ``fsGroup``."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody else in
        Path(folder).chmod(0o755)
        keyring.create(directory := Path(folder) / "keys", "Acme", now)
        directory.chmod(0o755)
        for name, mode in (("license", 0o440), ("answer", 0o444), ("package", 0o460), ("root", 0o400)):
            os.chown(directory / f"{name}.pem", 0, 20002)
            (directory / f"{name}.pem").chmod(mode)
        (directory / "vendor.trust").chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, directory, "20002"], capture_output=True, text=True
        )
        assert done.stderr == ""
        where, remedy = (
            f"{directory}/",
            (
                "and it is root's, expected at most 0440; in Kubernetes set 'defaultMode: 0400' of the "
                "Secret's volume and 'fsGroup' of the pod"
            ),
        )
        faults = {
            "root": f"{where}root.pem: cannot be read (Permission denied)",
            "package": f"{where}package.pem: mode is 0460 {remedy}",
            "answer": f"{where}answer.pem: mode is 0444 {remedy}",
        }
        found, keys = ast.literal_eval(done.stdout)
        assert (found, keys) == (faults, ["license"])
        os.chown(directory / "license.pem", 10001, 20002)  # its own file it could close
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, directory, "20002"], capture_output=True, text=True
        )
        assert "license.pem: mode is 0440, expected 0600; run 'chmod 600 " in done.stdout


def test_directory_without_a_trust_file_is_refused(directory: Path) -> None:
    directory.mkdir()
    with pytest.raises(InputError) as refusal:
        keyring.load(directory)
    assert str(refusal.value) == f"{directory}/vendor.trust: cannot be read (No such file or directory)"


def test_daily_work_needs_no_root_but_signing_a_key_set_does(directory: Path, now: datetime) -> None:
    keyring.create(directory, "Acme", now)
    (directory / "root.pem").unlink()
    ring = keyring.load(directory)
    assert ring.signer(Role.LICENSE).sign(b"x")
    with pytest.raises(InputError) as refusal:
        ring.signer(Role.ROOT)
    assert str(refusal.value) == (
        f"{directory}/root.pem: no such file; signing needs this key; if it is lost, make new keys with "
        "'ternary keys init'"
    )


def test_private_key_that_cannot_be_used_stops_only_what_needs_it(directory: Path, now: datetime) -> None:
    keyring.create(directory, "Acme", now)
    (directory / "license.pem").write_bytes(b"cut")
    (directory / "answer.pem").unlink()
    ring = keyring.load(directory)
    assert ring.signer(Role.PACKAGE).sign(b"x")
    assert ring.signer(Role.ROOT).sign(b"x")
    for role in (Role.LICENSE, Role.ANSWER):
        with pytest.raises((InputError, FormatError)):
            ring.signer(role)


def test_pipe_in_a_private_keys_place_is_refused_and_not_waited_for(directory: Path, now: datetime) -> None:
    keyring.create(directory, "Acme", now)
    path = directory / "license.pem"
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(InputError) as refusal:
        keyring.load(directory).signer(Role.LICENSE)
    assert str(refusal.value) == f"{path}: not a file"


def test_revoked_key_signs_nothing_more(directory: Path, now: datetime) -> None:
    """As on a server that got the new trust file and kept the old key file."""
    ring = keyring.create(directory, "Acme", now)
    path, kid = directory / "license.pem", ring.signer(Role.LICENSE).kid
    old = path.read_bytes()
    rotation.revoke_key(rotation.rotate(ring, Role.LICENSE, now), kid, now)
    whole_file.write(path, old, mode=whole_file.PRIVATE)
    with pytest.raises(InputError) as refusal:
        keyring.load(directory).signer(Role.LICENSE)
    assert str(refusal.value) == (
        f"{path}: key {kid} was revoked on 2026-03-01; get the file that 'ternary keys rotate license' made, "
        "or run it again"
    )


def test_key_of_another_role_is_refused(directory: Path, now: datetime) -> None:
    ring = keyring.create(directory, "Acme", now)
    path = directory / "license.pem"
    path.write_bytes((directory / "package.pem").read_bytes())
    with pytest.raises(InputError) as refusal:
        keyring.load(directory).signer(Role.LICENSE)
    kid = ring.signer(Role.PACKAGE).kid
    assert str(refusal.value) == f"{path}: key {kid} is not the trust file's for role license"


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----", b"\x00" * 100])
def test_file_that_is_no_key_is_refused(directory: Path, now: datetime, data: bytes) -> None:
    keyring.create(directory, "Acme", now)
    path = directory / "license.pem"
    path.write_bytes(data)
    with pytest.raises(FormatError) as refusal:
        keyring.load(directory).signer(Role.LICENSE)
    assert str(refusal.value) == f"{path}: not an unencrypted PEM private key"


def test_public_key_is_no_private_key() -> None:
    with pytest.raises(FormatError) as refusal:
        SigningKey.from_pem(SigningKey.generate().public.to_pem(), "k.pem")
    assert str(refusal.value) == "k.pem: not an unencrypted PEM private key"


def test_private_key_is_not_in_a_representation(directory: Path, now: datetime) -> None:
    ring = keyring.create(directory, "Acme", now)
    assert "BEGIN" not in repr(ring)
    assert "private" not in repr(ring.signer(Role.ROOT))
