"""Deliveries: claimed once, settled once, tried again, given up, sent again; over a sink as sinks are."""

import json
import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from tests.buyers import MARCH, Buyer, issue, prices, read
from tests.sinks import open_sink

from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import deliveries, events
from ternary_license_server.database.schema import webhooks as webhook_rows
from ternary_license_server.destinations import Destinations
from ternary_license_server.keys import webhook_key
from ternary_license_server.service import backoff, dead_letters, life, outbox, webhooks
from ternary_license_server.service.backoff import Limits
from ternary_license_server.service.outbox import Outcome
from ternary_license_server.service.refusals import ServiceError
from ternary_license_server.serving import deliveries as serving
from ternary_license_server.serving.deliveries import Rules
from ternary_license_server.settings import Settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES = Rules(limits=Limits(attempts=3, age=3600), retention=30 * 86_400, chance=lambda: 0.5)
TAKEN = Outcome(status=204, error=None)
FAILED = Outcome(status=500, error="answered 500")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("webhook")
    webhook_key.create(folder)
    return folder


@pytest.fixture
def clean(shop, now):
    """The module's shop without webhooks and events of other tests."""
    with shop.at(now).write() as transaction:
        for table in (deliveries, events, webhook_rows):
            transaction.execute(delete(table))
    return shop


@pytest.fixture
def hooked(clean, keys, now):
    """Adds a webhook at an address; its id."""

    def add(url="https://hooks.example.com/", kinds=()):
        with clean.at(now).write() as transaction:
            key = webhook_key.load(keys)
            return webhooks.add(transaction, key, url=url, kinds=[*kinds], actor="test")["id"]

    return add


@pytest.fixture
def send(keys):
    """Sends for real, to this machine."""
    return serving.sender(Settings(keys=keys, webhook_networks=Destinations.read("127.0.0.0/8")))


def happen(shop, now, number=1):
    """Facts that have events: licenses that are suspended; their ids."""
    sold = [shop.sell(now)[0] for _ in range(number)]
    for license in sold:
        with shop.at(now).write() as transaction:
            life.suspend(transaction, license, actor="test")
    return sold


def deliver(shop, now, send, rules=RULES):
    """One round of a sender; the state of each delivery that it tried."""
    database = shop.at(now)
    return [serving.settle(database, rules, job, send(job)) for job in serving.claim_due(database)]


def listed(shop, **wanted):
    with shop.database.read() as transaction:
        return dead_letters.page(transaction, after=None, limit=100, **wanted)


def change(shop, now, work, **words):
    with shop.at(now).write() as transaction:
        return work(transaction, actor="test", **words)


def standing(shop, now):
    with shop.at(now).read() as transaction:
        return dead_letters.standing(transaction)


@contextmanager
def refused(sentence):
    with pytest.raises(ServiceError) as refusal:
        yield
    assert str(refusal.value) == sentence


def test_an_event_is_delivered_once_with_a_signature_that_its_secret_verifies(clean, hooked, send, now):
    with open_sink() as sink:
        hooked(sink.address)
        (license,) = happen(clean, now)
        assert deliver(clean, now, send) == ["delivered"]
        assert deliver(clean, now + DAY, send) == []
        (came,) = sink.received
        ((row),) = listed(clean)
        assert came.headers["webhook-id"] == row["event"]
        assert came.headers["webhook-timestamp"] == str(int(now.timestamp()))
        assert (row["subject"], row["state"], row["attempts"], row["status"]) == (
            license, "delivered", 1, 204
        )  # fmt: skip


