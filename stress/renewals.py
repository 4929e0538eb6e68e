"""
How many bytes a renewal leaves in the database, on SQLite and, where there is one, PostgreSQL.

PostgreSQL is vacuumed in full before both counts: what counts is what stays, with its indexes. Run alone:
``python -m stress.renewals [--rounds N] [--database URL]``.
"""

import argparse
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from stress.databases import on_each
from stress.large_rows import Size, fill, license_name
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import licenses
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import answering
from ternary_license_server.service import lease as lease_rows
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request

LICENSES: Final = 50
MOST: Final = 300


def main() -> int:
    """Renew, count, judge."""
    options = argparse.ArgumentParser(prog="python -m stress.renewals", description=__doc__)
    options.add_argument("--rounds", type=int, default=20, help="renewals of each license")
    options.add_argument("--database", help="address of the one database to use, which must be empty")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Stress", datetime.now(UTC))
        return on_each(lambda url: _measure(url, ring, chosen.rounds), Path(folder), chosen.database)


def _measure(url: str, ring: KeyRing, rounds: int) -> int:
    fill(url, Size(licenses=LICENSES, entries=0))
    with closing(Database(url)) as database:
        holders = [_activate(database, ring, license_name(n)) for n in range(LICENSES)]
        _renew(database, ring, holders)  # the first is a whole row
        before = _size(database, url)
        for _ in range(rounds):
            _renew(database, ring, holders)
        bytes_each = (_size(database, url) - before) / (rounds * LICENSES)
    print(f"{rounds * LICENSES} renewals: {bytes_each:.0f} bytes each, expected less than {MOST}")
    return int(bytes_each >= MOST)


def _activate(database: Database, ring: KeyRing, license_id: str) -> tuple[str, str, Installation]:
    key, held, vendor = online_key.generate(), installation.draft(Path("unused")), ring.trust.root.kid
    with database.write() as transaction:
        this = licenses.update().where(licenses.c.id == license_id)
        transaction.execute(this.values(key_hash=online_key.digest(key)))
    document = online_request.activate(key, vendor=vendor, held=held, now=datetime.now(UTC), machine=None)
    answering.answer(database, ring, Request.read(document, vendor), document, carried=False)
    with database.read() as transaction:
        found = lease_rows.find(transaction, license_id, held.kid)
    return license_id, found.seat if found else "", held


def _renew(database: Database, ring: KeyRing, holders: list[tuple[str, str, Installation]]) -> None:
    vendor = ring.trust.root.kid
    for license_id, seat, held in holders:
        document = online_request.renew(license_id, seat, 1, vendor=vendor, held=held, now=datetime.now(UTC))
        answering.answer(database, ring, Request.read(document, vendor), document, carried=False)


def _size(database: Database, url: str) -> int:
    if database.sqlite:
        with database.read() as transaction:
            names = ("page_count", "freelist_count", "page_size")
            pages, free, size = (transaction.execute(text(f"PRAGMA {name}")).scalar_one() for name in names)
        return int((pages - free) * size)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        query = (
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = current_schema()::regnamespace"
        )
        found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
