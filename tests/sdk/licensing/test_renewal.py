from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ternary_license_server import keyset
from ternary_license_server.keys import KeyRing
from ternary_license_server.signing import SigningKey
from ternary_sdk.errors import SignatureError
from ternary_sdk.licensing.renewal import replacement
from ternary_sdk.licensing.trust import Role, Trust


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


def test_another_root_is_refused(trust: Callable[..., Trust]) -> None:
    current, other = trust(3), SigningKey.generate().public
    assert refusal_of(current, replace(trust(4), root=other)) == (
        f"trust file: root is {other.kid}, the pinned one is {current.root.kid}; another root must be "
        "compared with the vendor's and pinned with 'ternary use'"
    )
