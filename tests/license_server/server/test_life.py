"""The life of a license, and who may change it."""

import base64
import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from ternary_license_server.database.schema import metadata
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online import state as online_state
from ternary_sdk.errors import LicenseError, Reason
from ternary_sdk.operations import OperationSet

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["type"]) == (answer.status_code, f"urn:ternary:problem:{told['code']}")
    return told["status"], told["code"], told["detail"]


def code_of(call):
    with pytest.raises(LicenseError) as refusal:
        call()
    return refusal.value.code


def test_expired_license_is_renewed_by_a_term_of_its_policy(site, tmp_path, now):
    license_id, key = site.sell(term=DAY)
    site.moment = now + 2 * DAY
    assert code_of(lambda: site.online(tmp_path).activate(key, site.moment)) is Reason.EXPIRED
    renewed = site.admin("POST", f"/licenses/{license_id}/renew", json={})
    assert renewed.json()["expires"] == int((now + 3 * DAY).timestamp())
    site.online(tmp_path).activate(key, site.moment)
    dated = int((now + 9 * DAY).timestamp())
    assert (
        site.admin("POST", f"/licenses/{license_id}/renew", json={"expires": dated}).json()["expires"]
        == dated
    )


def test_renewal_into_the_past_or_without_an_end_is_refused(site, now):
    license_id, _ = site.sell(term=None)
    past = {"expires": int((now - DAY).timestamp())}
    assert problem(site.admin("POST", f"/licenses/{license_id}/renew", json=past)) == (
        422, "INVALID",
        f"license {license_id}: 2026-02-28 12:00:00 UTC is no end in the next 100 years",
    )  # fmt: skip
    assert problem(site.admin("POST", f"/licenses/{license_id}/renew", json={})) == (
        409, "CONFLICT", f"license {license_id}: never ends; there is nothing to renew"
    )  # fmt: skip


def test_license_gets_a_larger_quota_and_more_seats_by_another_policy(site, new_client, now):
    license_id, key = site.sell(seats=1, unique_operations=2)
    held = new_client()
    site.activate(key, held)
    report(site, license_id, held, [1, 2, 3], now)
    assert code_of(lambda: site.renew(license_id, 1, held, now)) is Reason.QUOTA_EXHAUSTED
    assert code_of(lambda: site.activate(key, new_client())) is Reason.QUOTA_EXHAUSTED
    before = site.admin("GET", f"/licenses/{license_id}").json()
    site.sell(seats=2, unique_operations=100, term=DAY)
    larger = {"policy": f"policy-{site.policies}"}
    changed = site.admin("POST", f"/licenses/{license_id}/policy", json=larger).json()
    assert (changed["seats"], changed["unique_operations"], changed["policy"]) == (2, 100, larger["policy"])
    assert changed["expires"] == before["expires"]
    renewed = License.read(site.renew(license_id, 1, held, now)["license"].encode(), site.ring.trust)
    assert (renewed.unique_operations, renewed.seats) == (100, 2)
    site.activate(key, new_client())
    last = site.admin("GET", "/audit", params={"stream": license_id, "limit": 1000}).json()
    (row,) = [row for row in last if row["action"] == "license.policy"]
    assert json.loads(row["detail"]) == {"from": before["policy"], "to": larger["policy"]}


