"""Usage comes in pages that hold no more than asked, and as an export that is written to disk."""

import csv
import hashlib
import io
import tracemalloc
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from ternary_license_server.database.schema import customers, licenses, meter_entries, meters
from ternary_license_server.service import invoicing, usage_pages
from ternary_license_server.service.records import moment
from ternary_license_server.web import exports
from ternary_license_server.web.exports import Export, NoRoomError
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online.answer import Answer, Question

PERIOD = {"start": 100, "end": 200}


def use(site, number, first=0):
    """As many licenses, each of a customer of its own and with one entry in the period."""
    with site.database.write() as transaction:
        sold, who = (dict(transaction.execute(select(one)).first()._mapping) for one in (licenses, customers))
        made = [(f"L-{n:04}", f"C-{n:04}") for n in range(first, first + number)]
        mine = {"space": "3,2", "operations": 1, "bitmap": b""}
        rows = {
            customers: [who | {"id": customer} for _, customer in made],
            licenses: [
                sold | {"id": name, "customer": customer, "key_hash": name} for name, customer in made
            ],
            meters: [
                mine | {"license": name, "customer": customer, "bitmap": b"\x01" + bytes(2460)}
                | {"quota_bitmap": b"", "quota_operations": 0}
                for name, customer in made
            ],
            meter_entries: [
                mine | {"license": name, "customer": customer, "number": 1, "received": 150}
                | {"lease": None, "late": False, "gaps": b"\x00"}
                for name, customer in made
            ],
        }  # fmt: skip
        for table, values in rows.items():
            transaction.execute(insert(table), values)


@pytest.fixture
def make_used(make_site, vendor_keys):
    def make(kind):
        site = make_site(kind, vendor_keys)
        site.sell()
        use(site, 5)
        return site

    return make


@pytest.fixture
def used(make_used):
    return make_used("sqlite")


def walk(site, limit, between=lambda: None, **asked):
    """Every page of the period, as the names of its rows."""
    pages, after = [], {}
    while True:
        found = site.admin("GET", "/usage", params=PERIOD | asked | after | {"limit": limit}).json()
        rows = [row["license"] for row in found["lines"]] + [row["customer"] for row in found["customers"]]
        pages.append(rows)
        between()
        if found["next"] is None:
            return pages
        after = {"after": found["next"]}


def test_pages_of_usage_are_its_lines_then_its_customers_then_its_flags(kind, make_used):
    used = make_used(kind)
    names = [f"{kind}-{n:04}" for kind in "LC" for n in range(5)]
    assert walk(used, 100) == [names]
    assert walk(used, 4) == [names[:4], names[4:8], names[8:]]
    assert walk(used, 5) == [names[:5], names[5:], []]
    assert walk(used, 100, license_id="L-0003") == [["L-0003", "C-0003"]]


def test_place_in_usage_survives_rows_that_come_in_between(used):
    new = iter([lambda: use(used, 2, first=100)])
    told = walk(used, 3, between=lambda: next(new, lambda: None)())
    rows = [row for page in told for row in page]
    assert len(set(rows)) == len(rows) == 14
    assert rows[:5] == [f"L-{n:04}" for n in range(5)]


@pytest.mark.parametrize("after", ["lines C L", "customers C 3,2 x", "flags a b c d", "lines C L 3,2\n"])
def test_place_that_no_page_gave_is_refused(used, after):
    came = used.admin("GET", "/usage", params=PERIOD | {"after": after})
    assert (came.status_code, came.json()["code"]) == (400, "MALFORMED")
    assert came.json()["detail"].startswith("query.after: ")


def test_page_of_usage_holds_no_more_than_its_rows(used):
    use(used, 900, first=100)
    asked = usage_pages.Asked(start=moment(100), end=moment(200))

    def needed(limit):
        with used.database.read() as transaction:
            tracemalloc.start()
            found = usage_pages.page(transaction, asked, after=None, limit=limit)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return len(found.rows["lines"]), peak

    needed(1)
    (few, least), (many, most) = needed(10), needed(900)
    assert (few, many) == (10, 900)
    assert 5 * least < most


def test_export_on_disk_is_signed_and_whole(used, monkeypatch):
    monkeypatch.setattr(exports, "IN_MEMORY", 64)
    path = "/admin/v1/usage.csv"
    came = used.admin("GET", "/usage.csv", params=PERIOD, headers={"Ternary-Nonce": "n"})
    rows = list(csv.DictReader(io.StringIO(came.text)))
    assert [row["license"] for row in rows] == [f"L-{n:04}" for n in range(5)]
    assert int(came.headers["content-length"]) == len(came.content)
    answer = Answer(
        status=200, body=came.content,
        time=came.headers["Ternary-Time"], signature=came.headers["Ternary-Answer"],
    )  # fmt: skip
    asked = Question(nonce="n", method="GET", path=path, body=b"")
    online_answer.verify(asked, answer, used.ring.trust, used.moment)


def test_export_needs_no_more_memory_the_longer_it_is(monkeypatch):
    monkeypatch.setattr(exports, "IN_MEMORY", 1 << 12)
    line = "x" * 999 + "\n"
    tracemalloc.start()
    with Export() as export:
        for _ in range(4000):
            export.write(line)
    size, running = 0, hashlib.sha256()
    for part in export.parts():
        size += len(part)
        running.update(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    export.close()
    assert size == export.size == 4_000_000
    assert running.hexdigest() == export.sha256
    assert peak < 1_000_000


def test_export_that_the_disk_does_not_take_is_refused_and_logged(used, monkeypatch):
    def full(export, text):
        raise NoRoomError("export: cannot be written to /tmp (No space left on device)")

    monkeypatch.setattr(Export, "write", full)
    came = used.admin("GET", "/usage.csv", params=PERIOD)
    assert (came.status_code, came.json()["code"]) == (503, "UNAVAILABLE")
    detail = "the server's disk has no room for the answer; try again, or ask for less"
    assert came.json()["detail"] == detail


def test_full_disk_under_an_export_is_our_own_refusal(monkeypatch):
    with Export() as export:
        export.close()
        monkeypatch.setattr(export, "_file", Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115
        with pytest.raises(NoRoomError, match="No space left on device"):
            export.write("x")
        export.close()


def test_lines_of_a_page_are_those_of_the_whole(used):
    with used.database.read() as transaction:
        period = {"start": moment(100), "end": moment(200)}
        whole = list(invoicing.lines(transaction, **period))
        third = (whole[2].customer, whole[2].license, str(whole[2].space))
        assert list(invoicing.lines(transaction, **period, after=third, limit=1)) == [whole[3]]
