"""
Spaces on the server: every set is metered in its space, and only the quota counts them together.
"""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, text
from stress.seats import prepare, sell, serving

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import meter_entries, meter_losses
from ternary_license_server.service import audit, auditing, correcting, invoicing, metering, policies, records
from ternary_license_server.service.refusals import ServiceError
from ternary_license_server.web.reading import ORDINARY
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.usage import MAX_REPORT
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.signing import jws
from ternary_sdk.errors import LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOOLEAN_3, QUATERNARY_1, SEPTENARY_1 = Space(2, 3), Space(4, 1), Space(7, 1)
MOST = 2**53 - 1
FIRST, SECOND = "A" * 21 + "Q", "B" * 21 + "Q"


def held_license(shop, new_client, now, **terms):
    """A license, an installation that has a seat of it, and the customer."""
    license_id, key = shop.sell(now=now, **terms)
    held = new_client()
    shop.activate(key, held, now)
    with shop.database.read() as transaction:
        return license_id, held, records.find(transaction, license_id).customer


def drawn(shop, license_id, customer):
    with shop.database.read() as transaction:
        return metering.drawn(transaction, license_id, customer)


def lines(shop, license_id, now, days=(-1, 1)):
    start, end = (now + day * DAY for day in days)
    with shop.database.read() as transaction:
        found = list(invoicing.lines(transaction, start=start, end=end, license_id=license_id))
    return {str(one.space): (one.operations, one.late, one.taken_back, one.total) for one in found}


def version_3(document, held, space):
    """The same report in version 3, which knows no vast spaces, said to be of a space."""
    written = canonical.decode(document, "report")
    claims = jws.read(
        written["report"].encode(), typ=usage.TYP, what="report", key_for=lambda _: held.public
    ).claims
    token = held.sign_token(dict(claims) | {"space": space.to_json()}, typ=usage.TYP).decode()
    return canonical.encode(written | {"format": usage.OF_LISTED, "report": token})


def test_report_of_a_vast_space_in_version_3_is_refused_in_a_sentence(site, new_client, now):
    license_id, held, customer = held_license(site, new_client, now)
    document = version_3(site.usage(license_id, held, [1], now), held, Space(4, 2))
    came = site.http("POST", "/v1/usage", content=document)
    assert (came.status_code, came.json()["code"], came.json()["detail"]) == (
        400,
        "MALFORMED",
        "usage report: is of 4,2, a space of 4,294,967,296 operations; "
        "this release reads reports of version 3 of spaces of up to 2^20",
    )
    assert drawn(site, license_id, customer) == {}


def test_report_larger_than_any_space_needs_is_refused_and_others_are_as_before(site):
    for path, limit in (("/v1/usage", MAX_REPORT), ("/v1/carried", 65_536), ("/v1/renewals", 65_536)):
        came = site.http("POST", path, content=b" " * (limit + 1))
        assert (came.status_code, came.json()["detail"]) == (413, f"body of more than {limit} bytes")
        assert site.http("POST", path, content=b" " * limit).status_code == 400


def test_report_of_every_operation_of_the_largest_listed_space_is_counted(site, new_client, now):
    license_id, held, customer = held_license(site, new_client, now, unique_operations=MOST)
    document = site.usage(license_id, held, list(range(SEPTENARY_1.size)), now, space=SEPTENARY_1)
    assert 65_536 < len(document) <= ORDINARY
    told = site.http("POST", "/v1/usage", content=document).json()
    assert (told["space"], told["added"], told["operations"]) == ("7,1", 823_543, 823_543)
    assert (told["all_spaces"], told["quota"]) == (823_543, MOST)
    assert drawn(site, license_id, customer) == {SEPTENARY_1: 823_543}
    (line,) = site.admin("GET", usage_of(license_id, now)).json()["lines"]
    assert (line["share_of_space"], line["share_of_quota"]) == ("1.000000", "0.000000")


def test_address_that_has_to_wait_is_told_so_whatever_the_size_of_its_report(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1)
    site.http("GET", "/v1/keys")
    came = site.http("POST", "/v1/usage", content=b" " * 70_000)
    assert (came.status_code, came.json()["code"]) == (429, "TOO_MANY_REQUESTS")


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_report_of_each_version_is_counted_in_its_space(shop, new_client, now, version):
    license_id, held, customer = held_license(shop, new_client, now)
    if version >= 3:
        document, space = shop.usage(license_id, held, [1, 2], now, space=BOOLEAN_3), BOOLEAN_3
        document = version_3(document, held, space) if version == 3 else document
    else:
        make = shop.usage_1 if version == 1 else shop.usage_2
        document, space = make(license_id, held, [1, 2], now), TERNARY_2
    assert f"ternary-usage/{version}".encode() in document
    told = shop.merge(document, now)
    assert (told["space"], told["added"], told["operations"]) == (str(space), 2, 2)
    assert drawn(shop, license_id, customer) == {space: 2}