def test_policy_that_a_license_cannot_be_put_under_is_refused(site):
    license_id, _ = site.sell()
    trial_id, _ = site.sell(trial=True, term=DAY)
    trial = f"policy-{site.policies}"
    digest = (site.database.engine.dialect.name.encode().hex() * 64)[1:65]
    site.admin("POST", "/releases", json={"name": "other", "version": "1.0.0", "digest": digest})
    body = {"name": "others", "product": "other", "entitlements": ["sample"]}
    assert site.admin("POST", "/policies", json=body).status_code == 201

    def put(license_id, policy):
        return problem(site.admin("POST", f"/licenses/{license_id}/policy", json={"policy": policy}))

    stays = "a trial stays one; issue another license"
    assert put(license_id, trial) == (409, "CONFLICT", f"license {license_id}: {stays}")
    assert put(trial_id, "policy-1") == (409, "CONFLICT", f"license {trial_id}: {stays}")
    why = f"license {license_id}: is for acme, policy others for other"
    assert put(license_id, "others") == (409, "CONFLICT", why)
    assert put(license_id, "none") == (404, "UNKNOWN", "policy none: there is none of this name")
    site.admin("POST", f"/licenses/{license_id}/revoke")
    assert put(license_id, "policy-1")[:2] == (409, "CONFLICT")


def test_revoked_license_stays_revoked(site, tmp_path, now):
    license_id, key = site.sell()
    assert site.admin("POST", f"/licenses/{license_id}/revoke").json()["state"] == "revoked"
    assert code_of(lambda: site.online(tmp_path).activate(key, now)) is Reason.REVOKED
    for step in ("suspend", "reinstate", "revoke"):
        status, code, _ = problem(site.admin("POST", f"/licenses/{license_id}/{step}"))
        assert (status, code) == (409, "CONFLICT")
    assert problem(site.admin("POST", f"/licenses/{license_id}/renew", json={})) == (
        409, "CONFLICT", f"license {license_id}: is revoked, for good; issue another"
    )  # fmt: skip


def test_transfer_gives_another_key_and_seats_stay_taken_until_they_end(site, tmp_path, now):
    license_id, key = site.sell(seats=1)
    old, new = site.online(tmp_path / "old"), site.online(tmp_path / "new")
    old.activate(key, now)
    other = site.admin("POST", "/customers", json={"name": "Globex"}).json()["id"]
    moved = site.admin("POST", f"/licenses/{license_id}/transfer", json={"customer": other}).json()
    assert (moved["customer"], moved["customer_name"]) == (other, "Globex")
    assert code_of(lambda: old.renew(license_id, now)) is Reason.LEASE_LOST
    assert code_of(lambda: old.activate(key, now)) is Reason.NOT_FOUND
    assert code_of(lambda: new.activate(moved["key"], now)) is Reason.TOO_MANY_MACHINES
    site.moment = now + 2 * HOUR
    new.activate(moved["key"], site.moment)
    data = online_state.license_file(site.kept(tmp_path / "new"), license_id).read_bytes()
    assert License.read(data, site.ring.trust).customer == "Globex"


def test_customer_has_one_trial_of_a_product(site):
    customer = site.admin("POST", "/customers", json={"name": "Initech"}).json()["id"]
    body = {"name": "trial", "product": "acme", "term": 86_400, "entitlements": ["sample"], "trial": True}
    assert site.admin("POST", "/policies", json=body).status_code in (201, 409)
    wanted = {"customer": customer, "policy": "trial"}
    assert site.admin("POST", "/licenses", json=wanted).status_code == 201
    assert problem(site.admin("POST", "/licenses", json=wanted)) == (
        409, "CONFLICT", f"customer {customer}: had a trial of acme before; issue a license"
    )  # fmt: skip


def test_new_release_reaches_licenses_at_their_next_renewal_with_its_sealed_key(site, tmp_path, now):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    here.activate(key, now)
    secret = base64.b64encode(bytes(range(32))).decode()
    digest = (site.database.engine.dialect.name.encode().hex() * 64)[:64]
    body = {"name": "acme", "version": "7.0.0", "digest": digest, "content_key": secret}
    told = site.admin("POST", "/releases", json=body)
    assert told.json() == {
        "product": "acme",
        "version": "7.0.0",
        "digest": digest,
        "encrypted": True,
        "released": int(now.timestamp()),
        "created": int(now.timestamp()),
    }
    here.renew(license_id, now)
    data = online_state.license_file(site.kept(tmp_path), license_id).read_bytes()
    license = License.read(data, site.ring.trust)
    sealed = next(entry for entry in license.content_keys if entry.digest == digest)
    assert sealed.open(installation.find(site.kept(tmp_path))) == bytes(range(32))
    assert problem(site.admin("POST", "/releases", json=body))[:2] == (409, "CONFLICT")


