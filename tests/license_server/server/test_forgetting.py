"""How long an answer is given again, and what happens to a request that is repeated later still."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from ternary_license_server.database.schema import answered, customers
from ternary_license_server.service import catalog
from ternary_license_server.service.once import FORGOTTEN, REMEMBERED, once
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.settings import Settings
from ternary_sdk._internal.online import request as online_request
from ternary_sdk.errors import InputError

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
PRUNING, KEEPING = "key-0006", "key-0001"
"""Keys whose hashes begin with 0, which removes old rows, and with another digit."""


def add_customer(shop, key, now, request=b"new customer"):
    done = once(
        shop.at(now),
        principal="T-1",
        key=key,
        request=request,
        secret=b"the token",
        work=lambda transaction: catalog.add_customer(transaction, "Initech", actor="T-1"),
    )
    return json.loads(done.body)["id"], done.repeated


def count(shop, table):
    with shop.database.read() as transaction:
        return transaction.execute(select(func.count()).select_from(table)).scalar_one()


def test_answer_is_given_again_for_31_days_and_the_key_is_new_from_then_on(new_shop, now):
    first, _ = add_customer(new_shop, KEEPING, now)
    assert add_customer(new_shop, KEEPING, now + REMEMBERED - SECOND) == (first, True)
    with pytest.raises(ServiceError) as refused:
        add_customer(new_shop, KEEPING, now + REMEMBERED - SECOND, b"another request")
    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    second, repeated = add_customer(new_shop, KEEPING, now + REMEMBERED, b"another request")
    assert (second != first, repeated, count(new_shop, customers)) == (True, False, 2)
    again = add_customer(new_shop, KEEPING, now + 2 * REMEMBERED - SECOND, b"another request")
    assert again == (second, True)


def test_change_removes_old_answers_and_no_younger_ones(new_shop, now):
    row = {"principal": "T-1", "request": "", "status": 200, "body": ""}
    ages = {"old": REMEMBERED, "older": REMEMBERED + DAY, "young": REMEMBERED - SECOND}
    with new_shop.database.write() as transaction:
        for name, age in ages.items():
            transaction.execute(
                insert(answered), row | {"key": name, "created": int((now - age).timestamp())}
            )
    add_customer(new_shop, KEEPING, now)
    assert count(new_shop, answered) == 4
    add_customer(new_shop, PRUNING, now)
    with new_shop.database.read() as transaction:
        left = set(transaction.execute(select(answered.c.key)).scalars())
    assert {"old", "older"} & left == set()
    assert ("young" in left, len(left)) == (True, 3)


def test_one_change_removes_only_so_many_the_oldest_first(new_shop, now):
    oldest = int((now - 2 * REMEMBERED).timestamp())
    row = {"principal": "T-1", "request": "", "status": 200, "body": ""}
    rows = [row | {"key": f"k{age}", "created": oldest + age} for age in range(FORGOTTEN + 5)]
    with new_shop.database.write() as transaction:
        transaction.execute(insert(answered), rows)
    add_customer(new_shop, PRUNING, now)
    with new_shop.database.read() as transaction:
        left = set(transaction.execute(select(answered.c.key).where(answered.c.key.like("k%"))).scalars())
    assert left == {f"k{age}" for age in range(FORGOTTEN, FORGOTTEN + 5)}


def test_refused_change_forgets_nothing(new_shop, now):
    add_customer(new_shop, KEEPING, now)

    def refuse(transaction):
        raise ServiceError(Code.INVALID, "no")

    with pytest.raises(ServiceError):
        once(
            new_shop.at(now + REMEMBERED), principal="T-1", key=PRUNING, request=b"", secret=b"", work=refuse
        )
    assert count(new_shop, answered) == 1


@pytest.mark.parametrize("carried", [False, True])
def test_clients_request_outlives_no_forgotten_answer(new_shop, new_client, now, carried):
    _, key = new_shop.sell(seats=1, offline=30 * DAY)
    held, vendor = new_client(), new_shop.ring.trust.root.kid
    document = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None, offline=carried)
    first = new_shop.ask(document, now, carried=carried)
    assert new_shop.ask(document, now + REMEMBERED - SECOND, carried=carried) == first
    with pytest.raises(ServiceError) as refused:
        new_shop.ask(document, now + REMEMBERED, carried=carried)
    assert refused.value.code is Code.STALE_REQUEST


@pytest.mark.parametrize("days", [31, 40])
def test_forgotten_usage_report_adds_nothing_when_it_comes_again(
    make_site, vendor_keys, new_client, kind, now, days
):
    site = make_site(kind, vendor_keys, remember=days)
    license_id, key = site.sell()
    held = new_client()
    site.activate(key, held)
    document = site.usage(license_id, held, [1, 2], now)
    told = []
    for moment in (now, now + days * DAY - SECOND, now + days * DAY):
        site.moment = moment
        told.append(site.http("POST", "/v1/usage", content=document).json())
    assert [report["added"] for report in told] == [2, 2, 0]
    assert {(report["operations"], report["lost"]) for report in told} == {(2, 0)}


def test_repeated_usage_report_is_answered_the_same_whatever_came_between(
    make_site, vendor_keys, new_client, kind, now
):
    site = make_site(kind, vendor_keys)
    license_id, key = site.sell(seats=2)
    one, two = new_client(), new_client()
    for held in (one, two):
        site.activate(key, held)
    first = site.usage(license_id, one, [1, 2], now)
    between = site.usage(license_id, two, [2, 3], now)
    came, _, again = (site.http("POST", "/v1/usage", content=report) for report in (first, between, first))
    assert (again.status_code, again.content) == (came.status_code, came.content)
    assert (came.json()["added"], came.json()["operations"], came.json()["lost"]) == (2, 2, 0)
    told = site.admin("GET", "/audit", params={"stream": license_id, "limit": 100}).json()
    assert [row["action"] for row in told].count("usage.report") == 2


def test_answers_must_be_kept_longer_than_a_carried_request_is_accepted(vendor_keys):
    wanted = {"TERNARY_SERVER_KEYS": str(vendor_keys.directory), "TERNARY_SERVER_REMEMBER": "30"}
    with pytest.raises(InputError) as refused:
        Settings.read(wanted)
    assert str(refused.value) == "TERNARY_SERVER_REMEMBER: '30', expected a number from 31 to 3650"
    assert Settings.read(wanted | {"TERNARY_SERVER_REMEMBER": "31"}).remember == 31