def test_earlier_versions_and_a_newer_report_of_one_lease_are_one_set(shop, new_client, now):
    license_id, held, customer = held_license(shop, new_client, now)
    shop.merge(shop.usage_2(license_id, held, [1, 2], now), now)
    told = shop.merge(shop.usage(license_id, held, [1, 2, 3], now, sequence=2), now)
    assert (told["added"], told["operations"], told["lost"], told["restarted"]) == (1, 3, 0, False)
    assert drawn(shop, license_id, customer) == {TERNARY_2: 3}


def test_spaces_whose_sets_have_equal_digests_are_told_apart(shop, new_client, now):
    license_id, held, customer = held_license(shop, new_client, now)
    assert OperationSet.of([1, 7], BOOLEAN_3).digest == OperationSet.of([1, 7], QUATERNARY_1).digest
    for space in (BOOLEAN_3, QUATERNARY_1):
        told = shop.merge(shop.usage(license_id, held, [1, 7], now, space=space), now)
        assert (told["space"], told["added"], told["lost"], told["restarted"]) == (str(space), 2, 0, False)
    assert (told["operations"], told["all_spaces"]) == (2, 4)
    assert drawn(shop, license_id, customer) == {BOOLEAN_3: 2, QUATERNARY_1: 2}
    with shop.database.read() as transaction:
        for space in (BOOLEAN_3, QUATERNARY_1):
            meter = metering.find(transaction, license_id, customer, space)
            assert meter.operations == meter.weighed == OperationSet.of([1, 7], space)


def test_two_spaces_of_a_license_are_never_merged_and_share_its_quota(shop, new_client, now):
    license_id, held, _ = held_license(shop, new_client, now, unique_operations=5)
    shop.merge(shop.usage(license_id, held, [1, 2, 3], now), now)
    told = shop.merge(shop.usage(license_id, held, [1, 2], now, space=BOOLEAN_3), now)
    assert (told["operations"], told["all_spaces"], told["quota"]) == (2, 5, 5)
    assert shop.renew(license_id, 1, held, now)["generation"] == 1
    shop.merge(shop.usage(license_id, held, [1, 2, 3], now, space=BOOLEAN_3, sequence=2), now)
    with pytest.raises(LicenseError) as refusal:
        shop.renew(license_id, 1, held, now)
    assert (refusal.value.code, str(refusal.value)) == (
        Reason.QUOTA_EXHAUSTED,
        f"license {license_id} allows 5 different operations; its machines together have returned 6; "
        "ask the vendor for a larger quota",
    )


def test_meter_is_lost_or_restarted_in_its_own_space_alone(shop, new_client, now):
    license_id, held, customer = held_license(shop, new_client, now)

    def merge(operations, space, **words):
        told = shop.merge(shop.usage(license_id, held, operations, now, space=space, **words), now)
        return told["lost"], told["restarted"]

    assert merge([1, 2, 3], TERNARY_2, history=FIRST, sequence=3) == (0, False)
    assert merge([4], BOOLEAN_3, history=SECOND, sequence=1) == (0, False)
    assert merge([1, 2, 3, 4], TERNARY_2, history=FIRST, sequence=4) == (0, False)
    assert merge([5], BOOLEAN_3, history=FIRST, sequence=1) == (1, True)
    with shop.database.read() as transaction:
        found = list(invoicing.flagged(transaction, start=now - DAY, end=now + DAY, license_id=license_id))
        rows = transaction.execute(
            select(meter_losses.c.space).where(meter_losses.c.license == license_id)
        ).all()
    assert found == [
        {
            "license": license_id, "installation": held.kid, "customer": customer, "space": "2,3",
            "lost": 1, "restarted": True, "received": int(now.timestamp()),
        }
    ]  # fmt: skip
    assert rows == [("2,3",)]


def usage_of(license_id, now, days=(-1, 1), suffix=""):
    start, end = (int((now + day * DAY).timestamp()) for day in days)
    return f"/usage{suffix}?start={start}&end={end}&license_id={license_id}"


