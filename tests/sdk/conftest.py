from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server import keys
from ternary_license_server.keys import KeyRing
from ternary_sdk.documents.canonical import Json
from ternary_sdk.licensing.identity import PackageIdentity
from ternary_sdk.licensing.license import TYP
from ternary_sdk.licensing.trust import Role


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> KeyRing:
    """A vendor's keys, made once; no test may change them."""
    return keys.create(tmp_path_factory.mktemp("vendor") / "keys", "Acme Logic", now - timedelta(days=30))


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
