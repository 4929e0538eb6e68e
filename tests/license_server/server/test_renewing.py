"""Renewals: done once for each request, kept as one compact row, answered again from it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from ternary_license_server.database.schema import answered, leases
from ternary_license_server.database.schema import audit as rows
from ternary_license_server.service import audit, auditing, life
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk._internal.online import request as online_request
from ternary_sdk.errors import LicenseError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def held(new_shop, new_client):
    """A shop, a license of it, and an installation that has a seat."""
    license_id, key = new_shop.sell(seats=3)
    client = new_client()
    new_shop.activate(key, client, machine="m-" + "0" * 32)
    return new_shop, license_id, client


def renewals(shop, license_id):
    with shop.database.read() as transaction:
        mine = rows.c.stream == license_id
        found = transaction.execute(select(rows).where(mine, rows.c.action == "lease.renew"))
        return list(found.mappings())


def whole(shop, license_id):
    """The rows of a license as the log is read, and what is wrong with the log."""
    with shop.database.read() as transaction:
        return audit.entries(transaction, license_id), list(auditing.faults(transaction))


def ends(shop, license_id):
    with shop.database.read() as transaction:
        return transaction.execute(select(leases.c.ends).where(leases.c.license == license_id)).scalar_one()


def asking(shop, license_id, client, now):
    return shop.asking(online_request.renew, license_id, 1, client, now)


def test_repeated_renewal_is_answered_the_same_and_nothing_moves(held, now):
    shop, license_id, client = held
    document = asking(shop, license_id, client, now + MINUTE)
    first = shop.ask(document, now + MINUTE)
    before = ends(shop, license_id), whole(shop, license_id)
    assert shop.ask(document, now + 3 * MINUTE) == first
    assert (ends(shop, license_id), whole(shop, license_id)) == before
    with shop.database.read() as transaction:
        kept = select(func.count()).select_from(answered).where(answered.c.principal == client.kid)
        assert transaction.execute(kept).scalar_one() == 1  # the activation's


def test_earlier_renewal_that_comes_again_after_later_ones_is_answered_from_its_own_row(held, now):
    shop, license_id, client = held
    documents = [asking(shop, license_id, client, now + n * MINUTE) for n in range(1, 4)]
    answers = [shop.ask(document, now + n * MINUTE) for n, document in enumerate(documents, 1)]
    before = ends(shop, license_id), whole(shop, license_id)
    assert [shop.ask(document, now + 4 * MINUTE) for document in documents] == answers
    assert (ends(shop, license_id), whole(shop, license_id)) == before


def test_repeated_renewal_is_answered_however_late_while_its_lease_is_held(held, now):
    shop, license_id, client = held
    document = asking(shop, license_id, client, now)
    first = shop.ask(document, now)
    assert shop.ask(document, now + 50 * MINUTE) == first
    never_done = asking(shop, license_id, client, now)
    with pytest.raises(ServiceError, match="dated 2026-03-01 12:00:00 UTC"):
        shop.ask(never_done, now + 50 * MINUTE)


def test_repeated_renewal_of_a_license_that_stands_no_more_is_refused(held, now):
    shop, license_id, client = held
    document = asking(shop, license_id, client, now)
    shop.ask(document, now)
    with shop.at(now + MINUTE).write() as transaction:
        life.suspend(transaction, license_id, actor="test")
    with pytest.raises(LicenseError) as refusal:
        shop.ask(document, now + MINUTE)
    assert str(refusal.value) == f"license {license_id} is suspended; ask the vendor"


def test_repeated_renewal_of_a_seat_that_was_given_back_is_refused(held, now):
    shop, license_id, client = held
    document = asking(shop, license_id, client, now)
    shop.ask(document, now)
    shop.release(license_id, 1, client, now + MINUTE)
    with pytest.raises(LicenseError, match="it was given back on 2026-03-01 12:01:00 UTC"):
        shop.ask(document, now + 2 * MINUTE)


def test_renewals_after_the_first_are_compact_and_are_read_and_hashed_whole(held, now):
    shop, license_id, client = held
    for n in range(1, 4):
        shop.renew(license_id, 1, client, now + n * MINUTE)
    first, *others = renewals(shop, license_id)
    assert (first["base"], [row["base"] for row in others]) == (None, [first["number"]] * 2)
    assert {(row["actor"], row["previous"]) for row in others} == {("", "")}
    entries, wrong = whole(shop, license_id)
    assert wrong == []
    assert [entry.expected_hash() for entry in entries] == [entry.hash for entry in entries]
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    moved = entries[-3].detail.replace(f'"ends":{ends(shop, license_id) - 120}', '"ends":0')
    assert {entry.actor for entry in entries[-3:]} == {f"installation {client.kid}"}
    assert (
        moved.split(',"request"')[0].replace('"ends":0', f'"ends":{ends(shop, license_id)}')
        == (entries[-1].detail.split(',"request"')[0])
    )


def test_page_that_begins_with_a_compact_row_shows_it_whole(held, now):
    shop, license_id, client = held
    for n in range(1, 4):
        shop.renew(license_id, 1, client, now + n * MINUTE)
    every, _ = whole(shop, license_id)
    with shop.database.read() as transaction:
        page = audit.entries(transaction, license_id, 1, after=(license_id, every[-2].number))
    assert page == [every[-1]]


def test_lease_that_begins_anew_has_a_base_of_its_own(new_shop, new_client, now):
    license_id, key = new_shop.sell()
    client = new_client()
    for generation in (1, 2):
        new_shop.activate(key, client, now, machine=f"m-{generation:032x}")
        for n in (1, 2):
            new_shop.renew(license_id, generation, client, now + n * MINUTE)
    assert [row["base"] is None for row in renewals(new_shop, license_id)] == [True, False, True, False]
    assert whole(new_shop, license_id)[1] == []


def test_compact_rows_that_were_edited_are_named_and_so_is_their_base(held, now):
    shop, license_id, client = held
    for n in range(1, 4):
        shop.renew(license_id, 1, client, now + n * MINUTE)
    _, second, third = renewals(shop, license_id)
    other = second["detail"].replace(" ", " 1", 1)
    with shop.database.write() as transaction:
        this = (rows.c.stream == license_id) & (rows.c.number == second["number"])
        transaction.execute(update(rows).where(this).values(detail=other))
    who = f"(lease.renew by installation {client.kid})"
    assert whole(shop, license_id)[1] == [f"audit of {license_id}, row {second['number']}: edited {who}"]
    with shop.database.write() as transaction:
        transaction.execute(update(rows).where(this).values(detail=second["detail"]))
        base = (rows.c.stream == license_id) & (rows.c.number == second["base"])
        transaction.execute(update(rows).where(base).values(actor="nobody"))
    assert whole(shop, license_id)[1] == [
        f"audit of {license_id}, row {number}: edited (lease.renew by nobody)"
        for number in (second["base"], second["number"], third["number"])
    ]


def test_row_before_a_compact_one_that_was_deleted_is_named_alone(held, now):
    shop, license_id, client = held
    for n in range(1, 5):
        shop.renew(license_id, 1, client, now + n * MINUTE)
    number = renewals(shop, license_id)[2]["number"]
    with shop.database.write() as transaction:
        transaction.execute(rows.delete().where(rows.c.stream == license_id, rows.c.number == number))
    assert whole(shop, license_id)[1] == [f"audit of {license_id}: row {number} deleted"]


def test_renewal_keeps_less_than_300_bytes(tmp_path, make_shop, new_client, database_address, now):
    with database_address("sqlite", tmp_path) as url:
        shop = make_shop(url)
        license_id, key = shop.sell(lease=timedelta(days=1), seats=None)
        clients = [new_client() for _ in range(20)]
        for client in clients:
            shop.activate(key, client, now)
            shop.renew(license_id, 1, client, now)
        before = size(shop)
        for n in range(1, 11):
            for client in clients:
                shop.renew(license_id, 1, client, now + n * MINUTE)
        assert (size(shop) - before) / 200 < 300
        shop.database.close()


def size(shop):
    with shop.database.read() as transaction:
        pages, free = (
            transaction.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("page_count", "freelist_count")
        )
    return 4096 * (pages - free)