def test_same_idempotency_key_gives_the_same_answer_and_one_effect(site):
    headers = {"Idempotency-Key": "once-and-only"}
    first = site.admin("POST", "/customers", json={"name": "Initech"}, headers=headers)
    again = site.admin("POST", "/customers", json={"name": "Initech"}, headers=headers)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    other = site.admin("POST", "/customers", json={"name": "Globex"}, headers=headers)
    assert problem(other) == (
        422, "IDEMPOTENCY_MISMATCH",
        "idempotency key 'once-and-only': it was used for another request before",
    )  # fmt: skip


def token_for(site, scope, days=1):
    end = int((site.moment + timedelta(days=days)).timestamp())
    made = site.admin("POST", "/tokens", json={"name": "t", "scope": scope, "expires": end})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("auditor", {"/audit/verify"}), ("issuer", {"/audit/verify", "/customers"}),
     ("admin", {"/audit/verify", "/customers", "/tokens"})],
)  # fmt: skip
def test_token_reaches_as_far_as_its_scope(site, scope, allowed):
    headers = {"Authorization": f"Bearer {token_for(site, scope)['secret']}"}
    reached = set()
    for method, path, body in (
        ("GET", "/audit/verify", None),
        ("POST", "/customers", {"name": "x"}),
        ("GET", "/tokens", None),
    ):
        answer = site.admin(method, path, json=body, headers=headers)
        if answer.status_code < 300:
            reached.add(path)
        else:
            assert problem(answer)[:2] == (403, "FORBIDDEN")
    assert reached == allowed


def test_expired_revoked_unknown_and_missing_tokens_are_refused_alike(site, now):
    made = token_for(site, "admin")
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert site.admin("GET", "/tokens", headers=headers).status_code == 200
    site.moment = now + DAY
    expected = (401, "UNAUTHENTICATED", "token: unknown, expired or revoked")
    assert problem(site.admin("GET", "/tokens", headers=headers)) == expected
    site.moment = now
    site.admin("POST", f"/tokens/{made['id']}/revoke")
    assert problem(site.admin("GET", "/tokens", headers=headers)) == expected
    assert problem(site.admin("GET", "/tokens", headers={"Authorization": "Bearer x"})) == expected
    assert problem(site.admin("GET", "/tokens", headers={"Authorization": "Basic x"}))[1] == "UNAUTHENTICATED"
    assert made["secret"] not in site.admin("GET", "/tokens").text


def report(site, license_id, held: Installation, operations, moment):
    document = site.usage_1(license_id, held, operations, moment)
    return site.http("POST", "/v1/usage", content=document)


def test_reports_merge_by_union_whatever_their_order(site, new_client, now):
    license_id, key = site.sell(seats=2, unique_operations=10)
    one, two = new_client(), new_client()
    for held in (one, two):
        site.activate(key, held)
    later = report(site, license_id, one, [1, 2, 3], now)
    assert later.json() == {
        "id": license_id, "lease": None, "space": "3,2", "late": False, "added": 3, "operations": 3,
        "all_spaces": 3, "quota": 10, "lost": 0, "restarted": False,
        "acknowledged": {"operations": 3, "sha256": OperationSet.of([1, 2, 3]).digest},
    }  # fmt: skip
    assert report(site, license_id, one, [1, 2], now - HOUR).json()["lost"] == 0
    assert report(site, license_id, two, [3, 4], now).json()["added"] == 1
    assert report(site, license_id, two, [3, 4], now).json()["added"] == 1
    again = report(site, license_id, two, [3, 4], now + HOUR).json()
    assert (again["added"], again["operations"], again["quota"], again["lost"]) == (0, 4, 10, 0)


