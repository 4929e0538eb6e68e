"""What a license may say of one deal: claims and features of the vendor's own, and a date of release."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ternary_license_server.keys.issue import issue, reissue
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import own_claims
from ternary_sdk._internal.licensing.license import License
from ternary_sdk.errors import InputError, LicenseError, Reason

Sign = Callable[[Json], bytes]
Claims = dict[str, Json]
DAY = timedelta(days=1)


@pytest.fixture
def made(ring: KeyRing, now: datetime, package: PackageIdentity) -> Callable[..., License]:
    """A license as it is issued with more terms."""

    def make(**terms: Any) -> License:
        token = issue(ring, package=package, customer="Initech", now=now, **terms)
        return License.read(token, ring.trust)

    return make


def asked(license: License, package: PackageIdentity, now: datetime, action: str = "sample") -> None:
    license.check(action, package=package, machine=lambda: "m-1", now=now)


def refused(call: Callable[[], object]) -> tuple[Reason, str]:
    with pytest.raises(LicenseError) as refusal:
        call()
    return refusal.value.code, str(refusal.value)


def test_own_claims_are_read_back_ascending(made: Callable[..., License]) -> None:
    assert made(own={"x-project": "alpha", "x-order": "PO-4711"}).claims == (
        ("x-order", "PO-4711"),
        ("x-project", "alpha"),
    )


@pytest.mark.parametrize(
    "claim", [{"x-order": 7}, {"x-": "a"}, {"X-order": "a"}, {"x-order": "a\nb"}, {"x-order": "a" * 201}]
)
def test_claims_of_another_form_are_passed_over(
    ring: KeyRing, sign: Sign, claims: Claims, claim: Claims
) -> None:
    assert License.read(sign(claims | claim), ring.trust).claims == ()


def test_own_claim_that_is_critical_is_refused(ring: KeyRing, sign: Sign, claims: Claims) -> None:
    critical: Claims = {"x-order": "a", "critical": ["x-order"]}
    code, sentence = refused(lambda: License.read(sign(claims | critical), ring.trust))
    assert (code, sentence) == (
        Reason.MALFORMED,
        "license.critical: 'x-order' is no claim that this SDK understands",
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["x-order"], "claim 'x-order': expected NAME=VALUE, such as x-order=PO-4711"),
        (["x-a=b", "x-a=c"], "claim x-a: is given twice"),
        (["x-a="], "claim x-a: '', expected one line of 1 to 200 printable characters"),
        (
            ["exp=never"],
            "claim 'exp': expected x- and then lowercase letters, digits and hyphens, 64 characters at most",
        ),
        ([f"x-{n}=a" for n in range(17)], "claims: 17 of the vendor's own, expected at most 16"),
    ],
)
def test_claims_that_no_license_may_have_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        own_claims.parse(texts)
    assert str(refusal.value) == message


def test_feature_is_allowed_where_the_license_lists_it(
    made: Callable[..., License], package: PackageIdentity, now: datetime
) -> None:
    license = made(entitlements=["sample", "x-export"], expires=now + DAY)
    assert (license.entitlements, license.features) == ({"sample"}, {"x-export"})
    assert license.entitled("x-export")
    asked(license, package, now, "x-export")
    assert refused(lambda: asked(license, package, now, "x-import")) == (
        Reason.ENTITLEMENT_MISSING,
        f"license {license.id} allows sample, x-export, not x-import; ask Acme Logic to add it",
    )
    assert refused(lambda: asked(license, package, now + 2 * DAY, "x-export"))[0] is Reason.EXPIRED


def test_package_is_covered_by_its_signed_date_whatever_the_clock_says(
    made: Callable[..., License], package: PackageIdentity, now: datetime
) -> None:
    end = now + DAY
    license = made(released_until=end)
    early, late = replace(package, released=end), replace(package, released=end + timedelta(seconds=1))
    for moment in (now, end + 3650 * DAY):
        asked(license, early, moment)
        assert refused(lambda moment=moment: asked(license, late, moment)) == (  # type: ignore[misc]
            Reason.VERSION_MISMATCH,
            f"license {license.id} is for packages released until 2026-03-02 12:00:00 UTC, acme 1.2.0 "
            "(sha256 abababababab…) was released on 2026-03-02 12:00:01 UTC; open an earlier version, or ask "
            "Acme Logic to renew it",
        )
    assert refused(lambda: asked(license, package, now))[0] is Reason.VERSION_MISMATCH
    assert license.ends_in(now) is None


def test_older_readers_are_made_to_refuse_the_date(
    ring: KeyRing, now: datetime, package: PackageIdentity
) -> None:
    token = issue(ring, package=package, customer="Initech", now=now, released_until=now + DAY)
    payload = base64url.decode(token.split(b".")[1].decode(), "claims")
    claims = canonical.decode(payload, "claims")
    assert isinstance(claims, dict)
    assert claims["critical"] == ["released_until"]


def test_reissue_moves_the_date_until_which_packages_were_released(
    ring: KeyRing, now: datetime, package: PackageIdentity
) -> None:
    token = issue(
        ring, package=package, customer="Initech", now=now, released_until=now + DAY, own={"x-order": "1"}
    )
    later = License.read(reissue(ring, token, now=now, expires=now + 3 * DAY), ring.trust)
    assert (later.expires, later.released_until, later.claims) == (None, now + 3 * DAY, (("x-order", "1"),))
    for_ever = License.read(reissue(ring, token, now=now, expires=None), ring.trust)
    assert (for_ever.expires, for_ever.released_until) == (None, None)
    with pytest.raises(InputError, match="expected a later end"):
        reissue(ring, token, now=now, expires=now + DAY)


def test_agreed_quota_is_below_what_may_be_returned(
    ring: KeyRing, sign: Sign, claims: Claims, made: Callable[..., License]
) -> None:
    assert made(unique_operations=60, agreed_operations=50).agreed_operations == 50
    for terms in ({"agreed_operations": 5}, {"agreed_operations": 5, "unique_operations": 5}):
        assert refused(lambda terms=terms: License.read(sign(claims | terms), ring.trust)) == (  # type: ignore[misc]
            Reason.MALFORMED,
            "license.agreed_operations: not below 'unique_operations'",
        )