def test_an_issued_invoice_is_an_event_that_reaches_a_sink(clean, hooked, send, now, new_client):
    buyer = Buyer(clean, new_client(), now, "Initech", prices(100, base=5_000))
    buyer.report(range(3), now)
    with open_sink() as sink:
        hooked(sink.address, ["invoice.issued"])
        invoice = read(clean, issue(clean, buyer.id, MARCH))
        issue(clean, buyer.id, MARCH)  # which is the same one
        at = MARCH.end + HOUR
        assert deliver(clean, at, send) == ["delivered"]
        assert deliver(clean, at + DAY, send) == []
        (came,) = sink.received
    assert json.loads(came.body) == {
        "type": "invoice.issued",
        "timestamp": "2026-04-01T01:00:00Z",
        "data": {
            "invoice": invoice.number,
            "customer": buyer.id,
            "product": "acme",
            "month": "2026-03",
            "currency": "EUR",
            "total": 5_300,
        },
    }


def test_a_sink_that_fails_hangs_and_comes_back_gets_every_event(clean, hooked, send, now):
    with open_sink() as sink:
        hooked(sink.address)
        happen(clean, now, number=2)
        sink.status = 500
        assert deliver(clean, now, send) == ["pending"]
        assert deliver(clean, now, send) == ["pending"]
        assert deliver(clean, now + timedelta(seconds=29), send) == []
        sink.status, sink.headers = 429, {"Retry-After": "300"}
        assert deliver(clean, now + timedelta(seconds=30), send) == ["pending"]
        sink.manner = "close"
        assert deliver(clean, now + timedelta(seconds=31), send) == ["pending"]
        later = now + timedelta(seconds=91)
        sink.status, sink.headers, sink.manner = 204, {}, "answer"
        assert deliver(clean, later, send) == ["delivered"]
        assert deliver(clean, later, send) == []
        assert deliver(clean, now + timedelta(seconds=329), send) == []
        assert deliver(clean, now + timedelta(seconds=330), send) == ["delivered"]
        assert {row["state"] for row in listed(clean)} == {"delivered"}
        assert len({came.headers["webhook-id"] for came in sink.received}) == 2


@pytest.mark.parametrize(
    ("attempts", "chance", "asked", "seconds"),
    [
        (1, 0.0, None, 1),
        (1, 0.5, None, 30),
        (2, 0.5, None, 60),
        (10, 0.5, None, 15_360),
        (11, 0.999, None, 43_156),
        (100, 0.999, None, 43_156),
        (1, 0.5, 7, 30),
        (1, 0.5, 120, 120),
        (1, 0.0, 999_999_999, 43_200),
    ],
)
def test_the_wait_doubles_has_full_jitter_and_a_longest(attempts, chance, asked, seconds):
    assert backoff.wait(attempts, chance, asked) == seconds


def test_after_its_attempts_or_its_age_an_event_is_dead_and_can_be_sent_again(clean, hooked, now):
    hooked()
    happen(clean, now)
    for number, state in enumerate(["pending", "pending", "dead"]):
        at = now + number * timedelta(seconds=300)
        assert deliver(clean, at, lambda job: FAILED) == [state]
    assert deliver(clean, now + DAY, lambda job: TAKEN) == []
    ((row),) = listed(clean, state="dead")
    assert (row["attempts"], row["error"]) == (3, "answered 500")
    assert standing(clean, now) == {"waiting": 0, "held": 0, "dead": 1, "oldest": 0, "inactive": 0}
    assert change(clean, now + DAY, dead_letters.replay_dead) == {"deliveries": 1}
    assert standing(clean, now + DAY + HOUR)["oldest"] == 3600
    late = Rules(limits=Limits(attempts=100, age=3600), retention=1, chance=lambda: 0.5)
    assert deliver(clean, now + DAY + HOUR, lambda job: FAILED, late) == ["dead"]
    change(clean, now + DAY, dead_letters.replay, chosen=[row["event"]])
    assert deliver(clean, now + DAY, lambda job: TAKEN) == ["delivered"]


