"""
Bringing the first release's database with millions of offline leases to this release: processor time, memory.

Run alone: ``python -m stress.migrating [--leases N] [--database URL]``.
"""

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.measurement import peak_memory
from sqlalchemy import func, select, text

from stress.databases import on_each
from ternary_license_server.database import waiting
from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import is_current, migrate
from ternary_license_server.database.schema import leases

MOST: Final = 200
"""MiB that the process may need more, whatever the number of leases."""
_NUMBERS: Final = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :most) "
_ONCE: Final = (
    "INSERT INTO customers (id, name, created) VALUES ('C-1', 'Initech', 0)",
    "INSERT INTO products (name, created) VALUES ('acme', 0)",
    "INSERT INTO policies (name, product, entitlements, lease, grace, offline, trial, created) "
    "VALUES ('floating', 'acme', 'sample', 1, 1, 9, false, 0)",
)
_LICENSES: Final = (
    "INSERT INTO licenses (id, key_hash, customer, product, policy, state, starts, entitlements, lease, "
    "grace, offline, trial, created) "
    f"{_NUMBERS} SELECT 'L-' || i, 'K-' || i, 'C-1', 'acme', 'floating', 'active', 0, 'sample', 1, 1, 9, "
    "false, 0 FROM n"
)
_LEASES: Final = (
    "INSERT INTO leases (license, installation, generation, ends, offline, started) "
    f"{_NUMBERS} SELECT 'L-' || (i / 10), 'I-' || i, 1, 2000000000, true, 0 FROM n"
)


def main() -> int:
    """Fill, migrate, judge."""
    options = argparse.ArgumentParser(prog="python -m stress.migrating", description=__doc__)
    options.add_argument("--leases", type=int, default=1_500_000)
    options.add_argument("--database", help="address of the one database to use, which must be empty")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return on_each(lambda url: _measure(url, chosen.leases), Path(folder), chosen.database)


def _measure(url: str, number: int) -> int:
    with closing(Database(url)) as database:
        migrate(database, to="0001")
        with database.maintain(waiting.NONE) as transaction:
            if not database.sqlite:
                transaction.execute(text("SET LOCAL statement_timeout = 0"))
            for statement in _ONCE:
                transaction.execute(text(statement))
            transaction.execute(text(_LICENSES), {"most": -(-number // 10)})
            transaction.execute(text(_LEASES), {"most": number})
        before, start, cpu = peak_memory(), time.perf_counter(), time.process_time()
        migrate(database)
        more = (peak_memory() - before) >> 20
        with database.read() as transaction:
            seats = transaction.execute(select(func.count(leases.c.seat.distinct()))).scalar_one()
        wrong = seats != number or not is_current(database) or more > MOST
    print(
        f"{number:,} offline leases: {time.process_time() - cpu:.0f} s of this process, "
        f"{time.perf_counter() - start:.0f} s in all, {more} MiB more (at most {MOST})"
    )
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
