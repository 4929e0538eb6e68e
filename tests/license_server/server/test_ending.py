"""A server that is told to stop ends in time, whatever the threads beside it wait for."""

import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from ternary_license_server.database.schema import metadata
from ternary_license_server.service.backoff import Limits
from ternary_license_server.serving import counting, deliveries, ending, heartbeat
from ternary_license_server.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = deliveries.Rules(limits=Limits(attempts=1, age=1), retention=1)


@contextmanager
def held(database):
    """Somebody else writes, so that nobody can, for as long as the block."""
    every = ", ".join(metadata.tables)
    lock = "BEGIN IMMEDIATE" if database.sqlite else f"BEGIN; LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE"
    with database.engine.connect() as other:
        other.exec_driver_sql(lock)
        yield
        other.rollback()


def seconds_to_end(companion, stuck):
    with companion:
        stuck()
        began = time.monotonic()
    return time.monotonic() - began


def until(condition):
    ends = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_thread_that_does_not_end_is_left_behind_and_named(caplog):
    go = threading.Event()
    thread = threading.Thread(target=go.wait, name="figures", daemon=True)
    thread.start()
    ending.end(thread, 0.01)
    assert [record.facts for record in caplog.records] == [{"thread": "figures", "seconds": 0.01}]
    go.set()
    ending.end(thread, 20)
    assert len(caplog.records) == 1
    assert not thread.is_alive()


def test_count_that_hangs_keeps_no_server_from_its_end(new_shop, tmp_path, caplog):
    counting_now, go = threading.Event(), threading.Event()

    def key_set_end():
        counting_now.set()
        go.wait(20)

    companion = counting.keeping(new_shop.database, tmp_path / "figures", key_set_end, last=0.05)
    assert seconds_to_end(companion, lambda: counting_now.wait(20)) < 3
    assert [record.facts["thread"] for record in caplog.records] == ["figures"]
    go.set()
    until(lambda: (tmp_path / "figures").exists())


def test_thread_that_waits_for_a_lock_keeps_no_server_from_its_end(new_shop, caplog, monkeypatch):
    database, begun = new_shop.database, threading.Event()
    write = type(database).write

    def noted(self):
        begun.set()
        return write(self)

    monkeypatch.setattr(type(database), "write", noted)
    monkeypatch.setattr(ending, "LAST", 0.05)
    with heartbeat.beating(database, print, period=0.01, last=0.05), held(database):
        begun.clear()
        assert begun.wait(20)
        companion = deliveries.delivering(database, lambda job: None, RULES, last=0.01)
        begun.clear()
        assert seconds_to_end(companion, lambda: begun.wait(20)) < 3
    assert "deliveries" in [record.facts.get("thread") for record in caplog.records]
    until(lambda: not any(one.name in ("heartbeat", "deliveries") for one in threading.enumerate()))


def test_stop_and_threads_together_take_less_than_whoever_stops_waits():
    unit = (DEPLOY / "ternary-server.service").read_text("utf-8")
    longest = int(re.search(r"^TimeoutStopSec=([0-9]+)$", unit, re.MULTILINE)[1])
    threads = deliveries.LAST + 3 * ending.LAST
    assert Settings(keys=Path()).stop_timeout + threads < longest
