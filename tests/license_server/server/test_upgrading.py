"""A database of the release before, with what a shop has in it, is brought to this release and works on."""

from datetime import timedelta

import pytest
from sqlalchemy import MetaData, func, insert, select, text
from tests.buyers import APRIL, MARCH, Buyer, issue, lines, prices, read

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate, revision
from ternary_license_server.database.schema import invoices, licenses, metadata
from ternary_license_server.local import archiving
from ternary_license_server.service import auditing, checkpoints, customer_usage, figures, invoicing

BEFORE = "0014"
DAY = timedelta(days=1)


@pytest.fixture
def buyer(new_shop, new_client, now):
    """A customer with a license under prices, a lease, an invoice of March, and usage of April."""
    buyer = Buyer(new_shop, new_client(), now, "Initech", prices(100))
    buyer.report(range(3), now)
    issue(new_shop, buyer.id, MARCH)
    at = APRIL.start + DAY
    buyer.activate(at)
    buyer.report(range(5), at)
    return buyer


@pytest.fixture
def upgraded(buyer, tmp_path, database_address, vendor_keys):
    """The same customer in a database that was of the release before, and is of this one now."""
    shop = buyer.shop
    (tmp_path / "old").mkdir()
    with database_address(shop.database.url.get_backend_name(), tmp_path / "old") as url:
        database = Database(url, clock=shop.hands.clock())
        migrate(database, to=BEFORE)
        copied = copy(shop.database, database)
        assert {"customers", "licenses", "leases", "meters", "meter_entries", "audit", "invoices"} <= copied
        migrate(database)
        shop.database.close()
        shop.database = database
        yield buyer
        database.close()


def copy(new, old):
    """Copy what tables of a release before can hold; the names of those with rows."""
    found = MetaData()
    with old.maintain() as target, new.read() as source:
        found.reflect(target.connection)
        for table in metadata.sorted_tables:
            if table.name not in found.tables or table.name in ("alembic_version", "clock"):
                continue
            here = found.tables[table.name]
            columns = [column for column in table.columns if column.name in here.columns]
            target.execute(here.delete())
            if rows := [dict(row._mapping) for row in source.execute(select(*columns))]:
                target.execute(insert(here), rows)
        counted = {
            name: target.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in found.tables.items()
        }
    return {name for name, count in counted.items() if count}


def test_what_a_shop_has_goes_on_in_the_new_release(upgraded, tmp_path):
    buyer, shop = upgraded, upgraded.shop
    at = APRIL.start + DAY + timedelta(minutes=5)
    assert revision(shop.database) == "0020"
    with shop.at(at).read() as transaction:
        assert list(auditing.faults(transaction)) == []
        row = transaction.execute(select(licenses)).one()
        assert (row.billed_from, row.priced, row.licensee) == (0, row.created, None)
        period = {"start": MARCH.start, "end": APRIL.end}
        (line,) = invoicing.lines(transaction, **period)
        (together,) = customer_usage.customer_lines(transaction, **period)
        assert (line.operations, line.total, together.operations, together.total) == (5, 5, 5, 5)
        assert figures.business(transaction)["ternary_licenses"]["active"] == 1
    for minute in range(1, 4):  # a whole row, then compact ones
        shop.renew(buyer.license, 2, buyer.held, at + timedelta(minutes=minute))
    april = read(shop, issue(shop, buyer.id, APRIL))
    assert [(kind.value, number, amount) for kind, number, amount in lines(april)] == [("usage", 2, 200)]
    token = checkpoints.make(shop.database, shop.ring, actor="test")
    shop.hands.moment += DAY
    (made,) = archiving.archive(shop.database, shop.ring, tmp_path, timedelta(0), actor="test")
    with shop.database.read() as transaction:
        assert list(auditing.faults(transaction)) == []
        assert list(checkpoints.faults(transaction, shop.ring.trust, token)) == []
    assert made.seal.rows > 10


def test_invoices_of_one_second_are_numbered_in_the_order_of_the_audit_log(kind, database_address, tmp_path):
    """Of 2026-04-000001 and 2026-03-000001, both of the second 7, the log has the former first."""
    invoice = {"product": "acme", "currency": "EUR", "total": 0, "charged": 0, "sha256": "", "prices": ""}
    row = {"stream": "invoices", "at": 7, "actor": "", "action": "invoice.issue", "previous": ""}
    rows = [
        *(("customers", {"id": customer, "name": customer, "created": 0}) for customer in ("C-1", "C-2")),
        ("products", {"name": "acme", "created": 0}),
    ]
    for customer, number, issued in (
        ("C-1", "2026-03-000001", 7), ("C-2", "2026-04-000001", 7), ("C-1", "2026-02-000001", 6)
    ):  # fmt: skip
        named = {"customer": customer, "number": number, "month": number[:7], "issued": issued}
        rows.append(("invoices", invoice | named | {"document": b""}))
    for place, number in enumerate(("2026-02-000001", "2026-04-000001", "2026-03-000001"), 1):
        detail = f'{{"number":"{number}"}}'
        rows.append(("audit", row | {"number": place, "detail": detail, "hash": str(place)}))
    with database_address(kind, tmp_path) as url:
        database = Database(url)
        migrate(database, to="0018")
        with database.maintain() as transaction:
            for table, values in rows:
                named = ", ".join(f":{name}" for name in values)
                transaction.execute(
                    text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({named})"), values
                )
        migrate(database)
        with database.read() as transaction:
            found = list(transaction.execute(select(invoices.c.number).order_by(invoices.c.place)).scalars())
        database.close()
    assert found == ["2026-02-000001", "2026-04-000001", "2026-03-000001"]