def test_report_that_lost_operations_is_flagged_and_bills_nothing_less(site, new_client, now):
    license_id, key = site.sell()
    held = new_client()
    site.activate(key, held)
    report(site, license_id, held, [1, 2, 3], now)
    told = report(site, license_id, held, [3, 4], now + HOUR).json()
    assert (told["added"], told["operations"], told["quota"], told["lost"]) == (1, 4, None, 2)
    query = f"/usage?start=0&end={int((now + DAY).timestamp())}&license_id={license_id}"
    told = site.admin("GET", query).json()
    assert [(flag["installation"], flag["lost"]) for flag in told["flagged"]] == [(held.kid, 2)]


def test_flags_are_the_asked_customers_in_the_asked_period(site, new_client, now):
    (mine, key), (theirs, other_key) = site.sell(), site.sell()
    held, other = new_client(), new_client()
    site.activate(key, held)
    site.activate(other_key, other)
    for license_id, machine in ((mine, held), (theirs, other)):
        report(site, license_id, machine, [1, 2, 3], now)
        for lacking in ([1], [1, 2]):
            report(site, license_id, machine, lacking, now + HOUR)
    me, them = (site.admin("GET", f"/licenses/{one}").json()["customer"] for one in (mine, theirs))

    def flagged(first, last, **asked):
        period = {"start": int((now + first * DAY).timestamp()), "end": int((now + last * DAY).timestamp())}
        return site.admin("GET", "/usage", params=period | asked).json()["flagged"]

    moment = int(now.timestamp())
    flag = {"license": mine, "installation": held.kid, "customer": me, "lost": 2, "received": moment}
    flag |= {"space": "3,2", "restarted": False}
    assert flagged(0, 1, customer=me) == flagged(0, 1, license_id=mine) == [flag]
    assert [one["license"] for one in flagged(0, 1, customer=them)] == [theirs]
    assert flagged(0, 1, customer=them, license_id=mine) == []
    assert flagged(1, 2, customer=me) == flagged(-1, 0, customer=me) == []
    other_owner = site.admin("POST", f"/licenses/{mine}/transfer", json={"customer": them})
    assert other_owner.status_code == 200
    assert flagged(0, 1, customer=me) == [flag]
    assert [one["license"] for one in flagged(0, 1, customer=them)] == [theirs]


def test_report_of_a_stranger_is_refused(site, new_client, now):
    license_id, key = site.sell()
    site.activate(key, new_client())
    stranger = new_client()
    assert problem(report(site, license_id, stranger, [1], now)) == (
        404, "NOT_FOUND", f"license {license_id}: this server knows no such license"
    )  # fmt: skip


def test_periods_add_up_to_the_whole(site, new_client, now):
    license_id, key = site.sell(unique_operations=8)
    held = new_client()
    site.activate(key, held)
    totals = []
    for day, operations in enumerate(([1, 2], [1, 2, 3], [1, 2, 3, 4, 5])):
        site.moment = now + day * DAY
        report(site, license_id, held, operations, site.moment)
        start, end = (int((now + (day + part) * DAY).timestamp()) for part in (0, 1))
        query = f"?start={start}&end={end}&license_id={license_id}"
        (line,) = site.admin("GET", f"/usage{query}").json()["lines"]
        (row,) = csv.DictReader(io.StringIO(site.admin("GET", f"/usage.csv{query}").text))
        assert {name: str(value) for name, value in line.items() if name != "customer_name"} == row
        totals.append((line["operations"], line["total"], line["share_of_quota"]))
    assert totals == [(2, 2, "0.250000"), (1, 3, "0.375000"), (2, 5, "0.625000")]