def test_410_ends_a_webhook_until_it_is_resumed_and_what_waits_is_kept(clean, hooked, now):
    webhook = hooked()
    happen(clean, now, number=2)
    assert deliver(clean, now, lambda job: Outcome(status=410, error="answered 410")) == ["dead"]
    assert deliver(clean, now, lambda job: TAKEN) == []
    assert standing(clean, now) == {"waiting": 0, "held": 1, "dead": 1, "oldest": 0, "inactive": 1}
    with refused(f"webhook {webhook}: is gone; resume it first"):
        change(clean, now, webhooks.test, webhook=webhook)
    assert change(clean, now + DAY, webhooks.resume, webhook=webhook)["state"] == "active"
    assert deliver(clean, now + DAY, lambda job: FAILED) == ["pending"]  # its age counts from the resumption


def test_a_paused_webhook_gets_nothing_until_it_is_resumed(clean, hooked, now):
    webhook, other = hooked(), hooked()
    change(clean, now, webhooks.pause, webhook=webhook)
    happen(clean, now)
    jobs = serving.claim_due(clean.at(now))
    assert [job.webhook for job in jobs] == [other]
    change(clean, now, webhooks.resume, webhook=webhook)
    assert [job.webhook for job in serving.claim_due(clean.at(now))] == [webhook]
    with refused(f"webhook {webhook}: is active already"):
        change(clean, now, webhooks.resume, webhook=webhook)


def test_a_claim_holds_for_two_minutes_and_an_older_one_settles_nothing(clean, hooked, now):
    hooked()
    happen(clean, now)
    (first,) = serving.claim_due(clean.at(now))
    assert serving.claim_due(clean.at(now + timedelta(seconds=119))) == []
    (second,) = serving.claim_due(clean.at(now + timedelta(seconds=120)))
    assert (second.event, second.attempts) == (first.event, 2)
    assert serving.settle(clean.database, RULES, first, TAKEN) == "lost"
    assert serving.settle(clean.database, RULES, second, TAKEN) == "delivered"
    assert serving.settle(clean.database, RULES, second, FAILED) == "lost"


def test_a_webhook_that_is_removed_while_it_is_sent_to_leaves_nothing(clean, hooked, now):
    webhook = hooked()
    happen(clean, now)
    (job,) = serving.claim_due(clean.at(now))
    change(clean, now, webhooks.remove, webhook=webhook)
    assert serving.settle(clean.database, RULES, job, TAKEN) == "lost"
    ((row),) = listed(clean)
    assert (row["webhook"], row["state"]) == ("", None)
    with refused("events: there is no webhook that takes their kind"):
        change(clean, now, dead_letters.replay, chosen=[row["event"]])
    added = hooked()
    change(clean, now, dead_letters.replay, chosen=[row["event"]])
    assert [job.webhook for job in serving.claim_due(clean.at(now))] == [added]


def test_one_of_several_events_that_is_unknown_refuses_the_replay_of_all(clean, hooked, now):
    hooked()
    happen(clean, now)
    assert deliver(clean, now, lambda job: TAKEN) == ["delivered"]
    ((row),) = listed(clean)
    with refused("event E-0: there is none of this id, or it was forgotten"):
        change(clean, now, dead_letters.replay, chosen=[row["event"], "E-0"])
    assert listed(clean) == [row]


def test_delivered_events_are_forgotten_after_their_retention_and_others_stay(clean, hooked, now):
    hooked(kinds=["license.suspended"])
    happen(clean, now, number=3)
    assert deliver(clean, now, lambda job: TAKEN) == ["delivered"]
    dead = Rules(limits=Limits(attempts=1, age=1), retention=1)
    assert deliver(clean, now, lambda job: FAILED, dead) == ["dead"]
    (other,) = happen(clean, now)
    with clean.at(now).write() as transaction:
        life.revoke(transaction, other, actor="test")  # no webhook takes it
    for at, left in ((30 * DAY, 5), (30 * DAY + timedelta(seconds=1), 3)):
        with clean.at(now + at).write() as transaction:
            outbox.forget(transaction, RULES.retention)
        assert len(listed(clean)) == left
    assert sorted(row["state"] for row in listed(clean)) == ["dead", "pending", "pending"]