def test_invoice_has_a_line_for_each_space_and_names_it(site, new_client, now):
    license_id, held, customer = held_license(site, new_client, now, unique_operations=1000)
    site.http("POST", "/v1/usage", content=site.usage(license_id, held, [1, 2, 3], now))
    site.moment = now + DAY
    document = site.usage(license_id, held, [0, 255], now, space=BOOLEAN_3)
    site.http("POST", "/v1/usage", content=document)
    whole = site.admin("GET", usage_of(license_id, now, (-1, 2))).json()
    common = {"license": license_id, "customer": customer, "taken_back": 0, "all_spaces": 5}
    common["customer_name"] = "Initech"
    quota = {"quota": 1000, "share_of_quota": "0.005000"}
    boolean = {"space": "2,3", "operations": 2, "total": 2, "share_of_space": "0.007812"}
    ternary = {"space": "3,2", "operations": 3, "total": 3, "share_of_space": "0.000152"}
    assert whole["lines"] == [
        common | quota | boolean | {"late": 2}, common | quota | ternary | {"late": 0}
    ]  # fmt: skip
    of_customer = {"customer": customer, "taken_back": 0}
    assert whole["customers"] == [of_customer | boolean, of_customer | ternary]
    later = site.admin("GET", usage_of(license_id, now, (1, 2))).json()
    assert later["lines"] == whole["lines"][:1]  # the quota's share is of all spaces all the same
    answer = site.admin("GET", usage_of(license_id, now, (-1, 2), ".csv"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows == [
        {name: str(value) for name, value in line.items() if name != "customer_name"}
        for line in whole["lines"]
    ]
    shown = site.admin("GET", f"/licenses/{license_id}").json()
    assert (shown["operations"], shown["spaces"]) == (
        5, [{"space": "2,3", "operations": 2}, {"space": "3,2", "operations": 3}]
    )  # fmt: skip


def test_customers_licenses_are_merged_within_a_space_only(site, new_client, now):
    (one, _), (two, two_key) = site.sell(), site.sell()
    me = site.admin("GET", f"/licenses/{two}").json()["customer"]
    key = site.admin("POST", f"/licenses/{one}/transfer", json={"customer": me}).json()["key"]
    held = new_client()
    for license_key in (key, two_key):
        site.activate(license_key, held)
    for license_id, operations, space in (
        (one, [1, 2], BOOLEAN_3), (two, [2, 3], BOOLEAN_3), (two, [2, 3], QUATERNARY_1)
    ):  # fmt: skip
        site.http("POST", "/v1/usage", content=site.usage(license_id, held, operations, now, space=space))
    period = {"start": 0, "end": int((now + DAY).timestamp()), "customer": me}
    told = site.admin("GET", "/usage", params=period).json()["customers"]
    assert [(line["space"], line["operations"], line["total"]) for line in told] == [
        ("2,3", 3, 3), ("4,1", 2, 2)
    ]  # fmt: skip


def test_correction_takes_back_each_space_by_itself(shop, new_client, now):
    license_id, key = shop.sell(now=now, seats=2)
    one, two = new_client(), new_client()
    for held in (one, two):
        shop.activate(key, held, now)
    shop.merge(shop.usage(license_id, one, [1, 2], now), now)
    shop.merge(shop.usage(license_id, one, [1, 2, 3], now, space=BOOLEAN_3), now)
    shop.merge(shop.usage(license_id, two, [3], now, space=BOOLEAN_3), now)
    shop.merge(shop.usage(license_id, two, [1, 2, 3], now, space=QUATERNARY_1), now)
    lease = shop.lease(license_id, one)

    def correct():
        with shop.at(now + HOUR).write() as transaction:
            return correcting.correct(transaction, license_id, lease, "counted a test", actor="token T-1")

    told = correct()
    assert (told["taken_back"], told["operations"]) == (4, 4)
    assert told["spaces"] == [
        {"space": "2,3", "taken_back": 2, "operations": 1},
        {"space": "3,2", "taken_back": 2, "operations": 0},
    ]
    assert lines(shop, license_id, now) == {
        "2,3": (3, 0, 2, 1), "3,2": (2, 0, 2, 0), "4,1": (3, 0, 0, 3)
    }  # fmt: skip
    with shop.database.read() as transaction:
        row = next(e for e in audit.entries(transaction, license_id) if e.action == "usage.correct")
    taken_back = canonical.decode(row.detail.encode(), "detail")["spaces"]
    assert [one["sha256"] for one in taken_back] == [
        OperationSet.of([1, 2], BOOLEAN_3).digest, OperationSet.of([1, 2]).digest
    ]  # fmt: skip
    with pytest.raises(ServiceError) as refusal:
        correct()
    assert str(refusal.value) == f"license {license_id}: nothing that lease {lease} reported counts any more"


def test_audit_log_names_the_space_of_a_report(shop, new_client, now):
    license_id, held, _ = held_license(shop, new_client, now)
    shop.merge(shop.usage(license_id, held, [7], now, space=QUATERNARY_1), now)
    with shop.database.read() as transaction:
        row = next(e for e in audit.entries(transaction, license_id) if e.action == "usage.report")
    told = canonical.decode(row.detail.encode(), "detail")
    assert (told["space"], told["sha256"]) == ("4,1", OperationSet.of([7], QUATERNARY_1).digest)


@pytest.mark.parametrize("quota", [0, MOST + 1])
def test_quota_out_of_range_is_refused(shop, quota):
    with pytest.raises(ServiceError) as refusal:
        shop.sell(unique_operations=quota)
    assert str(refusal.value) == (
        f"policy policy-{shop.policies}: unique_operations: expected 1 to 2^53 - 1, or none"
    )


def test_largest_quota_is_sold_and_read_by_the_client(site, tmp_path, now):
    wanted = {"name": "vast", "product": "acme", "entitlements": ["sample"], "unique_operations": MOST}
    assert site.admin("POST", "/policies", json=wanted).json()["unique_operations"] == MOST
    customer = site.admin("POST", "/customers", json={"name": "Initech"}).json()["id"]
    sold = site.admin("POST", "/licenses", json={"customer": customer, "policy": "vast"}).json()
    client = site.online(tmp_path)
    client.activate(sold["key"], now)
    license = License.read(client.license_file(sold["id"]).read_bytes(), site.ring.trust)
    assert license.unique_operations == MOST
    refused = site.admin("POST", "/policies", json=wanted | {"name": "more", "unique_operations": MOST + 1})
    assert refused.status_code == 400
    with site.database.read() as transaction:
        assert policies.find(transaction, "vast").unique_operations == MOST


def test_sdk_is_told_the_operations_of_all_spaces_those_of_other_machines_included(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=100)
    mine, other = site.online(tmp_path / "mine"), site.online(tmp_path / "other")

    def count(client, place, operations):
        client.activate(key, now)
        license = License.read(client.license_file(license_id).read_bytes(), site.ring.trust)
        ledger = Ledger(site.kept(place) / "ledger.sqlite3")
        ledger.record(license_id, 100, operations, lease=license.lease, owner=license.customer)

    count(other, tmp_path / "other", OperationSet.of([1, 2, 3], QUATERNARY_1))
    assert other.report(license_id, now) == 3
    count(mine, tmp_path / "mine", OperationSet.of([1, 2]))
    count(mine, tmp_path / "mine", OperationSet.of([9], BOOLEAN_3))
    assert mine.report(license_id, now) == other.report(license_id, now) == 6


def test_sets_of_before_the_upgrade_are_of_two_input_ternary_operations(
    kind, tmp_path, database_address, make_shop, new_client, now
):
    held, both = new_client(), OperationSet.of([1, 2, 3])
    terms = {"entitlements": "sample", "lease": 3600, "grace": 3600, "offline": 0, "trial": False}
    terms["created"] = 0
    of = {"product": "acme", "customer": "C-1", "policy": "floating", "starts": 0, "state": "active"}
    owned = {"license": "L-1", "customer": "C-1"}
    ends = {"ends": 4_000_000_000, "licensed_until": 4_000_000_000, "offline": False, "started": 0}
    seen = {"received": 5}
    rows = [
        ("customers", {"id": "C-1", "name": "Initech", "created": 0}),
        ("products", {"name": "acme", "created": 0}),
        ("policies", terms | {"name": "floating", "product": "acme", "unique_operations": 19_683}),
        ("licenses", terms | of | {"id": "L-1", "key_hash": "x", "unique_operations": 19_683}),
        ("leases", owned | ends | {"installation": held.kid, "seat": "S-1", "generation": 1}),
        ("lease_numbers", owned | {"seat": "S-1", "installation": held.kid}),
        (
            "meters",
            owned
            | {"bitmap": both.to_bytes(), "operations": 3}
            | {"quota_bitmap": OperationSet.of([1, 2]).to_bytes(), "quota_operations": 2},
        ),
        (
            "meter_reports",
            owned | seen | {"installation": held.kid, "lease": "S-1", "history": FIRST, "sequence": 3}
            | {"bitmap": both.to_bytes(), "excluded": OperationSet.of([3]).to_bytes(), "issued": 4},
        ),
        ("meter_losses", owned | seen | {"installation": held.kid, "lost": 6, "restarted": True}),
        (
            "meter_entries",
            owned | seen | {"number": 1, "lease": "S-1", "late": False, "operations": 3}
            | {"bitmap": both.to_bytes()},
        ),
    ]  # fmt: skip
    with database_address(kind, tmp_path) as url:
        database = Database(url)
        migrate(database, to="0011")
        with database.write() as transaction:
            for table, row in rows:
                values = ", ".join(f":{name}" for name in row)
                transaction.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
        migrate(database)
        with database.read() as transaction:
            meter = metering.find(transaction, "L-1", "C-1", TERNARY_2)
            (report,) = metering.reported.every(transaction, "L-1")
            (entry,) = transaction.execute(select(meter_entries)).all()
            (loss,) = transaction.execute(select(meter_losses)).all()
        database.close()
        assert (meter.operations, meter.weighed) == (both, OperationSet.of([1, 2]))
        assert (report.operations, report.excluded) == (both, OperationSet.of([3]))
        assert (report.history, report.sequence, report.lease, report.issued) == (FIRST, 3, "S-1", 4)
        assert (entry.space, entry.operations, entry.lease, entry.bitmap) == (
            "3,2",
            3,
            "S-1",
            both.to_bytes(),
        )
        assert (loss.space, loss.lost, loss.restarted, loss.received) == ("3,2", 6, True, 5)
        shop = make_shop(url)
        told = shop.merge(shop.usage("L-1", held, [1, 2, 3, 4], now, history=FIRST, sequence=4), now)
        assert (told["added"], told["operations"], told["lost"], told["restarted"]) == (1, 4, 0, False)
        told = shop.merge(shop.usage("L-1", held, [1], now, space=BOOLEAN_3), now)
        assert (told["added"], told["operations"], told["all_spaces"]) == (1, 1, 5)
        shop.database.close()


def test_reports_of_two_spaces_through_two_processes_add_up(
    kind, tmp_path, database_address, vendor_keys, new_client
):
    spaces, clients, steps = (TERNARY_2, BOOLEAN_3), [new_client() for _ in range(3)], 4
    with database_address(kind, tmp_path) as url:
        prepare(url)
        (key,) = sell(url, 1)
        with serving(vendor_keys, url) as addresses, ThreadPoolExecutor(len(clients)) as pool:

            def reported(place):
                held, now = clients[place], datetime.now(UTC)
                vendor = vendor_keys.trust.root.kid
                asked = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
                number = {"Idempotency-Key": online_request.number(asked)}
                came = httpx.post(f"{addresses[0]}/v1/activations", content=asked, headers=number, timeout=60)
                license = License.read(came.json()["license"].encode(), vendor_keys.trust)
                for step in range(1, steps + 1):
                    for space in spaces:
                        counted = Counted(
                            lease=license.lease,
                            owner=license.customer,
                            history=FIRST,
                            sequence=step,
                            operations=OperationSet.of(range(10 * place, 10 * place + 2 * step), space),
                        )
                        document = usage.report(license.id, counted, held, now)
                        address = addresses[(place + step) % len(addresses)]
                        told = httpx.post(f"{address}/v1/usage", content=document, timeout=60).json()
                        assert (told["space"], told["added"], told["lost"]) == (str(space), 2, 0)
                return license.id

            (license_id,) = set(pool.map(reported, range(len(clients))))
        database = Database(url)
        with database.read() as transaction:
            customer = records.find(transaction, license_id).customer
            found = metering.drawn(transaction, license_id, customer)
            entries = transaction.execute(select(meter_entries.c.space, meter_entries.c.operations)).all()
            assert list(auditing.faults(transaction)) == []
        database.close()
    each = len(clients) * 2 * steps
    assert found == dict.fromkeys(sorted(spaces), each)
    for space in spaces:
        assert sum(entry.operations for entry in entries if entry.space == str(space)) == each