def test_customers_licenses_are_merged_by_union_in_each_period(site, new_client, now):
    (one, _), (two, two_key) = site.sell(), site.sell()
    them, me = (site.admin("GET", f"/licenses/{license_id}").json()["customer"] for license_id in (one, two))
    held = new_client()
    site.activate(two_key, held)
    key = site.admin("POST", f"/licenses/{one}/transfer", json={"customer": me}).json()["key"]
    site.activate(key, held)

    def together(day, **asked):
        start = int((now + day * DAY).timestamp())
        period = {"start": start, "end": start + 86_400}
        return site.admin("GET", "/usage", params=period | asked).json()["customers"]

    reports = ((one, [1, 2, 3]), (two, [3, 4])), ((one, [1, 2, 3, 4]), (two, [1, 3, 4, 5]))
    for day, of_day in enumerate(reports):
        site.moment = now + day * DAY
        for license_id, operations in of_day:
            report(site, license_id, held, operations, site.moment)
    first = {"customer": me, "space": "3,2", "operations": 4, "taken_back": 0, "total": 4}
    first["share_of_space"] = "0.000203"
    assert together(0, customer=me) == [first]
    assert together(1, customer=me) == [first | {"operations": 1, "total": 5, "share_of_space": "0.000254"}]
    assert together(1, license_id=two) == [first | {"operations": 2}]
    assert together(2, customer=me) == together(0, customer=them) == []


def test_standing_of_a_hold_is_told_without_changing_it(site, new_client, now):
    license_id, key = site.sell()
    held = new_client()
    answer = site.activate(key, held)

    def ask(license_id=license_id, held=held, generation=1):
        question = site.asking(online_request.standing, license_id, generation, held, site.moment)
        return site.http("POST", "/v1/standing", content=question)

    assert ask().json() == {"id": license_id, "generation": 1, "ends": answer["ends"], "code": "VALID"}
    assert problem(ask(license_id="L-0"))[:2] == (404, "NOT_FOUND")
    assert problem(ask(generation=2))[:2] == (409, "LEASE_LOST")
    site.moment = now + 2 * HOUR
    assert problem(ask())[:2] == (409, "LEASE_LOST")
    site.admin("POST", f"/licenses/{license_id}/suspend")
    assert problem(ask())[:2] == (403, "SUSPENDED")


def test_standing_is_told_only_to_the_installation_that_signs_now(site, new_client, now):
    license_id, key = site.sell()
    held, stranger = new_client(), new_client()
    site.activate(key, held)
    vendor = site.ring.trust.root.kid
    asked = canonical.decode(
        online_request.standing(license_id, "S-1", 1, vendor=vendor, held=stranger, now=now), "request"
    )
    named = canonical.encode(asked | {"key": held.public.jwk})
    assert problem(site.http("POST", "/v1/standing", content=named)) == (
        400, "SIGNATURE_INVALID", f"request: signed by key {stranger.kid}, it names {held.kid}"
    )  # fmt: skip
    old = site.asking(online_request.standing, license_id, 1, held, now - 6 * MINUTE)
    assert problem(site.http("POST", "/v1/standing", content=old))[:2] == (400, "STALE_REQUEST")
    renewal = site.asking(online_request.renew, license_id, 1, held, now)
    assert problem(site.http("POST", "/v1/standing", content=renewal)) == (
        400, "MALFORMED", "request.action: 'renew' is not asked for at this address"
    )  # fmt: skip


def test_database_alone_gives_no_key_and_no_token_away(site):
    customer = site.admin("POST", "/customers", json={"name": "Initech"}).json()["id"]
    _, _ = site.sell()
    wanted = {"customer": customer, "policy": f"policy-{site.policies}"}
    sold = site.admin("POST", "/licenses", json=wanted).json()["key"]
    secret = token_for(site, "auditor")["secret"]
    with site.database.read() as transaction:
        kept = " ".join(
            str(value)
            for table in metadata.sorted_tables
            for row in transaction.execute(select(table))
            for value in row
        )
    assert customer in kept
    for told_once in (sold, secret, site.token):
        assert told_once not in kept
