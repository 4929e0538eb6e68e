"""
Where the license server is put under fire: a new SQLite file, and PostgreSQL where there is one.

``TERNARY_TEST_POSTGRESQL`` names a PostgreSQL database, or ``CI=true`` says to try the one on this machine;
each run gets a schema of its own that is dropped at the end. The tests choose their databases here, too.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

VARIABLE: Final = "TERNARY_TEST_POSTGRESQL"
LOOPBACK: Final = "postgresql://127.0.0.1/test"


def postgresql() -> str | None:
    """Address of the PostgreSQL database to use; None where there is none."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    if os.environ.get("CI") != "true":
        return None
    try:
        psycopg.connect(LOOPBACK, connect_timeout=3).close()
    except psycopg.OperationalError:
        return None
    return LOOPBACK


@contextmanager
def address(kind: str, directory: Path) -> Iterator[str]:
    """Address of an empty database of a kind, ``sqlite`` or ``postgresql``, gone at the end of the block."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / f'{secrets.token_hex(4)}.sqlite3'}"
        return
    base, schema = postgresql() or LOOPBACK, f"test_{secrets.token_hex(8)}"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    try:
        yield f"{base}{'&' if '?' in base else '?'}options=-csearch_path%3D{schema}"
    finally:
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def on_each(run: Callable[[str], int], directory: Path, given: str | None) -> int:
    """Run on the database at an address, or else on SQLite and, where there is one, PostgreSQL.

    Args:
        run: Takes an address, gives 0 if nothing was wrong.
        directory: Where SQLite files may be made.
        given: Address of the one database to use, which must be empty.
    Returns:
        0, or the first run's verdict that was not; the second run is made all the same.
    """
    if given is not None:
        return run(given)
    kinds = ["sqlite"] if postgresql() is None else ["sqlite", "postgresql"]
    verdicts = [_on(kind, run, directory) for kind in kinds]
    if len(kinds) == 1:
        print(
            f"PostgreSQL: skipped; set {VARIABLE} to the address of a database, or CI=true to try {LOOPBACK}"
        )
    return next((verdict for verdict in verdicts if verdict), 0)


def _on(kind: str, run: Callable[[str], int], directory: Path) -> int:
    with address(kind, directory) as url:
        print(f"{kind}:", flush=True)
        return run(url)
