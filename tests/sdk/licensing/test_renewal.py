from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ternary_license_server.keys import keyset
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk import Model
from ternary_sdk._internal.licensing import clock, state
from ternary_sdk._internal.licensing.renewal import check_remembered, replacement
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import LicenseError, Reason, SignatureError


@pytest.fixture
def trust(ring: KeyRing, now: datetime) -> Callable[..., Trust]:
    """Makes the vendor's trust file with a key set and, where asked, a revocation list of any version."""

    def make(version: int, *, listed: int | None = None, licenses: Iterable[str] = (), day: int = 0) -> Trust:
        root = ring.signer(Role.ROOT)
        key_set = keyset.sign_key_set(
            root,
            vendor=ring.vendor,
            version=version,
            keys=ring.trust.keys.values(),
            revoked={},
            expires=None,
            now=now + timedelta(days=day),
        )
        if listed is None:
            return keyset.trust_file(root.public, key_set, None)
        key = ring.signer(Role.LICENSE)
        revocations = keyset.sign_revocations(
            key, vendor=ring.vendor, version=listed, licenses=licenses, now=now
        )
        return keyset.trust_file(root.public, key_set, revocations)

    return make


def refusal_of(current: Trust, offered: Trust) -> str:
    with pytest.raises(SignatureError) as refusal:
        replacement(current, offered)
    return str(refusal.value)


def test_newer_and_equal_files_are_accepted(trust: Callable[..., Trust]) -> None:
    current = trust(3, listed=5, licenses=["L-1"])
    for offered in (current, trust(4, listed=5, licenses=["L-1"]), trust(3, listed=6, licenses=["L-2"])):
        assert replacement(current, offered) is offered
    assert replacement(trust(3), current) is current


def test_older_key_set_is_refused(trust: Callable[..., Trust]) -> None:
    assert refusal_of(trust(3), trust(2)) == (
        "trust file: its key set has version 2, the current one 3; an older one never replaces a newer one"
    )


def test_second_key_set_of_one_version_is_refused(trust: Callable[..., Trust]) -> None:
    assert refusal_of(trust(3), trust(3, day=1)) == (
        "trust file: its key set differs from the current one of the same version 3; ask the vendor which "
        "is right"
    )


def test_older_revocation_list_is_refused_even_with_a_newer_key_set(trust: Callable[..., Trust]) -> None:
    assert refusal_of(trust(3, listed=5), trust(4, listed=4)) == (
        "trust file: its revocation list has version 4, the current one 5; an older one never replaces a "
        "newer one"
    )


def test_second_revocation_list_of_one_version_is_refused(trust: Callable[..., Trust]) -> None:
    assert refusal_of(trust(3, listed=5, licenses=["L-1"]), trust(3, listed=5)) == (
        "trust file: its revocation list differs from the current one of the same version 5; ask the "
        "vendor which is right"
    )


def test_dropped_revocation_list_is_refused(trust: Callable[..., Trust]) -> None:
    assert refusal_of(trust(3, listed=5), trust(4)) == (
        "trust file: it has no revocation list, the current one has version 5"
    )


def part(trust: Trust, chosen: Path) -> Path:
    return state.for_vendor(trust.root.kid, chosen)


@pytest.fixture
def remembered(trust: Callable[..., Trust], now: datetime, tmp_path: Path) -> Path:
    """The state of a user who relied on the third key set and the fifth list."""
    clock.remember(part(trust(3), tmp_path / "state"), trust(3, listed=5), now, signed=now)
    return tmp_path / "state"


def rollback(offered: Trust, directory: Path) -> str:
    with pytest.raises(LicenseError) as refusal:
        check_remembered(offered, directory)
    assert refusal.value.code is Reason.TRUST_ROLLBACK
    return str(refusal.value)


def test_same_and_newer_files_in_the_place_of_a_remembered_one_are_fine(
    trust: Callable[..., Trust], remembered: Path
) -> None:
    for offered in (trust(3, listed=5), trust(4, listed=5), trust(3, listed=6)):
        check_remembered(offered, remembered)


def test_older_file_put_in_the_place_of_a_remembered_one_is_refused(
    trust: Callable[..., Trust], remembered: Path
) -> None:
    assert rollback(trust(2, listed=5), remembered) == (
        "trust file: its key set has version 2, and version 3 was relied on here before; get the newest one "
        "from Acme Logic and run 'ternary trust update FILE'"
    )
    assert rollback(trust(3, listed=4), remembered) == (
        "trust file: its revocation list has version 4, and version 5 was relied on here before; get the "
        "newest one from Acme Logic and run 'ternary trust update FILE'"
    )
    assert rollback(trust(4), remembered) == (
        "trust file: its revocation list has no version at all, and version 5 was relied on here before; "
        "get the newest one from Acme Logic and run 'ternary trust update FILE'"
    )


def test_nothing_is_refused_where_nothing_is_remembered_or_can_be_read(
    trust: Callable[..., Trust], now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "state", tmp_path / "file" / "state"):
        check_remembered(trust(1), place)
    clock.remember(part(trust(1), tmp_path / "state"), trust(1), now, signed=now)
    assert not (tmp_path / "state").exists()


def test_older_file_does_not_lower_what_is_remembered(
    trust: Callable[..., Trust], remembered: Path, now: datetime
) -> None:
    clock.remember(part(trust(2), remembered), trust(2, listed=1), now, signed=now)
    rollback(trust(2, listed=5), remembered)


def test_model_is_not_opened_under_an_older_trust_file(
    shipped: bytes, vendor: KeyRing, now: datetime, tmp_path: Path
) -> None:
    clock.remember(part(vendor.trust, tmp_path), replace(vendor.trust, version=2), now, signed=now)
    with pytest.raises(LicenseError) as refusal:
        Model.open(shipped, trust=vendor.trust.data, state=tmp_path)
    assert refusal.value.code is Reason.TRUST_ROLLBACK


def test_another_root_is_refused(trust: Callable[..., Trust]) -> None:
    current, other = trust(3), SigningKey.generate().public
    assert refusal_of(current, replace(trust(4), root=other)) == (
        f"trust file: root is {other.kid}, the pinned one is {current.root.kid}; another root must be "
        "compared with the vendor's and pinned with 'ternary use'"
    )
