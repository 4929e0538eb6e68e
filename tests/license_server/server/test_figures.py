"""Gauges of the business: counted in the background, kept in a file, told without asking the database."""

import json
import logging
import re
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from ternary_license_server.service import figures, restoring
from ternary_license_server.serving import counting
from ternary_license_server.web.observation import COUNTED, FIGURES


@contextmanager
def recorded(database):
    """Every statement that is executed in the block, with its parameters."""
    found = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        found.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def gauges(site):
    """Every sample of the figures that /metrics tells, by name and labels."""
    names = figures.MEANINGS | COUNTED
    told = text_string_to_metric_families(site.http("GET", "/metrics").text)
    samples = [sample for family in told if family.name in names for sample in family.samples]
    return {
        sample.name + "".join(f"{{{k}={v}}}" for k, v in sample.labels.items()): sample.value
        for sample in samples
    }


def test_every_figure_is_what_the_business_is(
    kind, make_site, vendor_keys, new_client, now, tmp_path, monkeypatch
):
    site, file = make_site(kind, vendor_keys), tmp_path / "figures"
    monkeypatch.setenv(FIGURES, str(file))
    assert gauges(site) == {}  # nothing is counted yet
    lasting, key = site.sell(term=timedelta(days=400), offline=timedelta(days=2))
    ending, _ = site.sell(term=timedelta(days=6))
    revoked, _ = site.sell(seats=None)
    site.activate(key, first := new_client())
    site.activate(key, new_client(), offline=True)
    assert site.admin("POST", f"/licenses/{revoked}/revoke", json={"reason": "chargeback"}).is_success
    with site.database.write() as transaction:
        restoring.begin(
            transaction, since=site.moment, longest=timedelta(days=1), oversell=False, actor="test"
        )
    counting.count(site.database, file, now + timedelta(days=100))
    found = gauges(site)
    assert found.pop("ternary_database_bytes") > 4096
    assert found.pop("ternary_figures_seconds") < 60
    assert found == {
        "ternary_licenses{state=active}": 2,
        "ternary_licenses{state=suspended}": 0,
        "ternary_licenses{state=revoked}": 1,
        "ternary_licenses{state=ended}": 0,
        "ternary_licenses_ending{days=7}": 1,
        "ternary_licenses_ending{days=30}": 1,
        "ternary_seats_sold": 4,
        "ternary_licenses_without_limit": 0,
        "ternary_leases{kind=online}": 1,
        "ternary_leases{kind=offline}": 1,
        "ternary_usage_flags{kind=lacking}": 0,
        "ternary_usage_flags{kind=restarted}": 0,
        "ternary_revocation_names": 1,
        "ternary_revocation_room": 98_999,
        "ternary_restored_mode": 1,
        "ternary_admin_token_end_timestamp_seconds": 0,  # a restoration ends every token
        "ternary_figures_timestamp_seconds": now.timestamp(),
        "ternary_key_set_end_timestamp_seconds": (now + timedelta(days=100)).timestamp(),
    }
    site.moment = now + timedelta(days=7)
    site.database.close()  # what is told is what was counted, whatever the database does
    assert gauges(site)["ternary_licenses{state=active}"] == 2
    counting.count(site.database, file, None)
    found = gauges(site)
    assert found["ternary_licenses{state=ended}"] == 1
    assert found["ternary_leases{kind=online}"] == 0
    assert found["ternary_restored_mode"] == 0
    assert found["ternary_key_set_end_timestamp_seconds"] == 0
    assert (ending, first) != (lasting, None)


def test_overview_counts_where_that_is_quick_and_shows_the_last_count_where_it_is_slow(
    make_site, vendor_keys, tmp_path, monkeypatch, now
):
    site, file = make_site("sqlite", vendor_keys), tmp_path / "figures"
    monkeypatch.setenv(FIGURES, str(file))
    site.sell(seats=None)
    counting.count(site.database, file, None)
    kept = json.loads(file.read_bytes())
    site.sell(term=timedelta(days=6))

    def shown(seconds):
        file.write_text(json.dumps(kept | {"ternary_figures_seconds": {"": seconds}}))
        with recorded(site.database) as statements:
            found = site.admin("GET", "/overview").json()
        counts = [
            one for one, _ in statements if re.search(r"(sum|count)\(.*FROM (licenses|leases)", one, re.S)
        ]
        first = [one["expires"] for one in found["ending"]["first"]]
        return found["licenses"]["active"], found["seats"], found["counted"], first, len(counts)

    site.moment = now + timedelta(minutes=1)
    ends, then = int((now + timedelta(days=6)).timestamp()), int(now.timestamp())
    quick, slow = shown(0.1), shown(0.11)
    assert quick[:-1] == (2, {"sold": 2, "held": 0, "licenses_without_limit": 1}, then + 60, [ends])
    assert slow == (1, {"sold": 0, "held": 0, "licenses_without_limit": 1}, then, [ends], 0)
    assert quick[-1] > 3


def test_each_group_of_figures_has_a_short_transaction_of_its_own(new_shop):
    begun = []

    @contextmanager
    def read():
        with new_shop.database.read() as transaction:
            begun.append(transaction)
            yield transaction

    assert set(figures.count(read)) == set(figures.MEANINGS)
    assert len(begun) == 4


def test_metered_operations_are_counted_once_however_often_a_report_comes(
    make_site, vendor_keys, new_client, now
):
    site, held = make_site("sqlite", vendor_keys), new_client()
    license_id, key = site.sell(unique_operations=5000)
    site.activate(key, held)
    report = site.usage(license_id, held, [1, 2, 3], now)
    for _ in range(2):
        assert site.http("POST", "/v1/usage", content=report).status_code == 200
    assert "ternary_operations_metered_total 3.0\n" in site.http("GET", "/metrics").text


def test_whoever_asks_for_metrics_holds_up_no_probe_and_waits_for_none(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys)
    (probe,) = site.database._beside
    with probe.read():  # a probe is under way, and has the one connection of probes
        assert "ternary_webhook_events_waiting 0.0\n" in site.http("GET", "/metrics").text


def test_count_that_fails_leaves_the_last_one_and_a_line_in_the_log(new_shop, tmp_path, caplog):
    with caplog.at_level(logging.ERROR, "ternary.server"):
        counting.count(new_shop.database, tmp_path / "gone" / "figures", None)
    assert [record.message for record in caplog.records] == ["figures"]
    assert "gone" in caplog.records[0].facts["fault"]


def test_counting_takes_at_most_a_hundredth_of_the_time():
    assert [counting.pause(took) for took in (0.0, 0.5, 2.0)] == [60.0, 60.0, 200.0]


def test_figures_are_counted_as_soon_as_a_server_starts(new_shop, tmp_path):
    file = tmp_path / "figures"
    with counting.keeping(new_shop.database, file, lambda: None, last=20):
        pass  # the end waits for the count that runs
    assert set(json.loads(file.read_bytes())) == set(figures.MEANINGS | COUNTED)
