"""No call of a client and no page of a list reads a whole table, so they cost the same at any size."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from ternary_license_server.database.schema import licenses, metadata
from ternary_license_server.service.groups import of_group
from ternary_sdk._internal.online import request as online_request

FEW = {"clock", "restorations", "revocation_list", "policies", "products", "alembic_version", "tokens"}
"""Tables of one row, or of what a vendor writes by hand."""


@contextmanager
def recorded(database):
    """Every statement that is executed in the block, with its parameters."""
    found = []

    def note(_connection, _cursor, statement, parameters, _context, many):
        if not many and re.match("SELECT|UPDATE|DELETE|WITH", statement):
            found.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def whole_tables(database, statements):
    """Which tables a statement reads from end to end, where an index could not be used."""
    found = {}
    with database.read() as transaction:
        if not database.sqlite:
            transaction.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        pattern = r"^SCAN (\w+)" if database.sqlite else r"Seq Scan on (\w+)"
        for statement, parameters in statements:
            rows = transaction.connection.exec_driver_sql(explain + statement, parameters).all()
            read = {name for row in rows for name in re.findall(pattern, str(row[-1]))}
            if wrong := (read & set(metadata.tables)) - FEW:
                found[statement] = wrong
    return found


@pytest.fixture
def client(running, new_client, now):
    """What a client has: an id, a key, an installation with a seat."""
    running.moment = now
    license_id, key = running.sell(seats=3, unique_operations=1000)
    held = new_client()
    running.activate(key, held, now, machine="m-" + "0" * 32)
    running.merge(running.usage(license_id, held, [1, 2], now), now)
    running.renew(license_id, 1, held, now)
    return license_id, key, held


def test_no_call_of_a_client_reads_a_whole_table(running, client, new_client, now):
    license_id, key, held = client
    later = now + timedelta(minutes=1)
    with recorded(running.database) as statements:
        running.activate(key, new_client(), later)
        running.renew(license_id, 1, held, later)
        running.merge(running.usage(license_id, held, [1, 2, 3], later, sequence=2), later)
        asked = running.asking(online_request.standing, license_id, 1, held, later)
        assert running.http("POST", "/v1/standing", content=asked).status_code == 200
        running.release(license_id, 1, held, later)
    assert len(statements) > 20
    assert whole_tables(running.database, statements) == {}


PAGES = {
    "licenses": ("/licenses", {"after": "L-1"}),
    "licenses of a customer": ("/licenses", {"customer": "C-1", "after": "L-1"}),
    "licenses in a state": ("/licenses", {"state": "suspended", "after": "L-1"}),
    "licenses that end": ("/licenses", {"ends_before": 9, "after": "L-1"}),
    "license of a key": ("/licenses", {"key_digest": "0" * 64}),
    "licenses of a machine": ("/licenses", {"holder": "m-" + "0" * 32}),
    "customers": ("/customers", {"after": "C-1"}),
    "audit": ("/audit", {"after": "L-1 1"}),
    "audit of a license": ("/audit", {"stream": "L-1", "after": "L-1 1"}),
    "usage": ("/usage", {"start": 1772366400, "end": 1772366401}),
    "usage of a license": ("/usage", {"start": 1772366400, "end": 1772366401, "license_id": "L-1"}),
}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_a_list_reads_a_whole_table(running, client, page):
    path, query = PAGES[page]
    with recorded(running.database) as statements:
        answer = running.admin("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    assert whole_tables(running.database, statements) == {}


def test_one_license_is_read_without_the_others(running, client):
    with recorded(running.database) as statements:
        assert running.admin("GET", f"/licenses/{client[0]}").status_code == 200
    assert whole_tables(running.database, statements) == {}


def test_licenses_of_a_group_are_found_by_their_customers(running, client):
    query = select(licenses.c.id).where(of_group(licenses.c.customer, "C-1"), licenses.c.id > "L-1")
    dialect = running.database.engine.dialect
    statement = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if running.database.sqlite else "EXPLAIN "
    with running.database.read() as transaction:
        rows = transaction.connection.exec_driver_sql(explain + statement).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    assert "SubPlan" not in plan  # PostgreSQL would compare every license with the list
    assert "SCAN licenses" not in plan


def test_statement_that_reads_a_whole_table_would_be_found(running, client):
    statement = "SELECT count(*) FROM licenses WHERE product = 'acme'"
    assert whole_tables(running.database, [(statement, ())]) == {statement: {"licenses"}}