def test_senders_at_once_deliver_each_event_once(clean, hooked, send, now):
    with open_sink() as sink:
        hooked(sink.address)
        happen(clean, now, number=12)
        clean.at(now)

        def work():
            with reopened(clean) as database:
                while jobs := serving.claim_due(database):
                    for job in jobs:
                        serving.settle(database, RULES, job, send(job))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        while deliver(clean, now, send):  # whoever met another's lock came away with nothing
            pass
        ids = [came.headers["webhook-id"] for came in sink.received]
        assert len(ids) == len(set(ids)) == 12
        assert {row["state"] for row in listed(clean)} == {"delivered"}


@contextmanager
def reopened(shop):
    """What another server has of the shop's database."""
    database = Database(shop.database.url, connections=1, clock=shop.hands.clock())
    try:
        yield database
    finally:
        database.close()


def test_a_sender_that_is_killed_before_it_settles_has_the_event_sent_again(clean, hooked, send, now):
    with open_sink() as sink:
        hooked(sink.address)
        happen(clean, now)
        clean.at(now)
        url, clock = clean.database.url, clean.hands.clock()
        clean.database.close()

        def die():
            (job,) = serving.claim_due(Database(url, connections=1, clock=clock))
            assert send(job) == TAKEN
            os.kill(os.getpid(), signal.SIGKILL)

        process = multiprocessing.get_context("fork").Process(target=die)
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert deliver(clean, now + timedelta(seconds=119), send) == []
        assert deliver(clean, now + timedelta(seconds=120), send) == ["delivered"]
        first, second = sink.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert listed(clean)[0]["attempts"] == 2


def test_a_secret_that_cannot_be_opened_is_a_failure_that_says_why(clean, hooked, now, tmp_path):
    hooked()
    happen(clean, now)
    send = serving.sender(Settings(keys=tmp_path))
    assert deliver(clean, now, send) == ["pending"]
    assert listed(clean)[0]["error"] == (
        f"{tmp_path / 'webhook.pem'}: no such file; run 'ternary keys webhook DIR', and copy the file to "
        "every server of this database"
    )


def test_there_are_at_most_16_webhooks_and_their_secrets_are_not_in_the_database(clean, hooked, keys, now):
    for _ in range(16):
        hooked()
    with refused("webhooks: there are 16, the most there can be; remove one"):
        hooked()
    with clean.database.read() as transaction:
        sealed = transaction.execute(select(webhook_rows.c.secret)).scalars().all()
    key = webhook_key.load(keys)
    assert len({key.unseal(one) for one in sealed}) == 16
    assert {len(key.unseal(one)) for one in sealed} == {32}


def test_a_webhook_that_hangs_holds_up_no_other_no_change_and_no_stop(clean, hooked, send, now):
    with open_sink() as hanging, open_sink() as other, reopened(clean) as database:
        hanging.manner = "hang"
        first, _ = hooked(hanging.address), hooked(other.address)
        happen(clean, now, number=2)
        with serving.delivering(database, send, RULES, last=0.2):
            hanging.arrivals.get(timeout=30)
            assert {other.arrivals.get(timeout=30).body for _ in range(2)}
            happen(clean, now)  # a change is made meanwhile
        states = {(row["webhook"] == first, row["state"]) for row in listed(clean)}
        assert (True, "delivered") not in states
        assert len(hanging.received) == 1
        hanging.manner = "answer"
        assert deliver(clean, now + timedelta(seconds=121), send).count("delivered") >= 1


def test_a_bug_in_one_attempt_ends_no_deliveries(clean, hooked, now, caplog):
    hooked()
    happen(clean, now)
    tried = threading.Event()

    def broken(job):
        tried.set()
        raise ZeroDivisionError

    with reopened(clean) as database, serving.delivering(database, broken, RULES, last=30):
        assert tried.wait(30)
    ((row),) = listed(clean)
    assert (row["state"], row["error"]) == ("pending", "the server failed; its log says why")
    assert "ZeroDivisionError" in caplog.text
