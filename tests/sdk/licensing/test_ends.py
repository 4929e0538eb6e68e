from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.ends import End, near
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import InputError

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ASK = "ask Acme Logic to renew it"


@pytest.fixture
def license(ring: KeyRing, sign: Callable[[Json], bytes], claims: dict[str, Json]) -> License:
    return License.read(sign(claims), ring.trust)


@pytest.fixture
def trust(ring: KeyRing) -> Trust:
    return ring.trust


def test_a_license_that_never_ends_is_never_near_its_end(
    license: License, trust: Trust, now: datetime
) -> None:
    assert license.ends_in(now) is None
    assert not license.ends_soon(now, timedelta(days=36_500))
    assert near(license, trust, now, timedelta(days=36_500)) == ()


@pytest.mark.parametrize(
    ("left", "soon"),
    [(31 * DAY, False), (30 * DAY + HOUR, False), (30 * DAY, True), (HOUR, True), (-HOUR, True)],
)
def test_a_license_is_near_its_end_from_thirty_days_before(
    license: License, trust: Trust, now: datetime, left: timedelta, soon: bool
) -> None:
    ending = replace(license, expires=now + left)
    assert ending.ends_in(now) == left
    assert ending.ends_soon(now) is soon
    told = (End(what="license", at=now + left, remedy=ASK),) if soon and left > timedelta(0) else ()
    assert near(ending, trust, now, 30 * DAY) == told


def test_how_near_is_the_callers_to_say(license: License, now: datetime) -> None:
    ending = replace(license, expires=now + 12 * DAY)
    assert ending.ends_soon(now, 12 * DAY)
    assert not ending.ends_soon(now, 11 * DAY)


def test_a_lease_that_is_renewed_in_time_is_not_near_its_end_and_its_grace_is(
    license: License, trust: Trust, now: datetime
) -> None:
    leased = replace(license, expires=now + 2 * DAY, grace_from=now + HOUR, lease="S-1", bound_to="k")
    assert not leased.ends_soon(now)
    assert near(leased, trust, now, 30 * DAY) == ()
    late = now + HOUR
    assert leased.ends_soon(late, timedelta(0))
    assert near(leased, trust, late, timedelta(0)) == (
        End(what="grace", at=now + 2 * DAY, remedy="run 'ternary renew'"),
    )


def test_a_lease_without_grace_ends_as_it_says(license: License, trust: Trust, now: datetime) -> None:
    leased = replace(license, expires=now + 2 * DAY, lease="S-1", bound_to="k")
    remedy = "run 'ternary renew', or if it came as a file, 'ternary activate' again"
    assert near(leased, trust, now, 3 * DAY) == (End(what="lease", at=now + 2 * DAY, remedy=remedy),)


def test_the_nearest_end_is_told_first(license: License, trust: Trust, now: datetime) -> None:
    ending, set_ends = replace(license, expires=now + 12 * DAY), replace(trust, expires=now + 3 * DAY)
    newer = "get the newer trust file of Acme Logic and run 'ternary trust update FILE'"
    assert near(ending, set_ends, now, 30 * DAY) == (
        End(what="key set", at=now + 3 * DAY, remedy=newer),
        End(what="license", at=now + 12 * DAY, remedy=ASK),
    )
    assert near(ending, set_ends, now + 3 * DAY, 30 * DAY)[0].what == "license"
    assert near(ending, set_ends, now, 2 * DAY) == ()


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (13 * DAY - timedelta(seconds=1), "in 12 days, on 2026-03-14"),
        (2 * DAY, "in 2 days, on 2026-03-03"),
        (2 * DAY - timedelta(seconds=1), "in 47 hours, on 2026-03-03 11:59 UTC"),
        (HOUR, "in 1 hour, on 2026-03-01 13:00 UTC"),
        (HOUR - timedelta(seconds=1), "in less than an hour, on 2026-03-01 12:59 UTC"),
    ],
)
def test_what_is_left_is_rounded_down(now: datetime, left: timedelta, words: str) -> None:
    assert End(what="license", at=now + left, remedy=ASK).words(now) == words


@pytest.mark.parametrize("ask", [License.ends_in, License.ends_soon, License.in_grace])
def test_a_moment_without_a_time_zone_is_refused(
    license: License, now: datetime, ask: Callable[[License, datetime], object]
) -> None:
    with pytest.raises(InputError) as refusal:
        ask(license, now.replace(tzinfo=None))
    assert str(refusal.value) == "now: 2026-03-01T12:00:00 has no time zone, expected UTC"
