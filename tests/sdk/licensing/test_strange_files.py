"""What lies in a file's place without being one: it is refused in a sentence, and nothing waits for it."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import Model
from ternary_sdk._internal.doctor import doctor
from ternary_sdk._internal.doctor.doctor import Case
from ternary_sdk._internal.licensing import clock, installation, locks, mark, state
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.renewal import check_remembered
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.source import read
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason, TernaryError
from ternary_sdk.operations import OperationSet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")

KINDS = ["pipe", "folder", "dangling link", "loop", "device", "socket"]


def lay(kind: str, path: Path) -> None:
    """Put something strange in a place."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        finally:
            os.chdir(here)


def ends(call: Callable[[], Any]) -> Any:
    """What a call returns or raises, which it must do soon."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(call())
        except TernaryError as refusal:
            came.append(refusal)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert came, "it waits, or raised something else"
    return came[0]


UNREADABLE = {
    "pipe": "is not a regular file",
    "folder": "cannot be read (Is a directory)",
    "dangling link": "is a link to nothing",
    "loop": "cannot be read (Too many levels of symbolic links)",
    "device": "is not a regular file",
    "socket": "cannot be read (No such device or address)",
}


@pytest.mark.parametrize("kind", KINDS)
def test_key_is_refused_and_no_mark_is_made(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "installation.json"
    lay(kind, path)
    found = ends(lambda: installation.find(tmp_path))
    made = ends(lambda: clock.establish(tmp_path, NOW, signed=NOW))
    assert str(found) == str(made) == f"{path}: {UNREADABLE[kind]}"
    assert isinstance(made, LedgerError)
    assert not list(tmp_path.glob("clock-*"))


@pytest.mark.parametrize("kind", KINDS)
def test_mark_counts_as_altered(tmp_path: Path, kind: str) -> None:
    key = clock.establish(tmp_path, NOW, signed=NOW)
    path = mark.mark_file(key)
    lay(kind, path)
    refusal = ends(lambda: mark.find(tmp_path))
    assert isinstance(refusal, LicenseError)
    assert refusal.code is Reason.CLOCK_ROLLBACK
    assert str(refusal).startswith(
        f"{path}: the highest time this installation has seen {UNREADABLE[kind]}; remove "
    )


@pytest.mark.parametrize("kind", KINDS)
def test_meter_is_refused(tmp_path: Path, kind: str) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    lay(kind, ledger.path)
    refusal = ends(lambda: ledger.record("L-1", 1, OperationSet.of([1])))
    assert isinstance(refusal, LedgerError)
    if kind in {"pipe", "folder", "device", "socket"}:
        assert str(refusal) == f"{ledger.path}: is not a regular file"
    assert not (tmp_path / "nowhere").exists()
    read_only = ends(lambda: ledger.drawn("L-1"))
    assert isinstance(read_only, LedgerError) or kind == "dangling link"


@pytest.mark.parametrize("kind", KINDS)
def test_lock_on_it_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    lay(kind, tmp_path / "file")

    def locked() -> str:
        with locks.locked(tmp_path / "file"):
            return "went on"

    assert ends(locked) == "went on"


@pytest.mark.parametrize("kind", KINDS)
def test_state_directory_is_refused_where_it_is_needed_and_else_passed_over(
    tmp_path: Path, shipped: bytes, vendor: KeyRing, kind: str
) -> None:
    place = tmp_path / "state"
    lay(kind, place)
    if kind == "folder":
        place.rmdir()
        place.touch()
    identity = Package.read(shipped, vendor.trust).identity
    ends_later = {"expires": NOW + timedelta(days=1)}
    for terms, refused in ((ends_later, False), (ends_later | {"unique_operations": 9}, True)):
        token = issue(vendor, package=identity, customer="I", now=NOW, license_id="L-1", **terms)  # type: ignore[arg-type]

        def draw(token: bytes = token) -> int:
            with Model.open(
                shipped, license=token, trust=vendor.trust.data, state=place, clock=lambda: NOW
            ) as model:
                return len(model.sample(2, seed=1).index)

        found = ends(draw)
        assert isinstance(found, LedgerError) if refused else found == 2
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("what", ["package", "license", "trust"])
@pytest.mark.parametrize("kind", KINDS)
def test_document_is_refused(tmp_path: Path, shipped: bytes, vendor: KeyRing, kind: str, what: str) -> None:
    identity = Package.read(shipped, vendor.trust).identity
    given: dict[str, Any] = {
        "package": shipped,
        "license": issue(vendor, package=identity, customer="I", now=NOW, expires=None),
        "trust": vendor.trust.data,
    }
    lay(kind, tmp_path / what)
    given[what] = tmp_path / what
    words = given.pop("package")
    assert isinstance(ends(lambda: Model.open(words, **given, state=tmp_path / "state")), TernaryError)


@pytest.mark.parametrize("what", ["package", "license", "trust", "state"])
@pytest.mark.parametrize("kind", KINDS)
def test_doctor_names_it_and_ends(
    tmp_path: Path, shipped: bytes, vendor: KeyRing, kind: str, what: str
) -> None:
    identity = Package.read(shipped, vendor.trust).identity
    sent = {
        "package": shipped,
        "license": issue(vendor, package=identity, customer="I", now=NOW, expires=None, unique_operations=9),
        "trust": vendor.trust.data,
    }
    for name, data in sent.items():
        (tmp_path / name).write_bytes(data)
    if not (what == "state" and kind == "folder"):
        lay(kind, tmp_path / what)
    findings = ends(
        lambda: doctor.examine(Case(**{name: tmp_path / name for name in (*sent, "state")}), NOW).findings
    )
    wrong = [finding.name for finding in findings if not finding.ok]
    if what == "state":
        assert bool(wrong) == (kind != "folder")
    else:
        assert what in wrong


def test_pipe_into_which_somebody_writes_is_read_to_its_end() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(b"x" * 200_000)

    Thread(target=write, daemon=True).start()
    assert ends(lambda: read(f"/dev/fd/{reader}", 1_000_000)) == b"x" * 200_000
    os.close(reader)


def test_pipe_into_which_nobody_writes_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert ends(lambda: read(tmp_path / "pipe", 10)) == b""
    assert isinstance(ends(lambda: read(tmp_path / "nothing", 10)), InputError)


def test_time_that_alone_cannot_be_read_is_refused_but_a_closed_state_is_not(
    tmp_path: Path, place: Path, as_user: Callable[[Callable[[], str]], str], vendor: KeyRing
) -> None:
    kept = state.for_vendor(vendor.trust.root.kid, place)
    key = clock.establish(kept, NOW, signed=NOW)

    def refusal() -> str:
        try:
            check_remembered(vendor.trust, place)
        except LicenseError as error:
            return str(error)
        return "nothing"

    mark.mark_file(key).chmod(0)
    assert as_user(refusal).startswith(
        f"{mark.mark_file(key)}: the highest time this installation has seen cannot be read "
        "(Permission denied); remove "
    )
    kept.chmod(0)
    assert as_user(refusal) == "nothing"
