"""Grace, word by word: whose it is, how long, from what on, and what ends it."""

from datetime import timedelta

import httpx
import pytest

from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation, mark
from ternary_sdk._internal.licensing.license import TOLERANCE, License
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online import state as online_state
from ternary_sdk._internal.online.client import LicenseServer
from ternary_sdk.errors import LicenseError, Reason, ServerError, SignatureError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)


@pytest.fixture
def activated(site, tmp_path, now):
    """Sells a license by a policy and activates it here; gives its id and the license's bytes."""

    def activate(**policy):
        license_id, key = site.sell(**policy)
        site.online(tmp_path).activate(key, now)
        return license_id, online_state.license_file(site.kept(tmp_path), license_id).read_bytes()

    return activate


@pytest.fixture
def process(site, tmp_path):
    """A new process that has these bytes as its license."""

    def begin(data):
        trust = site.ring.trust
        return Permit(License.read(data, trust), PACKAGE, trust, state=tmp_path)

    return begin


def cut_off(site, directory):
    def gone(request):
        raise httpx.ConnectError("connection refused")

    transport = httpx.MockTransport(gone)
    return LicenseServer("http://127.0.0.1", site.ring.trust, state=directory, transport=transport)


def refused(call, kind=LicenseError):
    with pytest.raises(kind) as refusal:
        call()
    return refusal.value


def test_its_terms_are_in_the_license_and_are_the_policys(site, activated, now):
    _, data = activated(lease=HOUR, grace=DAY)
    license = License.read(data, site.ring.trust)
    assert license.bound_to is not None
    assert license.grace_from == now + HOUR
    assert license.expires == now + HOUR + DAY - TOLERANCE


def test_policy_without_grace_and_offline_license_have_none(site, activated, tmp_path, now):
    _, data = activated(lease=HOUR, grace=timedelta(0))
    assert License.read(data, site.ring.trust).grace_from is None
    license_id, key = site.sell(offline=30 * DAY)
    held = installation.find(site.kept(tmp_path))
    vendor = site.ring.trust.root.kid
    asked = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None, offline=True)
    answer = site.online(tmp_path / "carrier").carry(asked, now)
    online_state.accept(answer, site.ring.trust, held, server=None)
    offline = online_state.license_file(site.kept(tmp_path), license_id).read_bytes()
    assert License.read(offline, site.ring.trust).grace_from is None


def test_license_that_ends_before_its_renewal_is_due_has_none(site, activated):
    _, data = activated(lease=2 * DAY, grace=DAY, term=DAY)
    assert License.read(data, site.ring.trust).grace_from is None


def test_blocking_the_server_moves_neither_its_beginning_nor_its_end(site, activated, process, tmp_path, now):
    license_id, data = activated(lease=HOUR, grace=HOUR)
    running = process(data)
    for minutes in (0, 59, 60, 119):
        moment = now + timedelta(minutes=minutes)
        running.allow("sample", moment)
        refused(lambda moment=moment: cut_off(site, tmp_path).renew(license_id, moment), ServerError)
        assert online_state.license_file(site.kept(tmp_path), license_id).read_bytes() == data
        assert running.license.in_grace(moment) is (minutes >= 60)
    over = now + 2 * HOUR
    for permit in (running, process(data)):
        refusal = refused(lambda permit=permit: permit.allow("sample", over))
        assert (refusal.code, str(refusal)) == (
            Reason.HEARTBEAT_DEAD,
            f"license {license_id} was not renewed since 2026-03-01 12:00:00 UTC, and its grace ended on "
            "2026-03-01 13:55:00 UTC (now 2026-03-01 14:00:00 UTC); run 'ternary activate' again",
        )
    assert refused(lambda: process(data).allow("sample", now)).code is Reason.CLOCK_ROLLBACK


def test_success_alone_moves_it(site, activated, process, tmp_path, now):
    license_id, _ = activated(lease=HOUR, grace=HOUR)
    site.moment = now + 90 * timedelta(minutes=1)
    site.online(tmp_path).renew(license_id, site.moment)
    renewed = process(online_state.license_file(site.kept(tmp_path), license_id).read_bytes())
    assert not renewed.license.in_grace(site.moment)
    renewed.allow("sample", now + 3 * HOUR)


def test_signed_denial_ends_running_processes_restarts_and_copies(site, activated, process, tmp_path, now):
    license_id, data = activated()
    running = process(data)
    running.allow("sample", now)
    assert site.admin("POST", f"/licenses/{license_id}/suspend").status_code == 200
    assert refused(lambda: site.online(tmp_path).renew(license_id, now)).code is Reason.SUSPENDED
    for permit in (running, process(data)):
        refusal = refused(lambda permit=permit: permit.allow("sample", now))
        assert (refusal.code, str(refusal)) == (
            Reason.SUSPENDED,
            f"license {license_id}: Acme Logic's license server denied it; ask Acme Logic, then run "
            "'ternary renew'",
        )
    refused(lambda: cut_off(site, tmp_path).renew(license_id, now), ServerError)
    assert refused(lambda: process(data).allow("sample", now)).code is Reason.SUSPENDED
    assert site.admin("POST", f"/licenses/{license_id}/reinstate").status_code == 200
    site.online(tmp_path).renew(license_id, now)
    process(online_state.license_file(site.kept(tmp_path), license_id).read_bytes()).allow("sample", now)


def test_denial_outlives_the_removal_of_its_memory(site, activated, process, tmp_path, now):
    license_id, data = activated()
    site.admin("POST", f"/licenses/{license_id}/suspend")
    refused(lambda: site.online(tmp_path).standing(license_id, now))
    mark.mark_file(installation.find(site.kept(tmp_path))).unlink()
    assert refused(lambda: process(data).allow("sample", now)).code is Reason.CLOCK_ROLLBACK
    (site.kept(tmp_path) / installation.FILE).unlink()
    assert refused(lambda: process(data).allow("sample", now)).code is Reason.MACHINE_MISMATCH


def test_denial_that_is_not_signed_ends_nothing(site, activated, process, tmp_path, now):
    license_id, data = activated()
    problem = b'{"code":"SUSPENDED","detail":"no","status":403,"title":"no","type":"about:blank"}'
    forged = httpx.MockTransport(lambda request: httpx.Response(403, content=problem))
    here = LicenseServer("http://127.0.0.1", site.ring.trust, state=tmp_path, transport=forged)
    refused(lambda: here.renew(license_id, now), SignatureError)
    process(data).allow("sample", now)
    assert online_state.license_file(site.kept(tmp_path), license_id).read_bytes() == data


def test_copy_of_a_license_that_was_given_back_is_refused(site, activated, process, tmp_path, now):
    license_id, data = activated()
    running = process(data)
    running.allow("sample", now)
    site.online(tmp_path).deactivate(license_id, now)
    for permit in (running, process(data)):
        refusal = refused(lambda permit=permit: permit.allow("sample", now))
        assert (refusal.code, str(refusal)) == (
            Reason.LEASE_LOST,
            f"license {license_id}: this machine's seat was lost or given back; run 'ternary activate' again",
        )


def test_seat_taken_again_within_the_second_holds(site, process, tmp_path, now):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    for _ in range(2):
        here.activate(key, now)
        process(online_state.license_file(site.kept(tmp_path), license_id).read_bytes()).allow("sample", now)
        here.deactivate(license_id, now)


def test_policy_cannot_grant_more_than_the_ceiling(site):
    site.sell(grace=90 * DAY)
    refusal = refused(lambda: site.sell(grace=90 * DAY + timedelta(seconds=1)), ServiceError)
    assert str(refusal).endswith(": grace: expected 0 to 90 days")
