"""
Bringing a database to the tables of this release, from nothing or from any earlier release.

It is no request: no limit ends it. Of replicas that start at once one does the work; the others wait for it,
and say for whom. Releases change tables in two steps. One adds what is new, and servers of the release
before go on; a later one removes what nobody uses any more. Each revision from 0018 on says by
``compatible_from`` which is the oldest revision whose servers still work, and the database keeps that.
"""

import math
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import OperationalError

from ternary_license_server.database import waiting
from ternary_license_server.database.engine import Database
from ternary_license_server.database.errors import BusyError, DatabaseError
from ternary_license_server.database.private_file import close_to_others
from ternary_license_server.database.schema import compatibility
from ternary_license_server.database.transaction import Transaction

SCRIPTS: Final = Path(__file__).parent / "migrations"
"""The revisions of this release."""
_LOCK: Final = 0x7E52_A417
_TRIES: Final = 100
_AGAIN: Final = 0.5
"""Seconds until a replica that waits for another one looks again."""
_TOLD: Final = 30.0
"""Seconds until it says so again."""
# The lock is of the schema: databases of other license servers, in other schemas, have their own turn.
_TRY: Final = text("SELECT pg_try_advisory_xact_lock(:key, hashtext(current_schema()))")
_HOLDER: Final = text(
    "SELECT application_name, pid, xact_start FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
    "AND classid::bigint = :key AND objid::bigint = hashtext(current_schema())::bigint & 4294967295 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _nobody(_line: str) -> None:
    """Say nothing to anybody."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Whose tables a database has."""

    revision: str | None
    """None if it is not a license server's."""
    compatible_from: str | None
    """The oldest revision whose servers work on it, where a release wrote that down."""


def migrate(
    database: Database,
    to: str = "head",
    *,
    tell: Callable[[str], None] = _nobody,
    scripts: Path = SCRIPTS,
) -> None:
    """Create or upgrade the tables, all or nothing; leave those of a newer release that this one works on.

    Args:
        database: Which.
        to: The revision to stop at; by default this release's.
        tell: Says a line to whoever waits: for whom, or that the tables are of a newer release.
        scripts: The release's revisions.
    Raises:
        DatabaseError: If the database cannot be used, or is of a newer release that left this one behind.
    """
    if database.file is not None:
        close_to_others(database.file)
        _write_ahead(database)
    if _is_settled(database, to, tell, scripts):
        return
    with _turn(database, tell) as transaction:
        config = _config(scripts)
        config.attributes["connection"] = transaction.connection
        command.upgrade(config, to)
        _write_compatibility(transaction, scripts)


def existing(database: Database) -> None:
    """Demand a database that this release works on; nothing is created or changed.

    Raises:
        DatabaseError: If it is not there, is not a license server's, or is of another release.
    """
    if database.file is not None and not database.file.is_file():
        raise DatabaseError(
            f"database {database}: no such file; name the server's with --database or TERNARY_SERVER_DATABASE"
        )
    if (refusal := unfit(tables(database))) is not None:
        raise DatabaseError(f"database {database}: {refusal.removeprefix('database: ')}")


def is_current(database: Database) -> bool:
    """Whether the tables are those of this release.

    Raises:
        DatabaseError: If the database cannot be used.
    """
    return revision(database) == _known(SCRIPTS)[-1]


def revision(database: Database) -> str | None:
    """Which release's tables a database has; None if it is not a license server's.

    Raises:
        DatabaseError: If the database cannot be used.
    """
    return tables(database).revision


def tables(database: Database, scripts: Path = SCRIPTS) -> Tables:
    """Whose tables a database has.

    Raises:
        DatabaseError: If the database cannot be used.
    """
    known = _known(scripts)  # read from files, before the database waits for this side
    with database.read() as transaction:
        found = MigrationContext.configure(transaction.connection).get_current_revision()
        since = None
        if found not in (None, *known) and inspect(transaction.connection).has_table(compatibility.name):
            since = transaction.execute(select(compatibility.c.since)).scalar_one_or_none()
        return Tables(revision=found, compatible_from=since)


def unfit(found: Tables, scripts: Path = SCRIPTS) -> str | None:
    """Why this release does not work on such tables, one sentence; None if it does."""
    known = _known(scripts)
    if found.revision == known[-1] or found.compatible_from in known:
        return None
    if found.revision is None:
        return "database: it has no tables of a license server; start 'ternary serve' once"
    if found.revision in known:
        return (
            f"database: its tables are of an earlier release ({found.revision}, this one needs {known[-1]}); "
            "start 'ternary serve' of this release once"
        )
    since = "" if found.compatible_from is None else f", for servers from {found.compatible_from} on"
    return (
        f"database: its tables are of a newer release ({found.revision}{since}); this server knows those up "
        f"to {known[-1]}, so install the newer release here"
    )


def _is_settled(database: Database, to: str, tell: Callable[[str], None], scripts: Path) -> bool:
    """Whether nothing is to be done, which is asked first: it waits for nobody."""
    known = _known(scripts)
    with waiting.within(math.inf):
        found = tables(database, scripts)
    if found.revision is None or found.revision in known:
        return found.revision == (known[-1] if to == "head" else to)
    if (refusal := unfit(found, scripts)) is not None:
        raise DatabaseError(f"database {database}: {refusal.removeprefix('database: ')}")
    tell(f"database {database}: has the tables of a newer release ({found.revision}), which suit this one")
    return True


@contextmanager
def _turn(database: Database, tell: Callable[[str], None]) -> Iterator[Transaction]:
    """A transaction without limits, once no other process brings the database to a release."""
    told = -_TOLD
    while True:
        try:
            with _tried(database) as transaction:
                yield transaction
                return
        except _OtherError as other:
            if time.monotonic() - told >= _TOLD:
                told = time.monotonic()
                tell(f"database {database}: waiting for {other}")
        time.sleep(_AGAIN)


class _OtherError(Exception):
    """Another process has the turn; its text says which."""


@contextmanager
def _tried(database: Database) -> Iterator[Transaction]:
    limits = replace(waiting.NONE, lock=_AGAIN) if database.sqlite else waiting.NONE
    try:
        with database.maintain(limits) as transaction:
            if not database.sqlite:
                _take_turn(transaction)
            yield transaction
    except BusyError:
        raise _OtherError("another process, which writes to it") from None


def _take_turn(transaction: Transaction) -> None:
    if not transaction.execute(_TRY, {"key": _LOCK}).scalar_one():
        holder = transaction.execute(_HOLDER, {"key": _LOCK}).one_or_none()
        raise _OtherError(_named(holder))
    name = f"ternary on {socket.gethostname()}, process {os.getpid()}"
    transaction.execute(text("SELECT set_config('application_name', :name, true)"), {"name": name})


def _named(holder: Any) -> str:
    if holder is None:
        return "another process, which has just changed its tables"
    since = f"{holder.xact_start:%H:%M:%S}"
    return f"{holder.application_name or 'another server'}, which changes its tables since {since}"


def _write_compatibility(transaction: Transaction, scripts: Path) -> None:
    """Write down the oldest revision whose servers work on these tables."""
    now = MigrationContext.configure(transaction.connection).get_current_revision()
    if not inspect(transaction.connection).has_table(compatibility.name):
        return
    row = {"id": 1, "since": oldest_compatible(str(now), scripts)}
    statement = transaction.insert(compatibility).values(row)
    transaction.execute(statement.on_conflict_do_update(index_elements=[compatibility.c.id], set_=row))


def oldest_compatible(now: str, scripts: Path = SCRIPTS) -> str:
    """The oldest revision whose servers work on the tables of revision ``now``: what every step allows."""
    known = _known(scripts)
    steps = known[: known.index(now) + 1]
    said = (_compatible_from(scripts)[step] for step in steps)
    return known[max(map(known.index, said))]


@cache
def _known(scripts: Path) -> tuple[str, ...]:
    """The revisions of a release, the oldest first."""
    return tuple(_compatible_from(scripts))


@cache
def _compatible_from(scripts: Path) -> dict[str, str]:
    """What each revision says, the oldest first; one that says nothing serves no release before it."""
    found = list(ScriptDirectory.from_config(_config(scripts)).walk_revisions())
    return {one.revision: getattr(one.module, "compatible_from", one.revision) for one in reversed(found)}


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _write_ahead(database: Database) -> None:
    """Switch a SQLite file to write-ahead logging; another process that does so now makes us wait."""
    for _ in range(_TRIES):
        try:
            raw = database.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
                return
            finally:
                raw.close()
        except (OperationalError, sqlite3.Error) as error:
            if "locked" not in str(error):
                raise DatabaseError(f"database {database}: cannot be opened ({_cause(error)})") from None
        time.sleep(0.1)
    raise DatabaseError(f"database {database}: another process keeps it locked")


def _cause(error: Exception) -> object:
    return getattr(error, "orig", None) or error
