import os
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing.license import TYP
from ternary_sdk._internal.trust.trust import Role


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> KeyRing:
    """A vendor's keys, made once; no test may change them."""
    return keyring.create(tmp_path_factory.mktemp("vendor") / "keys", "Acme Logic", now - timedelta(days=30))


@pytest.fixture(scope="session")
def package() -> PackageIdentity:
    return PackageIdentity(name="acme", version=(1, 2, 0), digest="ab" * 32)


@pytest.fixture
def claims(now: datetime, package: PackageIdentity) -> dict[str, Json]:
    """The claims of a plain license, for a test to bend."""
    return {
        "iss": "Acme Logic",
        "jti": "L-17",
        "sub": "Initech",
        "iat": int(now.timestamp()),
        "packages": [{"digest": package.digest}],
        "entitlements": ["decode", "encode", "sample"],
    }


@pytest.fixture(scope="session")
def sign(ring: KeyRing) -> Callable[[Json], bytes]:
    """Signs any claims as a license of the vendor."""
    return lambda claims: ring.signer(Role.LICENSE).sign_token(claims, typ=TYP)


NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach, unlike ``tmp_path`` where root runs the tests."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    for folder in (made, *(Path(root, name) for root, names, _ in os.walk(made) for name in names)):
        folder.chmod(0o700)
    shutil.rmtree(made)


@pytest.fixture
def as_user(place: Path) -> Callable[[Callable[[], Any]], Any]:
    """Makes a call as the owner of ``place`` whom permission bits bind.

    They do not bind root, so root gives the place to nobody and becomes nobody in a child process.
    """
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")
    return _as_nobody(place) if os.geteuid() == 0 else lambda call: call()


def _as_nobody(place: Path) -> Callable[[Callable[[], Any]], Any]:
    def run(call: Callable[[], Any]) -> Any:
        try:
            for root, folders, files in os.walk(place):
                for path in (Path(root), *(Path(root, name) for name in (*folders, *files))):
                    os.chown(path, NOBODY, NOBODY)
        except OSError as error:
            pytest.skip(f"this root cannot give files away ({error.strerror})")
        answer, told = os.pipe()
        child = os.fork()
        if child == 0:
            _tell(told, call)
        os.close(told)
        with os.fdopen(answer, "rb") as pipe:
            worked, found = pickle.loads(pipe.read())
        os.waitpid(child, 0)
        assert worked, found
        return found

    return run


def _tell(told: int, call: Callable[[], Any]) -> None:
    """In the child: what the call returned, or how it failed."""
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        answer = True, call()
    except BaseException:  # noqa: BLE001 - it is told to the parent, whatever it is
        answer = False, traceback.format_exc()
    with os.fdopen(told, "wb") as pipe:
        pipe.write(pickle.dumps(answer))
    os._exit(0)
