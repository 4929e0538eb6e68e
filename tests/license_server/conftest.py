from datetime import UTC, datetime
from pathlib import Path

import pytest

from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def ring(tmp_path: Path, now: datetime) -> KeyRing:
    """A vendor's keys, new for each test."""
    return keyring.create(tmp_path / "keys", "Acme", now)
