"""
A license server's database with millions of rows, written in bulk and as the server itself would write them.

Licenses are copies of one that the server sold, each with a lease and an audit chain of its own. Entries of
usage are spread over many licenses of few customers. A file that is there already is used again.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from sqlalchemy import Table, select

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import (
    audit,
    audit_heads,
    customers,
    leases,
    licenses,
    meter_entries,
    meters,
)
from ternary_license_server.service import catalog, entries, life, policies, records, seats
from ternary_license_server.service.audit import GENESIS, Entry
from ternary_license_server.service.policies import Policy
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2

HOUR: Final = 3600
OF_EACH: Final = 100
"""Entries of each license that has any."""
OPERATIONS: Final = 100
"""Operations of each entry."""
LICENSES_OF_A_CUSTOMER: Final = 100


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a database is."""

    licenses: int
    """Each with a lease and an audit chain."""
    entries: int
    """Of usage."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What is in it."""

    first: int
    """When the first entry of usage came, in seconds since 1970-01-01 UTC. One comes every second."""
    last: int
    """When the last came."""


def license_name(number: int) -> str:
    """The id of one of the licenses."""
    return f"L-{number:024x}"


def customer_name(number: int) -> str:
    """The id of the customer who has one of the licenses."""
    return f"C-{number // LICENSES_OF_A_CUSTOMER:024x}"


def fill(url: str, size: Size) -> Filled:
    """Make the tables and fill them."""
    database = Database(url)
    with closing(database):
        migrate(database)
        with database.write() as transaction:
            sold = _model(transaction)
            first = int(transaction.now.timestamp()) - 86_400 - size.entries
    for table, rows in _rows(sold, size, first):
        _copy(url, table, rows)
    with closing(Database(url)) as again, again.write() as transaction:
        transaction.connection.exec_driver_sql("ANALYZE")
    return Filled(first=first, last=first + size.entries - 1)


def _model(transaction: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of one license and its lease, as the server writes them."""
    hour = timedelta(hours=1)
    release = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
    catalog.add_release(transaction, release, None, actor="stress")
    terms = Policy(
        name="floating",
        product="acme",
        term=timedelta(days=365),
        entitlements=("sample",),
        seats=2,
        unique_operations=None,
        lease=24 * hour,
        grace=24 * hour,
        offline=timedelta(0),
        trial=False,
    )
    policies.add(transaction, terms, actor="stress")
    customer = str(catalog.add_customer(transaction, "Initech", actor="stress")["id"])
    license_id = str(life.issue(transaction, customer=customer, policy="floating", actor="stress")["id"])
    license, now = records.lock(transaction, license_id), transaction.now
    seats.take(
        transaction, license, "I" * 43, machine=None, offline=False, ends=now + timedelta(days=2), now=now
    )
    return tuple(dict(transaction.execute(select(table)).one()._mapping) for table in (licenses, leases))  # type: ignore[return-value]


def _rows(
    sold: tuple[dict[str, Any], dict[str, Any]], size: Size, first: int
) -> Iterator[tuple[Table, Iterable[dict[str, Any]]]]:
    license, lease = sold
    at = license["created"]
    numbers = range(size.licenses)

    yield (
        customers,
        (
            {"id": customer_name(n), "name": f"Customer {n}", "created": at}
            for n in numbers[::LICENSES_OF_A_CUSTOMER]
        ),
    )
    yield (
        licenses,
        (
            license
            | {
                "id": license_name(n),
                "key_hash": f"{n:064x}",
                "customer": customer_name(n),
                "expires": at + 86_400 * (1 + n % 400),
            }
            for n in numbers
        ),
    )
    yield (
        leases,
        (
            lease
            | {
                "license": license_name(n),
                "installation": f"I-{n:041x}",
                "seat": f"S-{n:024x}",
                "customer": customer_name(n),
            }
            for n in numbers
        ),
    )
    chains = [_issue(license_name(n), at, customer_name(n)) for n in numbers]
    yield audit, (_columns(entry) for entry in chains)
    yield audit_heads, ({"stream": entry.stream, "number": 1, "hash": entry.hash} for entry in chains)
    yield from _usage(size, first)


def _issue(stream: str, at: int, customer: str) -> Entry:
    detail = f'{{"customer":"{customer}","expires":null,"policy":"floating"}}'
    row = Entry(
        stream=stream,
        number=1,
        at=at,
        actor="stress",
        action="license.issue",
        detail=detail,
        previous=GENESIS,
        hash="",
    )
    return Entry(**(vars(row) | {"hash": row.expected_hash()}))


def _columns(entry: Entry) -> dict[str, Any]:
    return dict(vars(entry))


def _usage(size: Size, first: int) -> Iterator[tuple[Table, Iterable[dict[str, Any]]]]:
    parts = [range(OPERATIONS * n, OPERATIONS * (n + 1)) for n in range(OF_EACH)]
    written = [entries.written(OperationSet.of(list(part)).indices, TERNARY_2) for part in parts]
    holders = size.entries // OF_EACH
    whole = OperationSet.of(list(range(OPERATIONS * OF_EACH))).to_bytes()
    number = OPERATIONS * OF_EACH
    common = {"lease": None, "late": False, "space": str(TERNARY_2), "operations": OPERATIONS}
    yield (
        meter_entries,
        (
            common
            | {
                "license": license_name(n),
                "customer": customer_name(n),
                "number": i + 1,
                "received": first + holders * i + n,
            }
            | written[i]
            for i in range(OF_EACH)
            for n in range(holders)
        ),
    )
    yield (
        meters,
        (
            {
                "license": license_name(n),
                "customer": customer_name(n),
                "space": str(TERNARY_2),
                "bitmap": whole,
            }
            | {"operations": number, "quota_bitmap": whole, "quota_operations": number}
            for n in range(holders)
        ),
    )


def _copy(url: str, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as fast as the database takes them."""
    every = iter(rows)
    first = next(every, None)
    if first is None:
        return
    names = list(first)
    values = ([row[name] for name in names] for row in _again(first, every))
    if url.startswith("sqlite:///"):
        marks = ", ".join("?" for _ in names)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values)
            connection.commit()
        return
    statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor().copy(statement) as copy:
        for row in values:
            copy.write_row(row)


def _again(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest
